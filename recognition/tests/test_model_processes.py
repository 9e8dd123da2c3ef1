"""Downloads as processes do them: that meet, are killed, and are taken up again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import recognition
from demo.release_simulator import ReleaseSimulator
from recognition.tests.model_source import (
    DETECTOR,
    MEMBER,
    PACK_PATH,
    digest,
    installed,
    left_over,
    zip_of,
)
from stashsense.tests import databases
from stashsense.tests.waiting import wait_until

PROJECT_DIR = Path(recognition.__file__).resolve().parent.parent
LIMIT_SECONDS = 120
# The real list: of the pack no digest is published, so any bytes will do.
PLACE = "buffalo_sc/det_500m.onnx"


@pytest.fixture
def simulator():
    with ReleaseSimulator() as simulator:
        simulator.serve_file(PACK_PATH, zip_of({MEMBER: DETECTOR}))
        yield simulator


@pytest.fixture(scope="module")
def migrated_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrated")
    assert ended(manage(folder, None, "migrate", "--verbosity=0")) == (0, "")
    return folder


@pytest.fixture
def data_dir(migrated_dir, tmp_path):
    return databases.copied(migrated_dir, tmp_path / "data")


def manage(data_dir, simulator, *arguments):
    nowhere = "http://127.0.0.1:9"
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT_DIR,
        env=os.environ
        | databases.environment(data_dir)
        | {
            "DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
            "PYTHONUNBUFFERED": "1",
            "STASH_SENSE_RELEASE_FEED": f"{nowhere}/releases",
            "STASH_SENSE_MODEL_SOURCE": nowhere,
            "STASH_SENSE_MODEL_SOURCE_MEDIAPIPE": nowhere,
            "STASH_SENSE_MODEL_SOURCE_INSIGHTFACE": (
                simulator.files_url if simulator else nowhere
            ),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    output, _ = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, output


def downloads(data_dir):
    return databases.rows(
        data_dir,
        "SELECT state, attempt_count, done_bytes FROM recognition_modeldownload "
        "ORDER BY id",
    )


def assert_installed(data_dir):
    assert installed(data_dir / "models") == {PLACE: DETECTOR}
    assert left_over(data_dir / "models") == []


def sent_bytes(simulator):
    return sum(request.sent_bytes for request in simulator.file_requests())


def test_commands_that_meet_download_a_file_once(data_dir, simulator):
    simulator.faults.bytes_per_second = 1_000_000

    together = [
        manage(data_dir, simulator, "download_models", "buffalo_sc") for _ in range(2)
    ]
    endings = [ended(process) for process in together]

    assert [code for code, _ in endings] == [0, 0], endings
    assert_installed(data_dir)
    assert [row[0] for row in downloads(data_dir)] == ["complete"]
    assert sent_bytes(simulator) < len(DETECTOR) + 200_000


def test_a_command_that_is_killed_is_taken_up_by_the_next(data_dir, simulator):
    simulator.faults.bytes_per_second = 250_000
    first = manage(data_dir, simulator, "download_models", "buffalo_sc")
    wait_until(lambda: sent_bytes(simulator) > 900_000)
    first.send_signal(signal.SIGKILL)
    ended(first)
    assert installed(data_dir / "models") == {}
    simulator.faults.bytes_per_second = None

    code, output = ended(manage(data_dir, simulator, "download_models", "buffalo_sc"))

    assert code == 0, output
    assert_installed(data_dir)
    assert [row[0] for row in downloads(data_dir)] == ["failed", "complete"]
    assert sent_bytes(simulator) < 2 * len(DETECTOR) - 200_000


def test_a_background_whose_worker_is_killed_goes_on(data_dir, simulator):
    simulator.faults.bytes_per_second = 250_000
    asked = manage(
        data_dir,
        simulator,
        "shell",
        "-c",
        "from recognition import model_downloads as m\n"
        "m.request_download('buffalo_sc', asker=m.Asker('api'))",
    )
    assert ended(asked)[0] == 0
    cluster = manage(data_dir, simulator, "cluster")
    try:
        wait_until(lambda: sent_bytes(simulator) > 900_000)
        _worker_that_downloads(cluster, simulator).kill()
        simulator.faults.bytes_per_second = None
        wait_until(lambda: downloads(data_dir)[0][0] == "complete")
    finally:
        cluster.terminate()
        _, output = ended(cluster)

    assert_installed(data_dir)
    assert downloads(data_dir) == [("complete", 2, len(DETECTOR))], output
    assert sent_bytes(simulator) < 2 * len(DETECTOR) - 200_000


def _worker_that_downloads(cluster, simulator):
    """Return the process that holds a connection to the simulator."""
    port = int(simulator.files_url.rpartition(":")[2].partition("/")[0])
    for process in psutil.Process(cluster.pid).children(recursive=True):
        for connection in process.net_connections(kind="tcp"):
            if connection.raddr and connection.raddr.port == port:
                return process
    raise AssertionError("nobody downloads")


def test_a_digest_recorded_by_one_process_is_known_to_the_next(data_dir, simulator):
    assert ended(manage(data_dir, simulator, "download_models", "buffalo_sc"))[0] == 0
    (data_dir / "models" / PLACE).write_bytes(b"\x08" + bytes(100))

    code, output = ended(
        manage(data_dir, simulator, "download_models", "--check", "buffalo_sc")
    )

    assert code == 1
    assert "corrupted" in output
    assert digest(DETECTOR) in output
