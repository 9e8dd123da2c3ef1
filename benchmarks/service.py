"""The real service on a data folder: started as `supervisord.conf` starts it, ended."""

import base64
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil

from benchmarks.data_folder import ROOT, service_environment
from stashsense.processes import end_with_parent

HOST = "127.0.0.1"
READY_SECONDS = 120
# A scene takes a quarter of a minute on two idle cores.
SCENE_SECONDS = 600
STOP_SECONDS = 15
_POLL_SECONDS = 0.02

# As supervisord.conf sets it.
ALLOCATOR_SETTINGS = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

# Random embeddings are no nearer than 0.65: what is further off shall count as well,
# so that there are five matches to look up and to write for each face.
_IDENTIFY_OPTIONS = {"top_k": 5, "max_distance": 2.0}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer and how long it took, from connecting to its last byte."""

    status: int
    content: Any
    headers: dict[str, str]
    seconds: float


class Client:
    """One caller, who opens a connection for each question, as Stash's plugins do."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        }

    def identify(self, body: bytes) -> Answer:
        """Ask who is in a picture; `body` is from `identify_body`."""
        return self._ask("POST", "/identify", body)

    def identify_scene(self, body: bytes) -> Answer:
        """Ask who is in a scene; `body` is from `identify_scene_body`."""
        return self._ask("POST", "/identify/scene", body, timeout=SCENE_SECONDS)

    def health(self) -> Answer:
        """Ask how the service is."""
        return self._ask("GET", "/health")

    def _ask(
        self, method: str, path: str, body: bytes | None = None, *, timeout: float = 60
    ) -> Answer:
        started = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, self._port, timeout=timeout)
        with closing(connection):
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            content = response.read()
        seconds = time.perf_counter() - started
        headers = dict(response.getheaders())
        return Answer(response.status, json.loads(content), headers, seconds)


@dataclass(frozen=True)
class Service:
    """A running gunicorn with one worker."""

    process: "subprocess.Popen[bytes]"
    port: int
    key: str
    started_at: float

    def client(self) -> Client:
        """Return a new caller."""
        return Client(self.port, self.key)

    def worker_pid(self) -> int:
        """Return the process that holds the indices."""
        (worker,) = psutil.Process(self.process.pid).children()
        return worker.pid

    def wait_until(self, key: str, *, poll_seconds: float = _POLL_SECONDS) -> float:
        """Return the seconds from the start until /health says `key` with a yes.

        `status` is always a yes: it stands for any answer at all.
        """
        while (passed := time.perf_counter() - self.started_at) < READY_SECONDS:
            if self.process.poll() is not None:
                raise RuntimeError("gunicorn ended")
            with suppress(OSError, http.client.HTTPException):
                answer = self.client().health()
                if answer.status == HTTPStatus.OK and answer.content[key]:
                    return time.perf_counter() - self.started_at
            time.sleep(poll_seconds)
        raise TimeoutError(f"/health did not say {key} within {passed:.0f} s")


def identify_body(picture: bytes) -> bytes:
    """Return the body of a POST /identify."""
    encoded = base64.b64encode(picture).decode()
    return json.dumps({"image_base64": encoded, **_IDENTIFY_OPTIONS}).encode()


def identify_scene_body(scene_id: str, *, num_frames: int) -> bytes:
    """Return the body of a POST /identify/scene; the frames come from the video."""
    wanted = {"scene_id": scene_id, "num_frames": num_frames, "source": "stream"}
    return json.dumps({**wanted, **_IDENTIFY_OPTIONS}).encode()


@contextmanager
def running_service(data_dir: Path, **environment: str) -> Iterator[Service]:
    """Yield the service as it starts; its log is shown when something went wrong."""
    port, key = free_port(), secrets.token_urlsafe()
    settings = {
        "PORT": str(port),
        "STASH_SENSE_HOST": HOST,
        "STASH_SENSE_API_KEY": key,
        "WEB_WORKERS": "1",
        **ALLOCATOR_SETTINGS,
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    with tempfile.TemporaryFile() as log:
        started_at = time.perf_counter()
        process = subprocess.Popen(
            [*command, "stashsense.wsgi"],
            cwd=ROOT,
            env={**service_environment(data_dir), **settings},
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            yield Service(process, port, key, started_at)
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End gunicorn in order, or else it and its worker by force."""
    family = [process.pid, *(c.pid for c in psutil.Process(process.pid).children())]
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in family:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        process.wait()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
