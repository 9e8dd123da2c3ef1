"""Identification starts and answers without a network: nobody fetches unasked."""

import functools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import recognition
from demo.install import install_networks

PROJECT_DIR = Path(recognition.__file__).resolve().parent.parent
LIMIT_SECONDS = 120

# Python's own report of every name that is resolved and every connection that is made,
# by whichever library. What is refused is written down first.
GUARDED = """
import runpy, sys

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
    for command in (
        ["migrate", "--verbosity=0"],
        ["import_release", "--activate", str(archive_path)],
    ):
        done = manage(data_dir, *command)
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
