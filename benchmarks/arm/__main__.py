"""``python -m benchmarks.arm``."""

from benchmarks.arm.cli import main

if __name__ == "__main__":
    main()
