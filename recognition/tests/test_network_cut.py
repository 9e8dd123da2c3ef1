"""Identification starts and answers without a network: nobody fetches unasked."""

import base64
import functools
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

import recognition
from demo.install import install_networks
from stashsense.tests import databases
from stashsense.tests.test_serve import command, environment, free_port, until

PROJECT_DIR = Path(recognition.__file__).resolve().parent.parent
LIMIT_SECONDS = 120

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
    """Return what starts a command in a namespace that has no network, if allowed."""
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
        # It asks the release feed once a day, unless somebody says that it must not.
        [
            *["shell", "--verbosity=0", "-c"],
            "from dbupdates.models import UpdatePolicy as P;"
            "P.objects.update_or_create(pk=1, defaults={'is_checking': False})",
        ],
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


@pytest.mark.service
def test_a_service_that_starts_and_identifies_asks_nobody(
    service_dir, small_world, tmp_path
):
    picture = next(p for p in small_world.known_pictures(12) if len(p.answers) == 1)
    # Python runs it at every start, so every process of the service is watched.
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    port, key = free_port(), "the-key-of-this-test"
    log_path = tmp_path / "service.log"
    options = ["--no-demo", "--host", "127.0.0.1", "--port", port]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command(*options, "--data-dir", service_dir),
            env=environment(STASH_SENSE_API_KEY=key, STASH_SENSE_DEVICE="cpu")
            | databases.environment(service_dir)
            | {"PYTHONPATH": f"{tmp_path / 'guard'}{os.pathsep}{PROJECT_DIR}"},
            stdout=log,
            stderr=log,
        )
    try:
        until(
            lambda: answered(port, "/health", key).get("database_loaded"),
            within=LIMIT_SECONDS,
        )
        encoded = base64.b64encode(picture.jpeg).decode()
        found = answered(port, "/identify", key, {"image_base64": encoded})
        until(lambda: schedules_run(service_dir), within=LIMIT_SECONDS)
    finally:
        process.terminate()
        process.wait()

    assert picture.answers[0].universal_id in json.dumps(found)
    assert "NETWORK" not in log_path.read_text()


def schedules_run(data_dir):
    """Return whether the background has run what was due at the start."""
    due = "SELECT count(*) FROM django_q_schedule WHERE task IS NULL"
    waiting = "SELECT count(*) FROM django_q_ormq"
    counts = [databases.rows(data_dir, query) for query in (due, waiting)]
    return counts == [[(0,)], [(0,)]]


def answered(port, path, key, body=None):
    """Return what the service answers; nothing while it is not there."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"X-Api-Key": key, "Content-Type": "application/json"},
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
