"""A real broker, and what goes wrong with it (docs/mqtt.md)."""
