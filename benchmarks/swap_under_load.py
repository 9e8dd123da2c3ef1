"""What those who identify pictures notice of swaps back and forth, and what remains.

    python -m benchmarks.swap_under_load [--quick]

Two workers, eight clients that identify without a pause, twenty swaps between a release
and its twin of another version. A request counts to a swap if any of it fell between
the activation and the moment when both workers served the other release; the rest is
the steady state. Releases and networks are in the page cache.
"""

import multiprocessing
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Barrier, Lock, Thread
from typing import TYPE_CHECKING

from benchmarks.bare import BareProcess
from benchmarks.data_folder import VERSION, release_folder, scratch_data_folder
from benchmarks.detector_graph import marked_picture
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.memory import memory_of
from benchmarks.networks import networks_folder, print_networks
from benchmarks.service import Client, identify_body, running_service

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

WORKERS = 2
CLIENTS = 8
P99_GOAL = 2
RSS_GOAL = 1.1
LOAD_GOAL = (1.3, 1.5)

TWIN_VERSION = "2026.01.02"
_SWAPS = 20
_QUICK_SWAPS = 4
# Long enough for a percentile of the steady state, and for the requests that were in
# work at the swap to end, which hold on to the former release.
_STEADY_SECONDS = 15.0
# The memory of a worker breathes with its requests: the median of the last seconds.
_MEMORY_SAMPLES = 20
_MEMORY_SAMPLE_SECONDS = 0.25
_SWAP_SECONDS = 120.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """When an identification began and ended (monotonic), and how it was answered."""

    began: float
    ended: float
    status: int

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True)
class Swap:
    """When a release was activated and when all workers served it; memory later."""

    activated: float
    served: float
    resident_bytes: int

    @property
    def seconds(self) -> float:
        return self.served - self.activated

    def touches(self, request: Request) -> bool:
        return request.began < self.served and request.ended > self.activated


@dataclass(frozen=True)
class Outcome:
    """Everything that was seen."""

    swaps: list[Swap]
    requests: list[Request]
    bare_load: float
    bare_index_load: float


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    print_machine()
    print_networks()
    if options.quick:
        outcome = measure(QUICK, swaps=_QUICK_SWAPS)
    else:
        outcome = measure(PRODUCTION, swaps=_SWAPS)
    for swap in outcome.swaps:
        print(
            f"served by all after {swap.seconds:.2f} s, then"
            f" {swap.resident_bytes / 1e6:.0f} MB in both"
        )
    return print_figures(figures(outcome))


def figures(outcome: Outcome) -> list[Figure]:
    """Return what the benchmark is about."""
    swaps, requests = outcome.swaps, outcome.requests
    in_swaps = [r for r in requests if any(swap.touches(r) for swap in swaps)]
    steady = [r for r in requests if not any(swap.touches(r) for swap in swaps)]
    failed = [r for r in requests if r.status != HTTPStatus.OK]
    p99_swaps, p99_steady = _p99(in_swaps), _p99(steady)
    factor, more = LOAD_GOAL
    return [
        Figure("requests_in_swaps", len(in_swaps), "of them"),
        Figure("requests_steady", len(steady), "of them"),
        Figure("p99_steady", p99_steady, "s"),
        Figure("p99_in_swaps", p99_swaps, "s"),
        Figure("bare_index_load", outcome.bare_index_load, "s"),
        Figure("bare_load", outcome.bare_load, "s"),
        Figure("failed_requests", len(failed), "requests", 0),
        Figure("p99_ratio", p99_swaps / p99_steady, "of steady", P99_GOAL),
        Figure(
            "activation_to_all_serving",
            statistics.median(swap.seconds for swap in swaps),
            "s",
            factor * outcome.bare_load + more,
        ),
        Figure(
            "memory_after_last",
            swaps[-1].resident_bytes / swaps[1].resident_bytes,
            "of after 2 swaps",
            RSS_GOAL,
        ),
    ]


def _p99(requests: list[Request]) -> float:
    seconds = [request.seconds for request in requests]
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]


