"""Taking the network from a thread and from all threads that it starts.

MediaPipe reports its use to Google (play.googleapis.com) from 0.10.35 on, when a task
is opened and closed; there is no option against it (google-ai-edge/mediapipe#6291).
The kernel refuses instead: a seccomp filter belongs to a thread, is inherited by those
it starts, needs no privilege and cannot be taken off again. Linux only.
"""

import ctypes
import os
import platform
import sys

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_REFUSE_EACCES = 0x0005_0000 | 13
_ALLOW = 0x7FFF_0000

# Classic BPF on struct seccomp_data: the call's number, then the architecture.
_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_RETURN = 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4

# What the kernel calls each machine, and the number of socket(2) there.
_MACHINES = {"x86_64": (0xC000_003E, 41), "aarch64": (0xC000_00B7, 198)}
# It can open sockets without the call, and has this number everywhere.
_IO_URING_SETUP = 425


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_uint16),
        ("instructions", ctypes.POINTER(_Instruction)),
    )


def cut_network_of_this_thread() -> None:
    """Have every socket refused to this thread and to those it starts, for good.

    Raises OSError, and nothing has changed, where the system has no way to do so.
    """
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        raise OSError(
            f"{sys.platform} on {platform.machine()} cannot take the network from a"
            " thread"
        )
    program = _program_refusing_sockets(*machine)
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    _prctl(
        libc,
        _PR_SET_SECCOMP,
        ctypes.c_ulong(_SECCOMP_MODE_FILTER),
        ctypes.byref(program),
    )


def _program_refusing_sockets(architecture: int, socket_call: int) -> _Program:
    instructions = (
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, 3, architecture),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_EQUAL, 2, 0, socket_call),
        (_JUMP_IF_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE_EACCES),
    )
    array = (_Instruction * len(instructions))(
        *(_Instruction(*values) for values in instructions)
    )
    return _Program(len(instructions), array)


def _prctl(libc: ctypes.CDLL, option: int, *arguments: object) -> None:
    padding = [ctypes.c_ulong(0)] * (4 - len(arguments))
    if libc.prctl(ctypes.c_int(option), *arguments, *padding) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}) failed: {os.strerror(error)}")
