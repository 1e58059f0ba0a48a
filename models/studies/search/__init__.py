"""``python -m models search``: candidate nets for 32x32 crops, trained alike, judged as int8 files, and what each costs."""
