"""How many processor cores this process may use, in a container or out of one."""

import functools
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stashsense.cgroups import CGROUP_ROOT, OWN_CGROUPS, ControlGroup, iter_groups


@functools.cache
def usable_cores() -> int:
    """Return how many cores this process may keep busy, found out once."""
    return count_usable_cores()


def count_usable_cores(
    *, cgroup_root: Path = CGROUP_ROOT, own_cgroups: Path = OWN_CGROUPS
) -> int:
    """Return the least of the cores the process may run on and its shares of time.

    A share such as Docker's `--cpus 1.5` counts as two: threads beyond it would only
    wait for one another.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    groups = iter_groups("cpu", cgroup_root=cgroup_root, own_cgroups=own_cgroups)
    shares = (share for group in groups for share in _share_of(group))
    return min([cores, *(max(1, math.ceil(share)) for share in shares)])


def _share_of(group: ControlGroup) -> Iterator[float]:
    """Yield the cores whose whole time the group may take, if that is limited."""
    # "max" and -1 stand for no limit.
    with suppress(OSError, ValueError, ZeroDivisionError):
        if group.is_v2:
            quota, period = (group.folder / "cpu.max").read_text().split()
        else:
            quota = (group.folder / "cpu.cfs_quota_us").read_text()
            period = (group.folder / "cpu.cfs_period_us").read_text()
        if (share := int(quota) / int(period)) > 0:
            yield share
