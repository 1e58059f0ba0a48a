"""Studies of one page each."""
