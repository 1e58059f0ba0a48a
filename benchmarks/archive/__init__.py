"""What a recount of an archive costs, and what it does when workers and scheduler are killed: ``python -m benchmarks.archive``."""
