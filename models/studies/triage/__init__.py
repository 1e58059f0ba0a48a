"""What a triage would keep and spare on every microscope: infected cells kept against others discarded."""
