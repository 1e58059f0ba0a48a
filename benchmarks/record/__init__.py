"""What one run measured: its records, the file they are kept in, and the figures made of them."""
