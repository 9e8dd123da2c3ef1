"""Imports as people run them: processes that meet, and processes that are killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dbupdates
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.conftest import names_in
from stashsense.files import sha256_of
from stashsense.tests import databases

PROJECT_DIR = Path(dbupdates.__file__).resolve().parent.parent
LIMIT_SECONDS = 120


@pytest.fixture(scope="module")
def migrated_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrated")
    assert ended(manage(folder, "migrate", "--verbosity=0")) == (0, "")
    return folder


@pytest.fixture
def service_dir(migrated_dir, tmp_path):
    """Return a data folder whose database is migrated."""
    return databases.copied(migrated_dir, tmp_path / "data")


def manage(data_dir, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=PROJECT_DIR,
        env=os.environ
        | databases.environment(data_dir)
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


def releases(data_dir):
    return databases.rows(
        data_dir, "SELECT version, status FROM dbupdates_databaserelease"
    )


def assert_installed(data_dir):
    assert releases(data_dir) == [("2026.02.18", "staged")]
    assert names_in(data_dir / "staging") == []
    assert names_in(data_dir / "releases") == ["2026.02.18"]
    folder = data_dir / "releases" / "2026.02.18"
    files = databases.rows(data_dir, "SELECT name, sha256 FROM dbupdates_releasefile")
    assert len(files) == 9
    for name, sha256 in files:
        assert sha256_of(folder / name) == sha256


def test_imports_that_meet_install_the_release_once(service_dir, tmp_path):
    path = ReleaseBuilder().write_zip(tmp_path)

    together = [manage(service_dir, "import_release", path) for _ in range(2)]
    endings = [ended(process) for process in together]

    for status, output in endings:
        assert (status == 0) or "in progress" in output
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

    assert releases(service_dir) == []
    assert names_in(service_dir / "releases") == []
    # Of the release that was unpacked, and of the run.
    assert len(names_in(service_dir / "staging")) == 2
    status, _ = ended(manage(service_dir, "import_release", path))
    assert status == 0
    assert_installed(service_dir)
