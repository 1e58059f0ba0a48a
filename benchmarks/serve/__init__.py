"""What the page costs the count, and whether it stands what a hostile network sends; this machine's loopback only."""
