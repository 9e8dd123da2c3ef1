"""Imports as people run them: processes that meet, and processes that are killed."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import dbupdates
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.conftest import names_in

PROJECT_DIR = Path(dbupdates.__file__).resolve().parent.parent
LIMIT_SECONDS = 120


@pytest.fixture
def service_dir(tmp_path):
    """Return a data folder whose database is migrated."""
    folder = tmp_path / "data"
    folder.mkdir()
    assert manage(folder, "migrate", "--verbosity=0").wait(LIMIT_SECONDS) == 0
    return folder


def manage(data_dir, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=PROJECT_DIR,
        env=os.environ
        | {
            "DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    output, _ = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, output


def rows(data_dir):
    connection = sqlite3.connect(data_dir / "stash_sense.db")
    found = connection.execute("SELECT version, status FROM dbupdates_databaserelease")
    versions = found.fetchall()
    connection.close()
    return versions


def assert_installed(data_dir):
    assert rows(data_dir) == [("2026.02.18", "staged")]
    assert names_in(data_dir / "releases") == ["2026.02.18"]
    assert names_in(data_dir / "staging") == []
    status, output = ended(manage(data_dir, "verify_release", "2026.02.18"))
    assert (status, output.splitlines()[-1]) == (0, "Release 2026.02.18 is intact.")


def test_imports_that_meet_install_the_release_once(service_dir, tmp_path):
    path = ReleaseBuilder().write_zip(tmp_path)

    together = [manage(service_dir, "import_release", path) for _ in range(3)]
    endings = [ended(process) for process in together]

    for status, output in endings:
        assert (status == 0) or "another import or update is in progress" in output
        assert "Traceback" not in output
    assert 0 in [status for status, _ in endings]
    assert_installed(service_dir)


def test_an_import_that_is_killed_leaves_nothing_the_next_one_minds(
    service_dir, tmp_path
):
    path = ReleaseBuilder().write_zip(tmp_path)
    process = manage(service_dir, "import_release", path)
    assert process.stdout is not None
    # Everything is unpacked by then and the trial load has begun.
    assert any(line.startswith("Verifying") for line in process.stdout)

    process.kill()
    ended(process)

    assert rows(service_dir) == []
    assert names_in(service_dir / "releases") == []
    assert len(names_in(service_dir / "staging")) == 1
    status, _ = ended(manage(service_dir, "import_release", path))
    assert status == 0
    assert_installed(service_dir)
