"""The container's entry: whose the data folder becomes, and who runs the service."""

import os
import subprocess
import sys

import pytest

from stashsense import container
from stashsense.data_folder import ROOT

IS_ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not IS_ROOT, reason="only root may change users")
# Of nobody on this machine, which is all the same to the kernel.
USER, GROUP = 54321, 54322
# By a shell that everybody may run, as this Python perhaps may not.
BECOME = f"""
import os
from stashsense import container
container.become({USER}, {GROUP})
os.execv("/bin/sh", ["sh", "-c", "cat /proc/self/status"])
"""


def enter(folder, *arguments, **variables):
    """Run the entry with these variables; return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "stashsense.container", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def owners(folder):
    return {
        (path.lstat().st_uid, path.lstat().st_gid)
        for path in (folder, *folder.rglob("*"))
    }


@pytest.fixture
def folder(tmp_path):
    """A data folder of root's, as Docker makes it, with something in it."""
    (tmp_path / "data" / "releases" / "1").mkdir(parents=True)
    (tmp_path / "data" / "releases" / "1" / "manifest.json").touch()
    (tmp_path / "outside").touch()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "outside")
    return tmp_path / "data"


@root_only
def test_a_folder_of_somebody_else_is_taken_over_and_what_links_lead_to_is_not(folder):
    container.take_over(folder, USER, GROUP)

    assert owners(folder) == {(USER, GROUP)}
    assert (folder.parent / "outside").stat().st_uid == 0


@root_only
def test_a_folder_that_is_theirs_is_not_gone_through_again(folder):
    os.chown(folder, USER, GROUP)

    container.take_over(folder, USER, GROUP)

    assert (folder / "releases").stat().st_uid == 0


def test_a_folder_that_is_not_there_is_told_and_left_to_the_service(tmp_path, capsys):
    container.take_over(tmp_path / "none", USER, GROUP)

    assert "could not be given to PUID 54321" in capsys.readouterr().err


@root_only
def test_root_is_let_go_of_for_good():
    answer = subprocess.run(
        [sys.executable, "-c", BECOME], cwd=ROOT, capture_output=True, text=True
    )

    status = dict(line.split(":\t") for line in answer.stdout.splitlines())
    assert status["Uid"].split() == [str(USER)] * 4, answer.stderr
    assert status["Gid"].split() == [str(GROUP)] * 4
    assert status["Groups"].split() == [str(GROUP)]
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0


@root_only
@pytest.mark.parametrize("value", ["nobody", "-1", "1.5", "4294967295", "٣"])
def test_a_user_that_is_no_number_is_told_in_a_line(folder, value):
    answer = enter(folder, PUID=value)

    assert answer.returncode == 1
    assert answer.stderr == f"PUID must be a number of a user or group: {value!r}\n"
    assert owners(folder) == {(0, 0)}


@pytest.mark.parametrize(
    ("arguments", "begin"), [(["--version"], ""), (["manage", "--version"], "5.2.")]
)
def test_the_service_and_its_commands_are_reached(folder, arguments, begin):
    # 0 is for engines whose root is the one who started them.
    answer = enter(folder, *arguments, PUID="0", PGID="0")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(begin)
    assert owners(folder) == {(os.geteuid(), os.getegid())}
