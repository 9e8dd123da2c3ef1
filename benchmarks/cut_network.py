"""Work in a namespace whose only network is its own loopback.

What is asked of a service by chance must not reach anybody else.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_UNSHARE = ["unshare", "--map-root-user", "--net"]
_INSIDE = "STASH_SENSE_BENCHMARK_NETWORK"
# linux/sockios.h, linux/if.h
_SIOCSIFFLAGS = 0x8914
_IFF_UP_AND_RUNNING = 0x41


def cut_network(module: str, arguments: Sequence[str]) -> bool:
    """Return whether the network is cut; starts `module` anew where it can be."""
    if os.environ.get(_INSIDE) == "cut":
        _raise_loopback()
        return True
    try:
        subprocess.run([*_UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    command = [*_UNSHARE, sys.executable, "-m", module, *arguments]
    os.execvpe(command[0], command, os.environ | {_INSIDE: "cut"})


def _raise_loopback() -> None:
    with socket.socket() as control:
        request = struct.pack("16sh", b"lo", _IFF_UP_AND_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, request)
