"""What a camera costs and survives: a day with a fault every ten minutes, copies of a frame; written into docs/camera-figures.md."""
