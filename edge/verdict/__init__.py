"""What a sample adds up to, in words a person can act on: shares with exact intervals, and the flag."""
