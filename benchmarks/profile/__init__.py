"""Where the runner's time goes: ``python -m benchmarks.profile FOLDER``."""
