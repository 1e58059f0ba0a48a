"""Doors to other programs: fields, boxes and answers written as their own files, and corrections read back from them."""
