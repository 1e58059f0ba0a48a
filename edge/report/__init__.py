"""A page per sample that a person looks at: what was counted, what it rests on, and the cells to look at.

``gather`` keeps what a page needs while a sample runs, within bounds that no number of fields moves; ``page`` makes HTML of it;
``output`` is the output that does both. docs/report.md says what a page holds.
"""
