"""What a person answers about a sample: which cells to look at, the answers, and what follows from them.

The machine's verdict is never touched. Answers stand beside it in the book; a later one supersedes an earlier one, and none is
ever overwritten.
"""
