"""What the checks of a field catch, and what they cost: ``python -m benchmarks.checks DATA``."""
