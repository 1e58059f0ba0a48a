"""What people read: tables on screen and in docs/benchmarks.md, plots, and which differences between two runs are real."""
