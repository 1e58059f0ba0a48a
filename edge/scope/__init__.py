"""What is settled on a microscope without a label: its paper and its typical healthy cell, from any fields of it."""
