"""What it costs, on the machine it runs on."""
