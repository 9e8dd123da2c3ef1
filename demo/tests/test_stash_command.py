"""The stand-in Stash as a process: by hand, and beside the service."""

import contextlib
import re
import signal
import subprocess
import sys

import psutil
import pytest
import requests

from demo.install import DEFAULT_WORLD
from demo.stash.library import load_library, save_library
from demo.stash.plans import default_plan
from demo.stash.testing import tiny_library
from demo.stashbox.server import DEMO_KEY
from stashsense.data_folder import ROOT
from stashsense.integrations.stash import StashClient
from stashsense.tests import databases
from stashsense.tests.test_serve import (
    START_BOUND_SECONDS,
    STOP_BOUND_SECONDS,
    Service,
    environment,
    free_port,
    refused,
)
from stashsense.tests.waiting import wait_until

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def prepared_folder(tmp_path_factory):
    """A data folder without a release and without a library."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "prepare", "--no-demo"],
        env=environment(DATA_DIR=str(folder), **databases.environment(folder)),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


def put_library(folder):
    """Put a tiny library where the default one is looked for, passed off as that."""
    tiny_library(folder)
    save_library(load_library(folder), recipe=default_plan(DEFAULT_WORLD).recipe())


def stash_answers(port, key=""):
    """Return the count of scenes, or None while nobody answers."""
    try:
        answer = requests.post(
            f"http://127.0.0.1:{port}/graphql",
            json={"query": "{ findScenes { count } }"},
            headers={"ApiKey": key} if key else {},
            timeout=10,
        )
    except requests.ConnectionError:
        return None
    return answer.json()["data"]["findScenes"]["count"]


@contextlib.contextmanager
def command(data_dir, *options):
    process = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "demo_stash", *map(str, options)],
        env=environment(
            DATA_DIR=str(data_dir),
            PYTHONUNBUFFERED="1",
            **databases.environment(data_dir),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell has what it runs in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_the_command_serves_until_ctrl_c(prepared_folder, tmp_path):
    put_library(tmp_path / "library")
    port = free_port()

    with command(
        prepared_folder,
        *("--port", port, "--folder", tmp_path / "library", "--api-key", "open"),
    ) as process:
        count = wait_until(
            lambda: stash_answers(port, "open"), within=START_BOUND_SECONDS
        )
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=STOP_BOUND_SECONDS)

    assert count == 2
    assert process.returncode == 0
    assert f"STASH_URL=http://127.0.0.1:{port}" in output
    assert "Drawing" not in output
    assert "Traceback" not in output


def box_knows(output):
    """Return how many performers the stash-box of that output answers with."""
    found = re.search(r"stash-box of \d+ performers is at (\S+)", output)
    assert found is not None
    endpoint = found[1]
    answer = requests.post(
        endpoint,
        json={"query": "{ queryPerformers(input: {}) { count } }"},
        headers={"ApiKey": DEMO_KEY},
        timeout=10,
    )
    return endpoint, answer.json()["data"]["queryPerformers"]["count"]


def test_a_stash_box_that_the_stash_knows_is_served_beside_it(
    prepared_folder, tmp_path
):
    put_library(tmp_path / "library")
    port, box_port = free_port(), free_port()
    options = ("--port", port, "--box-port", box_port)

    with command(
        prepared_folder, *options, "--folder", tmp_path / "library"
    ) as process:
        wait_until(lambda: stash_answers(port) is not None, within=START_BOUND_SECONDS)
        endpoint, count = box_knows(process.stdout.readline())
        boxes = StashClient(f"http://127.0.0.1:{port}").get_stash_box_connections()

    assert endpoint == f"http://127.0.0.1:{box_port}/graphql"
    assert count > 2
    assert (boxes[0].endpoint, boxes[0].api_key) == (endpoint, DEMO_KEY)
    # Nothing invented is sent to a real one.
    assert not any(box.is_usable for box in boxes[1:])


def test_a_taken_port_is_told(prepared_folder, tmp_path):
    put_library(tmp_path / "library")
    port = free_port()
    options = ("--port", port, "--folder", tmp_path / "library")

    with command(prepared_folder, *options):
        wait_until(lambda: stash_answers(port), within=START_BOUND_SECONDS)
        with command(prepared_folder, *options) as second:
            output, _ = second.communicate(timeout=START_BOUND_SECONDS)

    assert second.returncode == 1
    assert (
        output.splitlines()[-1] == f"CommandError: Port {port}: Address already in use"
    )


def test_a_folder_of_something_else_is_told(prepared_folder, tmp_path):
    (tmp_path / "thesis.txt").touch()

    with command(prepared_folder, "--folder", tmp_path) as process:
        output, _ = process.communicate(timeout=START_BOUND_SECONDS)

    assert process.returncode == 1
    assert "holds no drawn library" in output


@pytest.fixture
def serve(tmp_path, prepared_folder):
    """Start the service with a stand-in, on a data folder of this test's."""
    services = []

    def start(port):
        data_dir = tmp_path / "data"
        databases.copied(prepared_folder, data_dir)
        services.append(Service(data_dir, "--demo-stash", port))
        return services[-1]

    yield start
    for service in services:
        service.kill()


