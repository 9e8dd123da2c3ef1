"""Identification starts and answers without a network: nobody fetches unasked."""

import base64
import functools
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import recognition
from demo.install import install_networks
from stashsense.tests import databases
from stashsense.tests import settings as given
from stashsense.tests.test_serve import command, environment, free_port
from stashsense.tests.waiting import wait_until

PROJECT_DIR = Path(recognition.__file__).resolve().parent.parent
LIMIT_SECONDS = 120
KEY = "the-key-of-this-test"

# Python's own report of every name that is resolved and every connection that is made,
# by whichever library. What is refused is written down first.
GUARD = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, str) or address[0] in ("127.0.0.1", "::1"):
            return
    elif event != "socket.getaddrinfo" or arguments[0] in ("localhost", "127.0.0.1"):
        return
    print("NETWORK", event, arguments, file=sys.stderr, flush=True)
    raise OSError("the network is cut")

sys.addaudithook(watch)
"""
GUARDED = f"""{GUARD}
import runpy
sys.argv = ["manage.py", *sys.argv[1:]]
runpy.run_path("manage.py", run_name="__main__")
"""


@functools.cache
def without_network():
    """Return what starts a command in a namespace that has no network, if allowed.

    A database that is asked by TCP would be out of reach there; the guard is left.
    """
    if given.POSTGRESQL_URL:
        return []
    command = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return command


def manage(data_dir, *arguments, prefix=(), script=None):
    interpreter = [sys.executable, "-c", script] if script else [sys.executable]
    return subprocess.run(
        [*prefix, *interpreter, *([] if script else ["manage.py"]), *arguments],
        cwd=PROJECT_DIR,
        env=os.environ
        | databases.environment(data_dir)
        | {
            "DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
            # Where InsightFace and others would keep what they fetch.
            "HOME": str(data_dir / "home"),
            "STASH_SENSE_DEVICE": "cpu",
        },
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


@pytest.fixture
def service_dir(small_world, tmp_path):
    data_dir = tmp_path / "data"
    (data_dir / "home").mkdir(parents=True)
    install_networks(data_dir / "models")
    folder = small_world.release.path
    archive_path = tmp_path / "release.zip"
    with zipfile.ZipFile(archive_path, "w") as archive:
        for path in folder.iterdir():
            if path.is_file():
                archive.write(path, path.name)
    for arguments in (
        ["migrate", "--verbosity=0"],
        ["import_release", "--activate", str(archive_path)],
    ):
        done = manage(data_dir, *arguments)
        assert done.returncode == 0, done.stderr
    return data_dir


def test_identification_neither_needs_nor_tries_the_network(
    service_dir, small_world, tmp_path
):
    picture = next(p for p in small_world.known_pictures(12) if len(p.answers) == 1)
    path = tmp_path / "picture.jpg"
    path.write_bytes(picture.jpeg)

    done = manage(
        service_dir,
        "identify",
        "--json",
        str(path),
        prefix=without_network(),
        script=GUARDED,
    )

    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr
    assert picture.answers[0].universal_id in json.dumps(json.loads(done.stdout))
    assert [*(service_dir / "home").rglob("*.onnx")] == []
    assert not (service_dir / "home" / ".insightface").exists()


@contextmanager
def watched_service(data_dir, folder):
    """Start the service with the default policy and feed; yield its port and log."""
    # Python runs it at every start, so every process of the service is watched.
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    port, log_path = free_port(), folder / "service.log"
    options = ["--no-demo", "--host", "127.0.0.1", "--port", port]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command(*options, "--data-dir", data_dir),
            env=environment(STASH_SENSE_API_KEY=KEY, STASH_SENSE_DEVICE="cpu")
            | databases.environment(data_dir)
            | {"PYTHONPATH": f"{folder / 'guard'}{os.pathsep}{PROJECT_DIR}"},
            stdout=log,
            stderr=log,
        )
    try:
        yield port, log_path
    finally:
        process.terminate()
        process.wait()


@pytest.mark.service
def test_a_service_that_starts_and_identifies_asks_nobody(
    service_dir, small_world, tmp_path
):
    picture = next(p for p in small_world.known_pictures(12) if len(p.answers) == 1)
    encoded = base64.b64encode(picture.jpeg).decode()

    with watched_service(service_dir, tmp_path) as (port, log_path):
        wait_until(
            lambda: answered(port, "/health").get("database_loaded"),
            within=LIMIT_SECONDS,
        )
        found = answered(port, "/identify", {"image_base64": encoded})
        wait_until(lambda: schedules_run(service_dir), within=LIMIT_SECONDS)

    assert picture.answers[0].universal_id in json.dumps(found)
    assert "NETWORK" not in log_path.read_text()
    assert feeds_asked(service_dir) == [(None,)]


@pytest.mark.service
def test_a_fresh_start_in_an_empty_folder_asks_nobody(tmp_path):
    data_dir = tmp_path / "data"

    with watched_service(data_dir, tmp_path) as (port, log_path):
        wait_until(lambda: answered(port, "/health"), within=LIMIT_SECONDS)
        wait_until(lambda: schedules_run(data_dir), within=LIMIT_SECONDS)

    assert "NETWORK" not in log_path.read_text()
    # The background has looked at the policy, which is to check, and has put it off.
    assert feeds_asked(data_dir) == [(None,)]


@pytest.mark.service
def test_a_check_that_fell_due_before_the_start_is_the_schedule_s(
    service_dir, tmp_path
):
    row = (
        "from dbupdates.published import get_to_know_feed as f; from datetime import *;"
        "feed = f(); feed.known_since -= timedelta(days=2); feed.save()"
    )
    done = manage(service_dir, "shell", "--verbosity=0", "-c", row)
    assert done.returncode == 0, done.stderr

    with watched_service(service_dir, tmp_path) as (_, log_path):
        wait_until(lambda: "NETWORK" in log_path.read_text(), within=LIMIT_SECONDS)

    # So the guard sees what the background asks.
    assert "api.github.com" in log_path.read_text()


def feeds_asked(data_dir):
    """Return of each feed that is known when it was asked."""
    return databases.rows(data_dir, "SELECT asked_at FROM dbupdates_releasefeed")


def schedules_run(data_dir):
    """Return whether the background has run what was due at the start."""
    due = "SELECT count(*) FROM django_q_schedule WHERE task IS NULL"
    done = "SELECT count(*) FROM django_q_task WHERE func LIKE '%follow_policy'"
    waiting = "SELECT count(*) FROM django_q_ormq"
    [(due,)], [(waiting,)] = (
        databases.rows(data_dir, due),
        databases.rows(data_dir, waiting),
    )
    [(done,)] = databases.rows(data_dir, done)
    return (due, waiting, done) == (0, 0, 1)


def answered(port, path, body=None):
    """Return what the service answers; nothing while it is not there."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"X-Api-Key": KEY, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
            return json.load(answer)
    except OSError:
        return {}


def test_the_guard_sees_an_attempt(service_dir):
    done = manage(
        service_dir,
        "shell",
        "-c",
        "import requests; requests.get('http://models.invalid/a.onnx')",
        script=GUARDED,
    )

    assert done.returncode != 0
    assert "NETWORK socket.getaddrinfo ('models.invalid'" in done.stderr
