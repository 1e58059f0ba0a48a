"""Measuring on this machine: cases in processes of their own, and the state of the machine meanwhile."""
