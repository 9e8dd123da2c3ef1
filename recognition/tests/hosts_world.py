"""Hosts with data folders of their own on one PostgreSQL, as in compose.scale.yml."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile

import pytest

from demo.install import install_networks
from stashsense.data_folder import ROOT
from stashsense.tests import databases
from stashsense.tests import settings as given
from stashsense.tests.test_serve import Service, environment
from stashsense.tests.waiting import wait_until

KEY = "the-key-of-all-hosts"
# A host fetches, verifies and loads on a machine that others use, too.
PATIENCE_SECONDS = 180


needs_postgresql = pytest.mark.skipif(
    not given.POSTGRESQL_URL,
    reason="hosts share a PostgreSQL: scripts/test_postgresql starts one",
)


class Hosts:
    """The hosts of one installation; `start` one by its name."""

    def __init__(self, folder, **variables):
        self._folder = folder
        self._variables = {
            "STASH_SENSE_API_KEY": KEY,
            "STASH_SENSE_SECRET_KEY": "the secret of all hosts",
            "STASH_SENSE_DEVICE": "cpu",
            "LOG_LEVEL": "info",
            **variables,
        }
        self._running = {}
        install_networks(self.data_dir("first") / "models")
        self.manage("first", "prepare", "--no-demo")

    def data_dir(self, name):
        return self._folder / name

    def start(self, name, only):
        """Start a host, which has the networks and nothing else."""
        folder = self.data_dir(name)
        install_networks(folder / "models")
        databases.share(self.data_dir("first"), folder)
        service = Service(folder, "--only", only, **self._variables)
        self._running[name] = service
        said = "is ready" if only == "web" else "works in the background"
        wait_until(
            lambda: said in service.text or service.process.poll() is not None,
            within=PATIENCE_SECONDS,
        )
        assert service.process.poll() is None, service.text
        return service

    def manage(self, name, *arguments):
        folder = self.data_dir(name)
        databases.share(self.data_dir("first"), folder)
        variables = self._variables | databases.environment(folder)
        return subprocess.run(
            [sys.executable, ROOT / "manage.py", *map(str, arguments)],
            env=environment(DATA_DIR=str(folder), **variables),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def log(self, name):
        return self._running[name].text

    def ask(self, name, method, path, body=None):
        """Return status and content of an answer."""
        request = urllib.request.Request(
            self._running[name].address(path),
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"X-Api-Key": KEY, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)

    def rows(self, query):
        return databases.rows(self.data_dir("first"), query)

    def served(self):
        """Return what each running web host serves, by its process's row."""
        live = "heartbeat_at > now() - interval '30 seconds'"
        query = f"SELECT release_version FROM recognition_servingprocess WHERE {live}"
        return sorted(version for (version,) in self.rows(query))

    def installed(self, name):
        folder = self.data_dir(name) / "releases"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def end(self, name):
        self._running.pop(name).stop(signal.SIGTERM)

    def kill(self, name):
        self._running.pop(name).kill()

    def end_all(self):
        for name in [*self._running]:
            self.end(name)


@contextlib.contextmanager
def running_hosts(folder, **variables):
    hosts = Hosts(folder, **variables)
    try:
        yield hosts
    finally:
        hosts.end_all()


def archive_of(release_dir, version, folder):
    """Return a zip of the release under another version."""
    path = folder / f"{version}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(release_dir.iterdir()):
            if each.name == "manifest.json":
                manifest = json.loads(each.read_text()) | {"version": version}
                archive.writestr(each.name, json.dumps(manifest))
            elif each.is_file():
                archive.write(each, each.name)
    return path
