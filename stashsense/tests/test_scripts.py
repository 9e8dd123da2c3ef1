"""The scripts' own set-up: the Python they find and the environment they keep."""

import json
import os
import shutil
import subprocess

import pytest

from stashsense.data_folder import ROOT

BOUND_SECONDS = 120
TOOLS = ["dirname", "readlink"]

pytestmark = pytest.mark.service


@pytest.fixture
def path(tmp_path):
    """A PATH with what a shell script needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def add_python(folder, *, answer, says="", name="python3"):
    """Put a stand-in there that answers the probe with this exit status."""
    program = folder / name
    program.write_text(
        f'#!/bin/sh\ncase "$2" in *print*) echo "{says}" ;; *) exit {answer} ;; esac\n'
    )
    program.chmod(0o755)


def serve(path):
    answer = subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "serve"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    [line] = answer.stderr.splitlines()
    return line


def test_a_machine_without_python_is_told_in_a_line(path):
    assert "needs Python 3.11 to 3.14, and finds no Python" in serve(path)


def test_a_machine_with_an_old_python_is_told_in_a_line(path):
    add_python(path, answer=3, says="3.9.2")

    assert "needs Python 3.11 to 3.14, and finds only 3.9.2" in serve(path)


def test_a_python_without_venv_is_told_in_a_line(path):
    add_python(path, answer=4)

    assert "python3 lacks the venv module" in serve(path)


def test_a_stand_in_that_starts_nothing_is_passed_over(path):
    add_python(path, answer=127)
    add_python(path, answer=4, name="python3.12")

    assert "python3.12 lacks the venv module" in serve(path)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of no packages, set up once."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (root / lock).touch()
    assert set_up(root) == SET_UP
    return root


SET_UP = "Setting up .venv (1.5 GB, some minutes at first) ...\n"


def set_up(root, purpose="service"):
    """Run the set-up and a command in it; return what it said."""
    answer = subprocess.run(
        [
            *["python3", root / "scripts" / "environment.py", purpose],
            *["-c", "import sys; print(sys.prefix)"],
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=BOUND_SECONDS,
    )
    assert answer.stdout == f"{root / '.venv'}\n"
    return answer.stderr


def test_an_environment_that_is_current_is_left_alone(project):
    assert set_up(project) == ""


def test_the_tools_are_added_once_and_serve_the_service_too(project):
    assert "development tools" in set_up(project, "development")

    assert set_up(project, "development") == ""
    assert set_up(project) == ""


def forget_the_stamp(root):
    (root / ".venv" / "stash-sense.json").unlink()


def lose_the_interpreter(root):
    (root / ".venv" / "bin" / "python").unlink()


def change_the_interpreter(root):
    stamp = root / ".venv" / "stash-sense.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": "3.10.0"}))


def change_the_lock(root):
    with (root / "requirements.lock").open("a") as lock:
        lock.write("# another\n")


@pytest.mark.parametrize(
    "spoil",
    [forget_the_stamp, lose_the_interpreter, change_the_interpreter, change_the_lock],
)
def test_an_environment_that_is_not_current_is_made_anew(project, spoil):
    relic = project / ".venv" / "relic"
    relic.touch()
    spoil(project)

    assert set_up(project) == SET_UP

    assert not relic.exists()
    assert set_up(project) == ""


def test_an_environment_that_is_a_link_is_never_emptied(project, tmp_path):
    other = tmp_path / "project"
    shutil.copytree(project / "scripts", other / "scripts")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (other / lock).write_text("# a lock of its own\n")
    (other / ".venv").symlink_to(project / ".venv")

    with pytest.raises(subprocess.CalledProcessError) as refused:
        set_up(other)

    assert "is a link to another one" in refused.value.stderr
    assert set_up(project) == ""
