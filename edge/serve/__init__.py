"""The page of this microscope: live, samples, scope, health; and who may see it.

The page runs in a process of its own (``edge serve``). It tells the process that counts what a person wants, and shows the snapshots
and previews that come back, so a page that is attacked or hangs cannot hurt the count. It reads the book and never writes it.
"""
