"""Cell classifiers: ways to 32x32, int8, rescue, and the gate that a converted net must pass."""
