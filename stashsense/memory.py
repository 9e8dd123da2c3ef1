"""How much memory there is for this process, in a container or out of one."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from stashsense.cgroups import CGROUP_ROOT, OWN_CGROUPS, ControlGroup, iter_groups


def available_memory_bytes(
    *, cgroup_root: Path = CGROUP_ROOT, own_cgroups: Path = OWN_CGROUPS
) -> int:
    """Return the bytes that can be taken without pushing anything out of memory.

    The least of what the machine has left and what each limit on this process's
    control groups leaves; cached files count as free, as the kernel gives them up.
    """
    available = int(psutil.virtual_memory().available)
    groups = iter_groups("memory", cgroup_root=cgroup_root, own_cgroups=own_cgroups)
    return min([available, *(left for group in groups for left in _left_in(group))])


def total_memory_bytes(
    *, cgroup_root: Path = CGROUP_ROOT, own_cgroups: Path = OWN_CGROUPS
) -> int:
    """Return the machine's memory, or the tightest limit on this process below it."""
    total = int(psutil.virtual_memory().total)
    groups = iter_groups("memory", cgroup_root=cgroup_root, own_cgroups=own_cgroups)
    return min([total, *(limit for group in groups for limit in _limit_of(group))])


def _limit_of(group: ControlGroup) -> Iterator[int]:
    """Yield the group's limit, if it has one."""
    name = "memory.max" if group.is_v2 else "memory.limit_in_bytes"
    # "max", where there is no limit, is no number.
    with suppress(OSError, ValueError):
        yield int((group.folder / name).read_text())


def _left_in(group: ControlGroup) -> Iterator[int]:
    """Yield what the group's limit leaves, if it has one."""
    if group.is_v2:
        used, cached = "memory.current", "inactive_file"
    else:
        used, cached = "memory.usage_in_bytes", "total_inactive_file"
    for limit_bytes in _limit_of(group):
        with suppress(OSError, ValueError, StopIteration):
            used_bytes = int((group.folder / used).read_text())
            cached_bytes = next(
                int(line.removeprefix(f"{cached} "))
                for line in (group.folder / "memory.stat").read_text().splitlines()
                if line.startswith(f"{cached} ")
            )
            yield max(limit_bytes - used_bytes + cached_bytes, 0)
