"""The microscope as a systemd service: what systemd is told while it counts (``notify``), and the unit that starts it (``unit``)."""
