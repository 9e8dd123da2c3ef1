"""What a process may still take, by limits that are made up."""

import psutil
import pytest

from stashsense.memory import available_memory_bytes, total_memory_bytes

MB = 1_000_000


@pytest.fixture
def groups(tmp_path):
    """Return a way to write a control group, and one to ask what is left."""

    class Groups:
        root = tmp_path / "cgroup"
        own = tmp_path / "own"

        def write(self, path, names, *, limit, used, cached):
            folder = self.root / path
            folder.mkdir(parents=True, exist_ok=True)
            limit_name, used_name, cached_name = names
            (folder / limit_name).write_text(f"{limit}\n")
            (folder / used_name).write_text(f"{used}\n")
            (folder / "memory.stat").write_text(f"anon 7\n{cached_name} {cached}\n")

        def left(self):
            return available_memory_bytes(cgroup_root=self.root, own_cgroups=self.own)

        def total(self):
            return total_memory_bytes(cgroup_root=self.root, own_cgroups=self.own)

    return Groups()


V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def test_a_limit_leaves_what_is_not_used_and_what_is_only_cached(groups):
    groups.own.write_text("0::/\n")
    groups.write("", V2, limit=60 * MB, used=50 * MB, cached=20 * MB)

    assert groups.left() == 30 * MB


def test_the_tightest_of_nested_limits_counts(groups):
    groups.own.write_text("0::/service/web\n")
    groups.write("service", V2, limit=10 * MB, used=9 * MB, cached=0)
    groups.write("service/web", V2, limit="max", used=9 * MB, cached=0)

    assert groups.left() == 1 * MB


def test_limits_of_the_older_kind_are_seen(groups):
    groups.own.write_text("3:cpu:/x\n4:cpuacct,memory:/docker/abc\n0::/\n")
    groups.write("memory", V1, limit=10 * MB, used=4 * MB, cached=1 * MB)

    assert groups.left() == 7 * MB


def test_a_limit_that_is_exceeded_leaves_nothing(groups):
    groups.own.write_text("0::/\n")
    groups.write("", V2, limit=MB, used=2 * MB, cached=0)

    assert groups.left() == 0


def test_without_limits_the_machine_decides(groups, monkeypatch):
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: type("M", (), {"available": 17 * MB})
    )

    assert groups.left() == 17 * MB


def test_the_total_is_the_tightest_limit_or_the_machines_memory(groups):
    assert groups.total() == psutil.virtual_memory().total

    groups.own.write_text("0::/service/web\n")
    groups.write("service", V2, limit=10 * MB, used=9 * MB, cached=0)
    groups.write("service/web", V2, limit="max", used=9 * MB, cached=0)

    assert groups.total() == 10 * MB
