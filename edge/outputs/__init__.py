"""Where results go: console, JSON Lines, CSV, COCO, annotated images. Each output is one small class."""
