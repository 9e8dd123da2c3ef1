"""scripts/serve's second half as real processes: start, restart, stop, refuse."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from django.contrib.auth.hashers import check_password

from stashsense import data_folder
from stashsense.data_folder import ROOT
from stashsense.tests import databases
from stashsense.tests.waiting import wait_until

# The service's own bounds are tighter; a busy machine is no fault of its.
START_BOUND_SECONDS = 120
STOP_BOUND_SECONDS = 10
RESTART_BOUND_SECONDS = 60

# An update whose process is gone.
DEAD_RUN = """
from dbupdates.models import UpdateRun
UpdateRun.objects.create(
    kind="download", version="2026.02.18", asked_by="api", phase="downloading"
)
"""

pytestmark = pytest.mark.service


def environment(**variables):
    ours = ("STASH_", "WEB_", "DATA_DIR", "PORT", "LOG_LEVEL", "DJANGO_")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(ours)
    }
    return kept | {"PYTHONPATH": str(ROOT)} | variables


def command(*arguments):
    return [sys.executable, "-P", "-m", "stashsense.serve", *map(str, arguments)]


def refused(*arguments, **variables):
    """Run a start that must fail; return its one line."""
    answer = subprocess.run(
        command(*arguments),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=START_BOUND_SECONDS,
    )
    assert answer.returncode != 0
    assert answer.stdout == ""
    [line] = answer.stderr.splitlines()
    return line


class Service:
    """One start of the service, with everything it prints."""

    def __init__(self, folder, *options, **variables):
        self.folder, self.port = folder, free_port()
        self.process = subprocess.Popen(
            command("--no-demo", "--port", self.port, "--data-dir", folder, *options),
            env=environment(**databases.environment(folder), **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines += output

    @property
    def text(self):
        return "".join(self.lines)

    def wait_until_ready(self):
        wait_until(
            lambda: "is ready" in self.text or self.process.poll() is not None,
            within=START_BOUND_SECONDS,
        )
        assert self.process.poll() is None, self.text
        return self

    def is_healthy(self):
        try:
            with urllib.request.urlopen(self.address("/health"), timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def address(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def tree(self):
        """Return every process of the service, this one first."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def commands(self):
        """Return the command lines of all of them, to look for words in."""
        return "\n".join(" ".join(process.cmdline()) for process in self.tree())

    def program(self, words):
        """Return the one process that supervisord started with these words."""
        [found] = [
            process
            for process in self.tree()
            if words in " ".join(process.cmdline())
            and "stashsense.supervisor" in " ".join(process.parent().cmdline())
        ]
        return found

    def stop(self, number):
        """Send the signal; return the exit status, the seconds and who is left."""
        tree = self.tree()
        began = time.monotonic()
        self.process.send_signal(number)
        # A little over the bound, so that the seconds can be told.
        status = self.process.wait(2 * STOP_BOUND_SECONDS)
        seconds = time.monotonic() - began
        self._reader.join()
        return status, seconds, [process for process in tree if process.is_running()]

    def kill(self):
        tree = self.tree() if self.process.poll() is None else []
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        self._reader.join()


def readable_by_others(folder):
    """Return the files that other users of this machine may read or write."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def prepared_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "data"
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "prepare", "--no-demo"],
        env=environment(DATA_DIR=str(folder), **databases.environment(folder)),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture
def serve(tmp_path):
    """Start the service on a data folder of this test's."""
    services = []

    def start():
        services.append(Service(tmp_path / "data"))
        return services[-1]

    yield start
    for service in services:
        service.kill()


@pytest.fixture
def service(prepared_folder, tmp_path, serve):
    """A service that has been started before and is ready."""
    databases.copied(prepared_folder, tmp_path / "data")
    return serve().wait_until_ready()


