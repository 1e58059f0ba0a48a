"""Graph surgery and int8."""
