"""What counting 10^6 and 10^9 fields takes, and where it ends: ``python -m benchmarks.scale`` writes docs/scale.md."""
