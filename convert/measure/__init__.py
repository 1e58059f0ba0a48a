"""Cells of known class: how a folder of them is listed, read and split. Every command of every room reads one here."""
