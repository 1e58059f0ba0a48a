"""``python -m models report``: the page on the shipped classifiers, by nets that never saw the slide or block in question."""
