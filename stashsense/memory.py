"""How much memory this process may still take, in a container or out of one."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available_memory_bytes(
    *, cgroup_root: Path = _CGROUP_ROOT, own_cgroups: Path = _OWN_CGROUPS
) -> int:
    """Return the bytes that can be taken without pushing anything out of memory.

    The least of what the machine has left and what each limit on this process's
    control groups leaves; cached files count as free, as the kernel gives them up.
    """
    available = int(psutil.virtual_memory().available)
    return min([available, *_left_by_limits(cgroup_root, own_cgroups)])


def _left_by_limits(cgroup_root: Path, own_cgroups: Path) -> Iterator[int]:
    with suppress(OSError):
        for line in own_cgroups.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                yield from _left_in_each(
                    cgroup_root,
                    path,
                    limit="memory.max",
                    used="memory.current",
                    cached="inactive_file",
                )
            elif "memory" in controllers.split(","):
                yield from _left_in_each(
                    cgroup_root / "memory",
                    path,
                    limit="memory.limit_in_bytes",
                    used="memory.usage_in_bytes",
                    cached="total_inactive_file",
                )


def _left_in_each(
    root: Path, path: str, *, limit: str, used: str, cached: str
) -> Iterator[int]:
    """Yield what the group at the path and each above it leave."""
    group = root / path.lstrip("/")
    # In a container the path may be one of the host's, which is not there.
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            # "max", where there is no limit, is no number.
            with suppress(OSError, ValueError, StopIteration):
                limit_bytes = int((folder / limit).read_text())
                used_bytes = int((folder / used).read_text())
                cached_bytes = next(
                    int(line.removeprefix(f"{cached} "))
                    for line in (folder / "memory.stat").read_text().splitlines()
                    if line.startswith(f"{cached} ")
                )
                yield max(limit_bytes - used_bytes + cached_bytes, 0)
