"""Giving memory back to the system."""

import ctypes
import sys

# Enough for the two that compute at once on small machines; each holds on to freed
# memory of its own, by default up to eight for each processor.
_ARENA_COUNT = 2
_M_ARENA_MAX = -8  # malloc.h


def limit_memory_arenas() -> None:
    """Have the C library's allocator keep few pools; before threads start, Linux only.

    With as many as it likes, two workers that swap releases under load grow from 3.6
    to 4.2 GB within 20 swaps; with two they stay at 3.5, and a picture takes no longer
    (benchmarks/swap_under_load).
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENA_COUNT)


def release_unused_memory() -> None:
    """Return to the system what was freed; takes milliseconds, and Linux only.

    The C library keeps freed memory for later. Opening the networks of a release
    leaves as much of it as their weights take: 180 of 410 MB, measured. Having it give
    back each large block at once (mallopt, M_MMAP_THRESHOLD) would spare the call, but
    then a picture takes 6,500 page faults and 14 ms more, measured on two cores.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)
