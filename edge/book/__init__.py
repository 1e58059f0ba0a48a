"""The book: the one place where a sample lives. SQLite, one file. What was counted is never lost; everything else is a view of it.

Each field is stored as the worker analysed it, and beside it what the session decided, in one transaction before anybody is shown it.
Going on with a sample is a replay of its fields through a session, so that no state of gate, register or tally is ever stored.

``opening`` opens a book, ``book`` reads it, ``writer`` writes runs into it, ``replay`` makes the events of a sample again.
"""
