"""The whole way with real processes: two workers, a cluster, a feed over HTTP."""

import base64
import contextlib
import threading
import time
from http import HTTPStatus

import psutil
import pytest

from benchmarks.detector_graph import marked_picture
from benchmarks.kill_update import playground, publish, update, wait_until_settled
from benchmarks.whole_service import names_in

pytestmark = pytest.mark.service

WORKERS = 2
STOP_BOUND_SECONDS = 10
CANCEL_BOUND_SECONDS = 2
SLOW = 40_000


@pytest.fixture(scope="module")
def world():
    with playground(WEB_WORKERS=str(WORKERS)) as world:
        yield world


@pytest.fixture
def service(world):
    service, simulator, _ = world
    wait_until_settled(service)
    # A worker that is still loading has a row as well, of no version.
    service.wait_until(
        lambda: len([*filter(None, serving(service))]) == WORKERS,
        "both workers to serve",
    )
    yield service
    simulator.faults.bytes_per_second = None
    with contextlib.suppress(TimeoutError):
        service.ask("POST", "/database/update/cancel")
        wait_until_settled(service)


@pytest.fixture
def new_version(world, service, request):
    """Publish a release that is newer than any before."""
    _, simulator, archives = world
    number = len(service.rows("SELECT 1 FROM dbupdates_updaterun")) + 10
    version = f"2026.03.01.{number}"
    publish(simulator, version, archives[number % 2])
    return version


def serving(service):
    """Return what the live workers serve, by their rows."""
    return [
        version
        for pid, version in service.rows(
            "SELECT pid, release_version FROM recognition_servingprocess"
        )
        if psutil.pid_exists(pid)
    ]


def status(service):
    return service.ask("GET", "/database/update/status")[1]


class Identifying:
    """Clients that identify without a pause, and remember how they were answered."""

    def __init__(self, service, clients=4):
        self._body = {"image_base64": base64.b64encode(marked_picture()).decode()}
        self._service = service
        self._stop = threading.Event()
        self.statuses: list[int] = []
        self._threads = [
            threading.Thread(target=self._identify) for _ in range(clients)
        ]

    def _identify(self):
        while not self._stop.is_set():
            answer, _ = self._service.ask("POST", "/identify", self._body)
            self.statuses.append(answer)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_an_update_and_a_roll_back_reach_every_worker_and_fail_no_request(
    service, new_version
):
    former = service.ask("GET", "/database/info")[1]["version"]

    with Identifying(service) as clients:
        update(service, new_version)
        done = status(service)
        now_served = serving(service)
        answer = service.ask("POST", f"/database/releases/{former}/activate")
        wait_until_settled(service)
        rolled_back = status(service)

    assert done["status"] == "complete", done
    assert (done["workers_ready"], done["worker_count"]) == (WORKERS, WORKERS)
    assert done["current_version"] == new_version
    assert now_served == [new_version] * WORKERS
    # No old release is kept here, so there is none to go back to.
    assert answer[0] == HTTPStatus.NOT_FOUND
    assert rolled_back["current_version"] == new_version
    assert len(clients.statuses) >= WORKERS
    assert {*clients.statuses} == {HTTPStatus.OK}
    assert service.problems() == []


def test_going_back_reaches_every_worker(service, new_version):
    service.rows("UPDATE dbupdates_updatepolicy SET kept_count = 1")
    former = service.ask("GET", "/database/info")[1]["version"]
    update(service, new_version)

    with Identifying(service) as clients:
        answer = service.ask("POST", f"/database/releases/{former}/activate")
        wait_until_settled(service)

    service.rows("UPDATE dbupdates_updatepolicy SET kept_count = 0")
    assert answer[0] == HTTPStatus.OK
    assert status(service)["workers_ready"] == WORKERS
    assert serving(service) == [former] * WORKERS
    assert {*clients.statuses} == {HTTPStatus.OK}
    releases = service.ask("GET", "/database/releases")[1]["releases"]
    assert {each["version"]: each["status"] for each in releases} | {
        former: "active",
        new_version: "retired",
    } == {each["version"]: each["status"] for each in releases}


def begin_slow_download(world, new_version):
    service, simulator, _ = world
    simulator.faults.bytes_per_second = SLOW
    begun = service.ask("POST", "/database/update", {"version": new_version})
    assert begun[0] == HTTPStatus.OK, begun
    service.wait_until(lambda: status(service)["done_bytes"] > 0, "the first bytes")


def test_a_cancel_takes_two_seconds_at_most(world, service, new_version):
    begin_slow_download(world, new_version)
    began = time.monotonic()

    answer = service.ask("POST", "/database/update/cancel")

    service.wait_until(lambda: status(service)["status"] == "failed", "the end")
    assert time.monotonic() - began < CANCEL_BOUND_SECONDS
    assert answer[0] == HTTPStatus.OK
    assert status(service)["phase"] == "cancelled"
    service.wait_until(
        lambda: names_in(service.data_dir / "staging") == [], "an empty staging folder"
    )


def test_a_stop_takes_ten_seconds_at_most_and_the_next_start_offers_to_go_on(
    world, service, new_version
):
    _, simulator, _ = world
    begin_slow_download(world, new_version)
    before = service.processes()

    seconds = service.stop()

    assert seconds < STOP_BOUND_SECONDS
    assert [process for process in before if process.is_running()] == []
    service.start()
    wait_until_settled(service)
    offered = status(service)
    assert (offered["status"], offered["is_resumable"]) == ("failed", True)
    log = service.data_dir.parent / "service.log"
    # The background says so when it starts, which the web does not wait for.
    kept = f"What was downloaded of release {new_version} is kept"
    service.wait_until(lambda: kept in log.read_text(), "the log to say what is kept")
    simulator.faults.bytes_per_second = None
    update(service, new_version)
    resumed = status(service)
    assert (resumed["status"], resumed["current_version"]) == ("complete", new_version)
    assert service.problems() == []


def test_an_idle_background_process_that_is_killed_is_replaced_by_one_that_works(
    service, new_version
):
    _, cluster = service.programs()
    (sentinel,) = cluster.children()
    idle = min(sentinel.children(), key=lambda child: child.create_time())
    idle.kill()
    psutil.wait_procs([idle], timeout=10)

    update(service, new_version)

    assert status(service)["current_version"] == new_version
