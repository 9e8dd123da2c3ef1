"""How many cores a process may use, by limits that are made up."""

import os

import pytest

from stashsense.cores import count_usable_cores


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A machine of eight cores whose control groups are written here."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))

    class Groups:
        root = tmp_path / "cgroup"
        own = tmp_path / "own"

        def write(self, path, **files):
            folder = self.root / path
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")

        def cores(self):
            return count_usable_cores(cgroup_root=self.root, own_cgroups=self.own)

    return Groups()


def test_without_groups_the_cores_it_may_run_on_count(groups):
    assert groups.cores() == 8


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("20000 100000", 1),
        ("1600000 100000", 8),
        ("nonsense", 8),
        ("5 0", 8),
    ],
)
def test_a_share_of_time_counts_in_whole_cores(groups, limit, cores):
    groups.own.write_text("0::/\n")
    groups.write("", cpu_max=limit)

    assert groups.cores() == cores


def test_the_tightest_of_nested_shares_counts(groups):
    groups.own.write_text("0::/service/web\n")
    groups.write("service", cpu_max="300000 100000")
    groups.write("service/web", cpu_max="max 100000")

    assert groups.cores() == 3


@pytest.mark.parametrize(("quota", "cores"), [(400000, 4), (-1, 8)])
def test_shares_of_the_older_kind_are_seen(groups, quota, cores):
    groups.own.write_text("4:cpu,cpuacct:/docker/abc\n0::/\n")
    groups.write("cpu", cpu_cfs_quota_us=quota, cpu_cfs_period_us=100000)

    assert groups.cores() == cores
