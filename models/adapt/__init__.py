"""Fit a shipped net to one microscope."""
