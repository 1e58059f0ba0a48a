"""What a person's answers and blank slides bring on a microscope that a net never saw."""
