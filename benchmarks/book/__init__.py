"""What the book costs: processor time a field, bytes a cell, seconds until a list or a sample is shown."""
