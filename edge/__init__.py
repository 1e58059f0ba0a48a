"""The device runner: whole microscope fields in, per-sample counts and a flag out."""