def measure(crowd: Crowd, *, swaps: int) -> Outcome:
    """Swap so many times while clients in a process of their own identify."""
    picture = marked_picture()
    with _data_folder_with_twins(crowd) as data_dir:
        bare = _bare_load(data_dir, picture)
        with running_service(data_dir, WEB_WORKERS=str(WORKERS)) as service:
            _configure_django(data_dir)
            _wait_until_served(VERSION)
            context = multiprocessing.get_context("spawn")
            stop: Event = context.Event()
            results: Queue[list[Request]] = context.Queue()
            clients = context.Process(
                target=_identify_until,
                args=(stop, results, service.port, service.key),
                daemon=True,
            )
            clients.start()
            # Empty: it says that all eight are at work.
            results.get()
            time.sleep(_STEADY_SECONDS)
            done = [
                _swap_to(version)
                for version in ([TWIN_VERSION, VERSION] * swaps)[:swaps]
            ]
            stop.set()
            requests = results.get()
            clients.join()
    return Outcome(done, requests, sum(bare.values()), bare["indices"])


def _swap_to(version: str) -> Swap:
    from django.utils import timezone

    from dbupdates.services import activate_release, get_release
    from dbupdates.signals import serving_reports

    release = activate_release(get_release(version))
    assert release.activated_at is not None
    since = (timezone.now() - release.activated_at).total_seconds()
    activated = time.monotonic() - since
    _wait_until_served(version)
    served = time.monotonic()
    time.sleep(_STEADY_SECONDS - _MEMORY_SAMPLES * _MEMORY_SAMPLE_SECONDS)
    pids = [report.pid for report in serving_reports()]
    return Swap(activated, served, _resident_bytes(pids))


def _resident_bytes(pids: list[int]) -> int:
    """Return the median over some seconds of what the processes hold together."""
    samples = []
    for _ in range(_MEMORY_SAMPLES):
        time.sleep(_MEMORY_SAMPLE_SECONDS)
        samples.append(sum(memory_of(pid).resident_bytes for pid in pids))
    return int(statistics.median(samples))


def _wait_until_served(version: str) -> None:
    from dbupdates.signals import serving_reports

    until = time.monotonic() + _SWAP_SECONDS
    while [r.version for r in serving_reports()] != [version] * WORKERS:
        if time.monotonic() > until:
            raise TimeoutError(f"not served by all after {_SWAP_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _configure_django(data_dir: Path) -> None:
    import django

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        "DATA_DIR": str(data_dir),
        "LOG_LEVEL": "warning",
    }
    django.setup()


@contextmanager
def _data_folder_with_twins(crowd: Crowd) -> Iterator[Path]:
    """Yield a data folder with the crowd's release under two versions."""
    with scratch_data_folder(crowd) as prepared:
        path = prepared / "releases"
        release = path.resolve() / VERSION
        path.unlink()
        path.mkdir()
        for version in (VERSION, TWIN_VERSION):
            (path / version).symlink_to(release)
        _add_twin_row(prepared)
        yield prepared


def _add_twin_row(data_dir: Path) -> None:
    connection = sqlite3.connect(data_dir / "stash_sense.db")
    connection.row_factory = sqlite3.Row
    with connection:
        (row,) = connection.execute(
            "SELECT * FROM dbupdates_databaserelease WHERE version = ?", [VERSION]
        )
        twin = dict(row) | {"version": TWIN_VERSION, "status": "retired"}
        del twin["id"]
        marks = ", ".join("?" for _ in twin)
        connection.execute(
            f"INSERT INTO dbupdates_databaserelease ({', '.join(twin)})"
            f" VALUES ({marks})",
            list(twin.values()),
        )
    connection.close()


def _bare_load(data_dir: Path, picture: bytes) -> dict[str, float]:
    """Return the medians of what a fresh process takes for sessions and indices."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(picture)
        file.flush()
        loads = []
        for _ in range(4):
            with BareProcess(
                networks_folder(), release_folder(data_dir), Path(file.name)
            ) as bare:
                loads.append(bare.loading)
    # The first one brings the files into the page cache.
    return {
        name: statistics.median(load[name] for load in loads[1:]) for name in loads[0]
    }


def _identify_until(
    stop: Event, results: "Queue[list[Request]]", port: int, key: str
) -> None:
    """Run the clients; put first an empty result, then every request they made."""
    body = identify_body(marked_picture())
    requests: list[Request] = []
    lock = Lock()
    all_at_work = Barrier(CLIENTS + 1)

    def identify_on(client: Client) -> None:
        all_at_work.wait()
        while not stop.is_set():
            began = time.monotonic()
            try:
                status = client.identify(body).status
            except OSError:
                status = 0
            with lock:
                requests.append(Request(began, time.monotonic(), status))

    threads = [
        Thread(target=identify_on, args=[Client(port, key)], daemon=True)
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    all_at_work.wait()
    results.put([])
    for thread in threads:
        thread.join()
    results.put(requests)


if __name__ == "__main__":
    sys.exit(main())
