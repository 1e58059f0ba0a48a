"""ARM without an ARM board: real Debian roots for aarch64 and armhf under qemu-user, built and cached outside the repository.

Seconds under emulation mean nothing. Three things do hold there and are checked: whether the tests pass, whether the same
fields give the same bytes, and how many instructions a cell and a field cost.
"""
