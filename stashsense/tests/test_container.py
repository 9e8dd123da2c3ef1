"""The container's entry: whose the data folder becomes, and who runs the service."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import psutil
import pytest

from demo.install import install_networks
from demo.release import build_release
from demo.release_simulator import ReleaseSimulator
from demo.world import World
from stashsense import container
from stashsense.data_folder import ROOT
from stashsense.tests.test_serve import (
    START_BOUND_SECONDS,
    STOP_BOUND_SECONDS,
    environment,
    free_port,
)
from stashsense.tests.waiting import wait_until

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
# In place of a folder that takes long, which would take long to make.
TAKE_OVER_FOR_LONG = """
import time
from stashsense import container
def take_over(*_):
    print("taking over", flush=True)
    time.sleep(600)
container.take_over = take_over
container.main([])
"""
# In place of the service: what it would find of signals.
ENTER_BUT = """
import sys
from stashsense import container
container.take_over = container.become = lambda *_: None
sys.executable = sys.argv[1]
container.main(sys.argv[2:])
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
    (tmp_path / "data" / "releases" / "link").symlink_to(tmp_path / "outside")
    return tmp_path / "data"


@root_only
def test_a_folder_of_somebody_else_is_taken_over_and_what_links_lead_to_is_not(folder):
    container.take_over(folder, USER, GROUP)

    assert owners(folder) == {(USER, GROUP)}
    assert (folder.parent / "outside").stat().st_uid == 0


@root_only
def test_what_root_put_into_a_folder_that_is_theirs_is_taken_over(folder):
    os.chown(folder, USER, GROUP)

    container.take_over(folder, USER, GROUP)

    assert owners(folder) == {(USER, GROUP)}
    assert (folder.parent / "outside").stat().st_uid == 0


@root_only
def test_a_folder_that_is_reached_by_a_link_is_taken_over(folder):
    (folder.parent / "by-link").symlink_to(folder)

    container.take_over(folder.parent / "by-link", USER, GROUP)

    assert owners(folder) == {(USER, GROUP)}


@root_only
def test_what_is_theirs_is_not_changed_again(folder):
    container.take_over(folder, USER, GROUP)
    before = (folder / "releases").stat().st_ctime_ns

    container.take_over(folder, USER, GROUP)

    assert (folder / "releases").stat().st_ctime_ns == before


@root_only
def test_what_cannot_be_given_does_not_keep_back_the_rest(folder, capsys, monkeypatch):
    refused = "manifest.json"
    give = os.chown

    def chown(name, *arguments, **options):
        if name == refused:
            raise PermissionError(1, "Operation not permitted", name)
        give(name, *arguments, **options)

    # What a share does, which needs another machine.
    monkeypatch.setattr(os, "chown", chown)
    for name in ("a", "z"):
        (folder / "releases" / "1" / name).touch()

    container.take_over(folder, USER, GROUP)

    left = [path.name for path in folder.rglob("*") if path.lstat().st_uid != USER]
    assert left == [refused]
    [line] = capsys.readouterr().err.splitlines()
    assert f"1 times it failed, first at {folder}/releases/1/{refused}" in line


@root_only
@pytest.mark.parametrize("name", ["report.odt", ".git", "manage.py"])
def test_a_folder_of_something_else_is_refused(folder, name):
    (folder / name).touch()

    answer = enter(folder)

    assert answer.returncode == 1
    [line] = answer.stderr.splitlines()
    assert line.startswith(f"{folder} holds {name!r} and nothing of Stash Sense's")
    assert owners(folder) == {(0, 0)}


