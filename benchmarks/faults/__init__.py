"""What becomes of a sample when the program is killed, the power is cut, the disk is full: ``python -m benchmarks.faults``.

The program under test is ``edge-run`` itself, from its command line to its exit code. ``child`` imports it once and forks a process
per run, so that a thousand runs take minutes. ``syscalls.c`` stands between it and the system: each call that changes something in
one folder is a *moment*, at which the process can be killed or stopped, or from which on the disk fails.
"""
