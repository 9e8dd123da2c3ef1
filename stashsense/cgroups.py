"""Where the limits on this process are written: its control groups, of either kind."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class ControlGroup:
    """The folder of one group that limits this process; `is_v2` tells its files."""

    folder: Path
    is_v2: bool


def iter_groups(
    controller: str,
    *,
    cgroup_root: Path = CGROUP_ROOT,
    own_cgroups: Path = OWN_CGROUPS,
) -> Iterator[ControlGroup]:
    """Yield the groups of this process for a controller, such as `memory`.

    Each limits what those inside of it may take, so the tightest counts. None where
    there are no control groups; a folder may be missing, for in a container the path
    may be one of the host's.
    """
    with suppress(OSError):
        for line in own_cgroups.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                yield from _group_and_above(cgroup_root, path, is_v2=True)
            elif controller in controllers.split(","):
                yield from _group_and_above(cgroup_root / controller, path, is_v2=False)


def _group_and_above(root: Path, path: str, *, is_v2: bool) -> Iterator[ControlGroup]:
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            yield ControlGroup(folder, is_v2)