def test_a_first_start_makes_the_admin_and_a_second_has_nothing_to_prepare(
    serve, tmp_path
):
    first = serve().wait_until_ready()
    # Who sets up a client looks for it there before anybody has used it.
    key_mode = (tmp_path / "data" / "api_key").stat().st_mode & 0o777
    open_to_others = readable_by_others(tmp_path / "data")
    made = sorted(path.name for path in (tmp_path / "data").iterdir())
    first.stop(signal.SIGTERM)
    second = serve().wait_until_ready()

    assert key_mode == 0o600
    assert open_to_others == []
    assert [name for name in made if not data_folder.is_ours(name)] == []
    assert first.address("/") in first.text
    assert "Preparing" in first.text
    assert "Created the user admin with the password" in first.text
    assert "Preparing" not in second.text
    assert "password" not in second.text


def test_what_a_command_writes_is_its_user_s_alone(prepared_folder):
    assert any(prepared_folder.iterdir())
    assert readable_by_others(prepared_folder) == []


def test_a_folder_s_name_makes_no_program_and_the_password_stays_with_preparing(
    tmp_path,
):
    folder = tmp_path / "cluster" / "gunicorn"
    service = Service(
        folder,
        STASH_SENSE_ADMIN_PASSWORD="planted-password",
        STASH_SENSE_API_KEY="planted-key",
    )
    try:
        service.wait_until_ready()
        asked = urllib.request.Request(
            service.address("/metrics"), headers={"X-Api-Key": "planted-key"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            told = answer.read().decode()
        found = dict(
            re.findall(r'process_resident_bytes{pid="(\d+)",program="(\w+)"}', told)
        )
        tree = service.tree()
        environments = [each.environ() for each in tree]
        descriptors = Path(f"/proc/{service.process.pid}/fd").iterdir()
        opened = [str(each.readlink()) for each in descriptors]
        users = databases.rows(folder, "SELECT username, password FROM auth_user")
        status, _, left = service.stop(signal.SIGTERM)
    finally:
        service.kill()

    assert found[str(service.process.pid)] == "serve"
    assert sorted(found.values()).count("supervisor") == 1
    assert set(found.values()) <= {"serve", "supervisor", "web", "cluster", "other"}
    assert {"web", "cluster"} <= set(found.values())
    assert not any("planted-password" in str(each) for each in environments)
    assert not any("STASH_SENSE_ADMIN_PASSWORD" in each for each in environments)
    assert not any("password" in name for name in opened)
    [(name, encoded)] = users
    assert name == "admin"
    assert check_password("planted-password", encoded)
    assert (status, left) == (0, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_it(service, number):
    assert service.is_healthy()

    status, seconds, left = service.stop(number)

    assert status == 0
    assert seconds < STOP_BOUND_SECONDS
    assert left == []
    assert "Traceback" not in service.text


def test_what_dies_is_restarted_and_leaves_nothing_behind(service):
    wait_until(lambda: len(service.tree()) >= 8, within=RESTART_BOUND_SECONDS)
    web, cluster = service.program("gunicorn"), service.program("cluster")
    [worker] = web.children()
    worker.kill()
    psutil.wait_procs([worker], timeout=RESTART_BOUND_SECONDS)
    wait_until(service.is_healthy, within=RESTART_BOUND_SECONDS)
    before = [web, *web.children(), cluster, *cluster.children(recursive=True)]

    for program in (web, cluster):
        program.kill()

    _, left = psutil.wait_procs(before, timeout=RESTART_BOUND_SECONDS)
    assert left == []
    wait_until(service.is_healthy, within=RESTART_BOUND_SECONDS)
    wait_until(lambda: len(service.tree()) >= 8, within=RESTART_BOUND_SECONDS)
    status, seconds, left = service.stop(signal.SIGTERM)
    assert (status, left) == (0, [])
    assert seconds < STOP_BOUND_SECONDS


@pytest.mark.parametrize("victim", ["stashsense.serve", "stashsense.supervisor"])
def test_a_killed_parent_takes_all_the_rest_with_it(service, victim):
    tree = service.tree()
    [killed] = [each for each in tree if victim in " ".join(each.cmdline())]

    killed.kill()

    _, left = psutil.wait_procs(tree, timeout=STOP_BOUND_SECONDS * 2)
    assert left == []


def test_a_program_that_does_not_listen_to_signals_is_killed_in_time(service):
    # A stopped process cannot even see that it is asked to end.
    service.program("cluster").suspend()

    status, seconds, left = service.stop(signal.SIGTERM)

    assert (status, left) == (0, [])
    assert seconds < STOP_BOUND_SECONDS


@pytest.mark.parametrize(
    ("only", "there", "not_there", "says"),
    [
        ("web", "gunicorn", "manage.py cluster", "is ready"),
        ("cluster", "manage.py cluster", "gunicorn", "works in the background"),
    ],
)
def test_half_of_the_service_runs_alone_and_ends_in_order(
    prepared_folder, tmp_path, only, there, not_there, says
):
    databases.copied(prepared_folder, tmp_path / "data")
    service = Service(tmp_path / "data", "--only", only)
    try:
        wait_until(lambda: says in service.text, within=START_BOUND_SECONDS)
        wait_until(lambda: there in service.commands(), within=START_BOUND_SECONDS)
        left_out = not_there in service.commands()

        status, _, left = service.stop(signal.SIGTERM)
    finally:
        service.kill()

    assert not left_out
    assert (status, left) == (0, [])


def test_what_died_is_set_right_before_anybody_serves(prepared_folder, tmp_path):
    folder = databases.copied(prepared_folder, tmp_path / "data")
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "shell", "-c", DEAD_RUN],
        env=environment(DATA_DIR=str(folder), **databases.environment(folder)),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (folder / "staging" / "import-abc").mkdir(parents=True)
    service = Service(folder, "--only", "web")
    try:
        service.wait_until_ready()
        phases = databases.rows(folder, "SELECT phase FROM dbupdates_updaterun")
        left = [*(folder / "staging").iterdir()]
    finally:
        service.kill()

    assert phases == [("failed",)]
    assert left == []
    said = service.text
    assert said.index("2026.02.18 was interrupted") < said.index("Listening at")
    assert said.index("Removed staging/import-abc") < said.index("Listening at")


@pytest.mark.usefixtures("service")
def test_a_second_service_on_the_same_folder_is_refused(tmp_path):
    line = refused("--data-dir", tmp_path / "data", "--port", free_port())

    assert "is in use by another Stash Sense" in line


def test_a_taken_port_is_told_in_a_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        line = refused("--data-dir", tmp_path, "--port", port)

    assert re.match(rf"Port {port} is in use .* --port", line)


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", ""])
def test_a_port_out_of_range_is_told_in_a_line(tmp_path, port):
    assert f"{port} is no port" in refused("--data-dir", tmp_path, f"--port={port}")


def test_an_address_of_another_machine_is_told_in_a_line(tmp_path):
    line = refused("--data-dir", tmp_path, "--host", "192.0.2.77", "--port=50001")

    assert "Cannot listen on 192.0.2.77" in line


def test_a_folder_that_cannot_be_written_is_told_in_a_line(tmp_path):
    # Not by permissions, which do not stop root.
    (tmp_path / "file").touch()

    line = refused("--data-dir", tmp_path / "file" / "data", "--port", free_port())

    assert "Cannot write in the data folder" in line


def test_a_wrong_setting_is_told_in_a_line(tmp_path):
    line = refused("--data-dir", tmp_path, "--port", free_port(), LOG_LEVEL="loud")

    assert line == ("LOG_LEVEL must be one of debug, error, info, warning, not 'loud'.")


def test_a_secret_in_a_file_of_no_text_is_told_in_a_line_without_it(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"hidden\xff")

    line = refused(
        *["--data-dir", tmp_path / "data", "--port", free_port()],
        STASH_SENSE_API_KEY_FILE=str(path),
    )

    assert line == (
        f"STASH_SENSE_API_KEY_FILE names a file that is no text in UTF-8: {path}"
    )


@pytest.mark.parametrize(
    "name",
    ["STASH_SENSE_API_KEY", "RECOGNITION_API_KEY", "DATABASE_URL", "REDIS_URL"],
)
def test_secrets_in_files_are_found_from_where_the_command_is_given(
    tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)

    line = refused(
        "--data-dir=data", f"--port={free_port()}", **{f"{name}_FILE": "key"}
    )

    assert line == f"{name}_FILE names no file: {tmp_path / 'key'}"
    assert (tmp_path / "data").is_dir()
