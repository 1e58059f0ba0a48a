"""What is written into docs."""