def test_the_service_runs_with_a_stand_in_for_stash(serve, tmp_path):
    put_library(tmp_path / "data" / "demo-stash")
    port = free_port()
    service = serve(port).wait_until_ready()
    key = (tmp_path / "data" / "demo_stash_key").read_text().strip()

    count = wait_until(lambda: stash_answers(port, key), within=START_BOUND_SECONDS)

    assert count == 2
    assert (
        requests.post(f"http://127.0.0.1:{port}/graphql", timeout=10).status_code == 401
    )
    for words in ("gunicorn", "cluster"):
        variables = service.program(words).environ()
        assert variables["STASH_URL"] == f"http://127.0.0.1:{port}"
        assert variables["STASH_API_KEY"] == key
    assert all(key not in " ".join(each.cmdline()) for each in service.tree())
    assert f"http://127.0.0.1:{port}/" in service.text
    assert key not in service.text
    status, seconds, left = service.stop(signal.SIGTERM)
    assert (status, left) == (0, [])
    assert seconds < STOP_BOUND_SECONDS
    assert "Traceback" not in service.text


def test_the_service_answers_while_the_library_is_drawn_and_can_be_stopped(
    serve, tmp_path
):
    service = serve(free_port()).wait_until_ready()
    wait_until(lambda: "Drawing" in service.text, within=START_BOUND_SECONDS)

    assert service.is_healthy()
    program = service.program("demo_stash")
    assert program.nice() > psutil.Process().nice()
    status, seconds, left = service.stop(signal.SIGTERM)

    assert (status, left) == (0, [])
    assert seconds < STOP_BOUND_SECONDS
    # Complete or absent.
    assert not (tmp_path / "data" / "demo-stash").exists()


def test_a_killed_service_takes_the_stand_in_along(serve, tmp_path):
    service = serve(free_port()).wait_until_ready()
    wait_until(lambda: "Drawing" in service.text, within=START_BOUND_SECONDS)
    tree = service.tree()

    service.process.kill()

    _, left = psutil.wait_procs(tree, timeout=STOP_BOUND_SECONDS * 2)
    assert left == []


@pytest.mark.parametrize("name", ["STASH_URL", "STASH_API_KEY", "STASH_API_KEY_FILE"])
def test_a_configured_stash_is_not_set_aside(tmp_path, name):
    line = refused(
        "--data-dir", tmp_path, "--port", free_port(), "--demo-stash",
        **{name: "http://127.0.0.1:9999"},
    )  # fmt: skip

    assert line.startswith(f"{name} is set")
    assert "--demo-stash" in line


def test_one_port_for_both_is_told(tmp_path):
    port = free_port()

    line = refused("--data-dir", tmp_path, "--port", port, "--demo-stash", port)

    assert f"--demo-stash {port + 1}" in line


def test_a_taken_port_of_the_stand_in_is_told(tmp_path, stash_server):
    port = int(stash_server.url.rpartition(":")[2])

    line = refused("--data-dir", tmp_path, "--port", free_port(), "--demo-stash", port)

    assert line.startswith(f"Port {port} is in use")
    assert line.endswith("choose another with --demo-stash PORT.")