@root_only
@pytest.mark.parametrize(
    "sign", ["stash_sense.db", "serve.lock", "face_facenet.voy", "predecessor.db"]
)
def test_whatever_else_lies_in_a_folder_of_ours_comes_along(folder, sign):
    (folder / "note.txt").touch()
    (folder / sign).touch()

    container.take_over(folder, USER, GROUP)

    assert owners(folder) == {(USER, GROUP)}


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
def test_a_stop_while_a_folder_is_taken_over_ends_it_at_once_as_first_process():
    first = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*first, "true"], capture_output=True).returncode:
        pytest.skip("namespaces are not allowed here")
    with subprocess.Popen(
        [*first, sys.executable, "-c", TAKE_OVER_FOR_LONG],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as outside:
        try:
            assert outside.stdout is not None
            assert outside.stdout.readline() == "taking over\n"
            [entry] = psutil.Process(outside.pid).children()

            entry.send_signal(signal.SIGTERM)
            status = outside.wait(STOP_BOUND_SECONDS)
        finally:
            outside.kill()

    assert status == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "is_blocked"), [([], True), (["manage", "prepare"], False)]
)
def test_a_stop_between_the_entry_and_the_service_is_kept_for_that_one(
    tmp_path, arguments, is_blocked
):
    # No shell, which would let signals in.
    (tmp_path / "python").write_text(
        f"#!{sys.executable}\nprint(open('/proc/self/status').read())\n"
    )
    (tmp_path / "python").chmod(0o755)

    answer = subprocess.run(
        [sys.executable, "-c", ENTER_BUT, tmp_path / "python", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    status = dict(line.split(":\t") for line in answer.stdout.strip().splitlines())
    bit = 1 << signal.SIGTERM - 1
    assert bool(int(status["SigBlk"], 16) & bit) is is_blocked
    assert not (int(status["SigCgt"], 16) | int(status["SigIgn"], 16)) & bit


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

    assert (answer.returncode, answer.stderr) == (0, container.AS_ROOT * IS_ROOT)
    assert answer.stdout.startswith(begin)
    assert owners(folder) == {(os.geteuid(), os.getegid())}


NEW = "2026.03.01"
# A few seconds for what a test watches, and hours for all of it.
SLOW_BYTES_PER_SECOND = 2_000


class Entered:
    """The service, begun by the container's entry in a folder of this user's."""

    def __init__(self, folder, feed_url):
        self.data_dir, self.port = folder / "data", free_port()
        install_networks(self.data_dir / "models")
        self.log_path = folder / "container.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stashsense.container", "--no-demo"],
                cwd=ROOT,
                env=environment(
                    DATA_DIR=str(self.data_dir),
                    PORT=str(self.port),
                    PUID=str(os.geteuid()),
                    PGID=str(os.getegid()),
                    STASH_SENSE_API_KEY="key-of-this-test",
                    STASH_SENSE_RELEASE_FEED=feed_url,
                ),
                stdout=log,
                stderr=log,
            )

    def ask(self, path, body=None):
        """Return what the API answers; nothing while nobody does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"X-Api-Key": "key-of-this-test"}
            | ({"Content-Type": "application/json"} if body is not None else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def tree(self):
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def latest_run(self):
        """Return phase and reason of the latest run, from the database's file."""
        path = f"file:{self.data_dir / 'stash_sense.db'}?mode=ro"
        query = "SELECT phase, error_code FROM dbupdates_updaterun ORDER BY id DESC"
        with closing(sqlite3.connect(path, uri=True, timeout=20)) as rows:
            return rows.execute(query).fetchone()


@pytest.fixture
def updating(tmp_path):
    """A container whose service is downloading a release, slowly."""
    release = build_release(World(31, 6), version=NEW, out_dir=tmp_path / "built")
    with ReleaseSimulator() as simulator:
        simulator.publish(NEW, release.archive)
        simulator.faults.bytes_per_second = SLOW_BYTES_PER_SECOND
        entered = Entered(tmp_path, simulator.feed_url)
        try:
            wait_until(lambda: entered.ask("/health"), within=START_BOUND_SECONDS)
            entered.ask("/database/update", {"version": NEW})
            wait_until(
                lambda: entered.ask("/database/update/status").get("done_bytes"),
                within=START_BOUND_SECONDS,
            )
            yield entered
        finally:
            left = entered.tree() if entered.process.poll() is None else []
            for process in left:
                process.kill()
            entered.process.wait()


@pytest.mark.service
def test_it_ends_within_ten_seconds_of_a_stop_while_an_update_runs(updating):
    tree = updating.tree()
    assert updating.latest_run()[0] == "downloading"
    began_at = time.monotonic()

    updating.process.send_signal(signal.SIGTERM)
    status = updating.process.wait(2 * STOP_BOUND_SECONDS)
    seconds = time.monotonic() - began_at

    assert seconds < STOP_BOUND_SECONDS
    assert status == 0
    assert [process for process in tree if process.is_running()] == []
    assert "Traceback" not in updating.log_path.read_text()
    # Nothing of it is served, and what was fetched is there to go on from.
    assert not (updating.data_dir / "releases" / NEW).exists()
    assert [*(updating.data_dir / "staging").rglob("*")] != []
