"""Giving memory back to the system."""

import ctypes
import sys


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
