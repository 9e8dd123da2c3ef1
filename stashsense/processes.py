"""Ties between processes, so that a killed parent leaves none behind.

Linux only; elsewhere these do nothing and only an orderly stop ends everything.
"""

import ctypes
import os
import signal
import sys

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have this process signalled when the one that started it is gone."""
    _prctl(PR_SET_PDEATHSIG, number)


def end_forks_with_parent() -> None:
    """Have every process forked from now on, at any depth, killed with its parent."""
    forking_pid = 0

    def remember_parent() -> None:
        nonlocal forking_pid
        forking_pid = os.getpid()

    def tie() -> None:
        end_with_parent(signal.SIGKILL)
        # It may have been killed before the tie was made.
        if os.getppid() != forking_pid:
            os.kill(os.getpid(), signal.SIGKILL)

    os.register_at_fork(before=remember_parent, after_in_child=tie)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so as to end them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
