"""Folders, the lock, and what is removed."""

import subprocess
import sys

import pytest

from dbupdates import store
from dbupdates.exceptions import UpdateInProgress
from dbupdates.services import import_release
from dbupdates.tests.conftest import names_in


@pytest.mark.parametrize("version", ["..", "", "2026.2.9", "v2026.02.18", "a/b", "x"])
def test_only_canonical_versions_have_a_place(data_dir, version):
    with pytest.raises(ValueError, match=r"is no version|canonical"):
        store.release_path(version)


def test_the_lock_ends_with_the_process_that_holds_it(data_dir):
    (data_dir / "staging").mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, os, sys\n"
            "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()",
            str(data_dir / "staging"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UpdateInProgress), store.exclusive():
            pass

        holder.kill()

    with store.exclusive():
        assert names_in(data_dir / "staging") == []


def test_a_removed_release_is_gone_and_leaves_nothing(world, builder, inbox):
    release = import_release(builder.write_zip(inbox))

    store.remove(release.version)

    assert not store.has_release(release.version)
    assert names_in(world.data_dir / "releases") == ["2026.01.01"]
    assert names_in(world.data_dir / "staging") == []


def test_a_staging_folder_is_gone_whatever_happens(data_dir):
    def fill_and_fail():
        with store.exclusive(), store.staging_folder() as folder:
            (folder / "faces.json").write_text("[]")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fill_and_fail()

    assert names_in(data_dir / "staging") == []
