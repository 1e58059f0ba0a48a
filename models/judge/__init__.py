"""One set of figures, over folds and microscopes."""
