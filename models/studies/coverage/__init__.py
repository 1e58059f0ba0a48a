"""Do intervals and limits of the verdict keep their promises: simulated."""
