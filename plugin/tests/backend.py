"""Starting the backend as Stash does: a process, one document in, one out."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLUGIN_DIR = Path(__file__).resolve().parent.parent
BACKEND = PLUGIN_DIR / "stash_sense_backend.py"
# Beyond the 20 s that a call may take: a busy machine is no fault of it.
LIMIT_SECONDS = 60


def environment():
    """Return the surroundings Stash may have: of ours nothing, and C for a locale."""
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "PYTHONWARNINGS": "error",
        # What is not to be used.
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }


@dataclass
class Ended:
    """What came of a call."""

    answer: dict[str, Any]
    stdout: bytes
    stderr: str
    seconds: float
    logged: list[tuple[str, str]] = field(default_factory=list)

    @property
    def output(self):
        return self.answer["output"]


def start(written, *, backend=BACKEND, cwd=None):
    """Start the backend with this on its stdin, which is closed then."""
    process = subprocess.Popen(
        [sys.executable, str(backend)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=cwd or "/",
    )
    assert process.stdin is not None
    process.stdin.write(written)
    process.stdin.close()
    process.stdin = None
    return process


def run(written, **how):
    """Return what the backend answers to these bytes; its stdout is one document."""
    begun_at = time.monotonic()
    process = start(written, **how)
    stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, stderr
    answer = json.loads(stdout)
    assert set(answer) in ({"output"}, {"error"})
    told = stderr.decode("ascii")
    lines = told.splitlines()
    # Each is one of Stash's own kinds of lines.
    assert all(line[0] == "\x01" and line[2] == "\x02" for line in lines), told
    logged = [(line[1], line[3:]) for line in lines]
    return Ended(answer, stdout, told, time.monotonic() - begun_at, logged)


class Backend:
    """The backend of one Stash."""

    def __init__(self, stash):
        self.stash = stash

    def document(self, mode, **arguments):
        return {
            "server_connection": self.stash.plugin_connection(),
            "args": {"mode": mode, **arguments},
        }

    def run(self, mode, **arguments):
        return run(json.dumps(self.document(mode, **arguments)).encode())

    def call(self, mode, **arguments):
        """Return the output, as the UI gets it."""
        return self.run(mode, **arguments).output

    def start(self, mode, **arguments):
        """Return the process of a task."""
        return start(json.dumps(self.document(mode, **arguments)).encode())

    def set(self, **settings):
        """Store settings of the plugin in Stash."""
        stored = self.stash.library.plugin_settings
        stored["stash-sense"] = {**stored.get("stash-sense", {}), **settings}
