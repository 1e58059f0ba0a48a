"""Training, judging, comparing and adapting on anybody's cells and annotated fields; any number of classes."""
