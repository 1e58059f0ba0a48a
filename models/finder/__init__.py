"""The shipped finder: its data, its net, its training."""
