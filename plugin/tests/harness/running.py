"""Starts a plugin's backend as Stash does: JSON in, JSON out, progress on stderr.

There is no time-out, as there is none in Stash; a process ends by itself, or is killed.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from plugin.tests.harness.manifests import Plugin
from stashsense.processes import end_with_parent

OnProgress = Callable[[float], None]
OnLog = Callable[[str, str], None]

_PREFIX = re.compile(r"^\x01(.)\x02")
_LEVELS = {
    "t": "trace", "d": "debug", "i": "info", "w": "warning", "e": "error",
}  # fmt: skip
_LOOK_SECONDS = 0.05


class PluginFailed(Exception):
    """The backend said so, or ended with a status that is not 0."""


class OperationCancelled(PluginFailed):
    """It was killed: whoever asked is gone, or somebody stopped it."""


@dataclass(frozen=True)
class Connection:
    """Where the backend finds Stash, and the session it may use."""

    port: int
    session: str
    config_dir: Path

    def as_input(self, plugin: Plugin) -> dict[str, Any]:
        return {
            "Scheme": "http",
            # The address that Stash listens on, which is none to connect to.
            "Host": "0.0.0.0",
            "Port": self.port,
            "SessionCookie": {
                "Name": "session",
                "Value": self.session,
                "Path": "/",
                "Domain": "",
                "Expires": "0001-01-01T00:00:00Z",
                "MaxAge": 0,
                "Secure": False,
                "HttpOnly": True,
                "SameSite": 0,
            },
            "Dir": str(self.config_dir),
            "PluginDir": str(plugin.folder),
        }


def run_backend(
    plugin: Plugin,
    args: Mapping[str, Any],
    connection: Connection,
    *,
    exec_args: Sequence[str] = (),
    is_cancelled: Callable[[], bool],
    on_progress: OnProgress,
    on_log: OnLog,
) -> Any:
    """Return the backend's output; PluginFailed with its error."""
    given = {"server_connection": connection.as_input(plugin), "args": dict(args)}
    process = subprocess.Popen(
        [*_command(plugin), *exec_args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(plugin),
        preexec_fn=end_with_parent,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[bytes] = []
    threads = [
        threading.Thread(target=_feed, args=[process.stdin, json.dumps(given)]),
        threading.Thread(target=_drain, args=[process.stdout, said]),
        threading.Thread(target=_listen, args=[process.stderr, on_progress, on_log]),
    ]
    for thread in threads:
        thread.start()
    was_cancelled = _wait(process, is_cancelled)
    for thread in threads:
        thread.join()
    if was_cancelled:
        raise OperationCancelled("operation cancelled")
    return _output(b"".join(said), process.returncode)


def _command(plugin: Plugin) -> list[str]:
    first, *rest = plugin.manifest["exec"]
    if first in ("python", "python3"):
        # As where Stash is told which Python to use; that of PATH may be a wrapper.
        first = sys.executable
    return [first, *(each.replace("{pluginDir}", str(plugin.folder)) for each in rest)]


def _environment(plugin: Plugin) -> dict[str, str]:
    """Return what a container with Stash has: nothing of this project's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STASH_", "DJANGO_", "DATA_DIR", "PYTHON", "PYTEST"))
    }
    return kept | {"PYTHONPATH": str(plugin.folder.parent)}


def _feed(stdin: IO[bytes], text: str) -> None:
    # Whoever ends without reading it may.
    try:
        with stdin:
            stdin.write(text.encode())
    except BrokenPipeError:
        return


def _drain(stdout: IO[bytes], said: list[bytes]) -> None:
    with stdout:
        said.append(stdout.read())


def _listen(stderr: IO[bytes], on_progress: OnProgress, on_log: OnLog) -> None:
    with stderr:
        for raw in stderr:
            line = raw.decode(errors="replace").rstrip("\n")
            found = _PREFIX.match(line)
            text = line[found.end() :] if found else line
            level = found[1] if found else "e"
            if level == "p":
                on_progress(float(text))
            else:
                on_log(_LEVELS.get(level, "error"), text)


def _wait(process: "subprocess.Popen[bytes]", is_cancelled: Callable[[], bool]) -> bool:
    """Return whether it was killed before it ended by itself."""
    while True:
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if is_cancelled():
                # That one process and none that it started, as Stash does it.
                process.kill()
                process.wait()
                return True
        else:
            return False


def _output(said: bytes, status: int) -> Any:
    text = said.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {"output": text}
    if not isinstance(answer, dict):
        answer = {"output": text}
    error = answer.get("error")
    if error is None and status != 0:
        error = f"exit status {status}"
    if error is not None:
        raise PluginFailed(str(error))
    return answer.get("output")
