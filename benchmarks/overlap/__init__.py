"""Overlapping fields on real images: what is found that is there, what is found that is not, and what it costs."""
