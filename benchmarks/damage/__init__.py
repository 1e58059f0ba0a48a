"""How much damage to picture files is noticed: ``python -m benchmarks.damage FOLDER``."""
