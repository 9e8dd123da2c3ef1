"""Giving memory back to the system."""

import ctypes
import sys

# mallopt's numbers, from malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# Enough for the two that compute at once on small machines; each holds on to freed
# memory of its own, by default up to eight for each processor.
_ARENA_COUNT = 2
# What is larger is returned to the system at once when it is freed.
_LARGE_BLOCK_BYTES = 1 << 20


def set_up_allocator() -> None:
    """Have the C library's allocator keep little; before threads start, Linux only.

    With as many pools as it likes, two workers that swap releases under load grow from
    3.6 to 4.2 GB within 20 swaps; with two they stay at 3.5, and a picture takes no
    longer (benchmarks/swap_under_load).

    Left to itself it keeps large blocks in its pools, too, between smaller ones that
    stay: what networks work with takes 250 MB then, and 110 where each large block is
    the system's again when it is freed. That costs 3 % of the time in page faults, and
    nothing where the system hands out huge pages, for which `supervisord.conf` asks:
    GLIBC_TUNABLES counts only where it was set before the process began.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENA_COUNT)
            mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def release_unused_memory() -> None:
    """Return to the system what was freed; takes milliseconds, and Linux only.

    The C library keeps freed memory for later, of many small blocks as well.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)
