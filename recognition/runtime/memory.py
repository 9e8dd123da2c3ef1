"""Giving memory back to the system."""

import ctypes
import functools
import sys

# malloc.h
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 128 * 1024


@functools.cache
def return_large_blocks_at_once() -> None:
    """Have freed blocks of 128 KB and more given back to the system; Linux only.

    The C library begins so, and raises the bound with each such block that is freed.
    Fixed, the peak while 250,000 faces were loaded fell from 1,839 to 1,645 MB, and
    what was resident afterwards from 1,781 to 1,531 MB, measured.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
        if set_option is not None:
            set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def release_unused_memory() -> None:
    """Return to the system what was freed; takes milliseconds, and Linux only.

    The C library keeps freed memory for later. Opening the networks of a release
    leaves as much of it as their weights take: 180 of 410 MB, measured.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)
