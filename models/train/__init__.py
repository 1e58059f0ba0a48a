"""One trainer per kind of net."""
