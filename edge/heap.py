"""Keeps freed memory in the process from field to field.

A field and what is made of it are some megabytes, freed and wanted again a few milliseconds later. The C library gives them
back to the system meanwhile, which then clears every page anew: a page fault per 4 kB, thousands per field.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
_KEPT = 256 << 20  # bytes of freed memory the process keeps
_LARGEST = 32 << 20  # the most glibc takes; larger arrays go back at once, as they did


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, for its next field; where the C library is not glibc nothing changes.

    Returns:
        whether it was done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all([mallopt(_MMAP_THRESHOLD, _LARGEST), mallopt(_TRIM_THRESHOLD, _KEPT)])
