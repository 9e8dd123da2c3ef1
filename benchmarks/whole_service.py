"""All processes of the service, started as `scripts/serve` starts them, and its rows.

Rows are read from the database file itself: what a benchmark believes must not pass
through the code it is about.
"""

import http.client
import json
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.data_folder import DATABASE_NAME, ROOT, service_environment
from benchmarks.service import HOST, free_port
from stashsense.files import sha256_of

START_SECONDS = 90.0
POLL_SECONDS = 0.05


class WholeService:
    """The service on a data folder, which can be asked, hurt and started again."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.key = secrets.token_urlsafe()
        self._environment = {"STASH_SENSE_API_KEY": self.key, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all processes; returns when /health answers."""
        with (self.data_dir.parent / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *[sys.executable, "-P", "-m", "stashsense.serve", "--no-demo"],
                    *["--host", HOST, "--port", str(self.port)],
                    *["--data-dir", str(self.data_dir)],
                ],
                cwd=ROOT,
                env=service_environment(self.data_dir) | self._environment,
                stdout=log,
                stderr=log,
            )
        self.wait_until(self.is_healthy, "the service to answer")

    def stop(self) -> float:
        """End it in order; return the seconds that took."""
        assert self._process is not None
        started = time.monotonic()
        self._process.terminate()
        self._process.wait()
        return time.monotonic() - started

    def kill(self) -> None:
        """End it by SIGKILL, and wait until all of it is gone."""
        assert self._process is not None
        family = self.processes()
        self._process.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=START_SECONDS)

    def processes(self) -> list[psutil.Process]:
        """Return every process of the service, the first one first."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]

    def programs(self) -> tuple[psutil.Process, psutil.Process]:
        """Return gunicorn and the cluster, as supervisord started them."""
        supervisor = next(
            process
            for process in self.processes()
            if "stashsense.supervisor" in _words(process)
        )
        children = supervisor.children()
        web = next(child for child in children if "gunicorn" in _words(child))
        return web, next(child for child in children if child != web)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and content of an answer of the API."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        headers = {"X-Api-Key": self.key, "Content-Type": "application/json"}
        with closing(connection):
            content = json.dumps(body) if body is not None else None
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def is_healthy(self) -> bool:
        """Return whether /health answers."""
        return _holds(lambda: self.ask("GET", "/health")[0] == 200)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Look often until the condition holds; TimeoutError if it never does.

        A connection that fails while it is looked is a condition that does not hold.
        """
        until = time.monotonic() + START_SECONDS
        while not _holds(condition):
            if time.monotonic() > until:
                raise TimeoutError(f"waited in vain for {what}")
            time.sleep(POLL_SECONDS)

    # What there is, by the rows and the disk

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return what a query of the service's database answers."""
        path = self.data_dir / DATABASE_NAME
        with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def change_rows(self, *statements: str) -> None:
        """Execute statements in one transaction; links of rows are not looked at."""
        path = self.data_dir / DATABASE_NAME
        with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def problems(self) -> list[str]:
        """Return what is wrong with the releases and their files; empty if nothing."""
        found = []
        releases = self.rows(
            "SELECT id, version, status FROM dbupdates_databaserelease"
        )
        active = [version for _, version, status in releases if status == "active"]
        if len(active) != 1:
            found.append(f"active are {active}")
        installed = {
            version: pk
            for pk, version, status in releases
            if status in ("active", "retired", "staged")
        }
        folders = names_in(self.data_dir / "releases")
        if sorted(installed) != folders:
            found.append(f"rows {sorted(installed)}, folders {folders}")
        for version in active:
            found += self._damage(version, installed[version])
        served = self.ask("GET", "/health")[1]["release"]
        if [served] != active:
            found.append(f"served is {served}, active are {active}")
        staging = names_in(self.data_dir / "staging")
        resumable = [
            f"update-{job_id}"
            for (job_id,) in self.rows(
                "SELECT job_id FROM dbupdates_updaterun WHERE is_resumable"
            )
        ]
        if staging and staging != resumable:
            found.append(f"in staging are {staging}, to be resumed {resumable}")
        return found

    def _damage(self, version: str, pk: int) -> Iterator[str]:
        folder = self.data_dir / "releases" / version
        for name, expected in self.rows(
            "SELECT name, sha256 FROM dbupdates_releasefile WHERE release_id = ?", pk
        ):
            path = folder / name
            if not path.is_file() or sha256_of(path) != expected:
                yield f"{version}/{name} is damaged"


@contextmanager
def running(service: WholeService) -> Iterator[WholeService]:
    """Start the service and end it afterwards, whatever happened."""
    service.start()
    try:
        yield service
    finally:
        with suppress(psutil.NoSuchProcess):
            service.kill()


def manage(data_dir: Path, *arguments: str) -> None:
    """Run a command of the service on the data folder."""
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=service_environment(data_dir),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def names_in(folder: Path) -> list[str]:
    """Return what lies in the folder, sorted; nothing where there is none."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _holds(condition: Callable[[], bool]) -> bool:
    with suppress(OSError, http.client.HTTPException, ValueError):
        return condition()
    return False


def _words(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
