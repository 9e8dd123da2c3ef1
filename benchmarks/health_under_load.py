"""How quickly /health answers while eight clients identify pictures without a pause.

    python -m benchmarks.health_under_load [--quick]

A client that is answered 503 waits as long as it is told to and asks again, as any
decent one does. Each question opens a connection, as monitors and Stash's plugins do.
"""

import multiprocessing
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING

from benchmarks.data_folder import scratch_data_folder
from benchmarks.detector_graph import marked_picture
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.networks import print_networks
from benchmarks.service import Client, Service, identify_body, running_service

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

CLIENTS = 8
P99_GOAL_MS = 100
PAUSE_SECONDS = 0.02

_SECONDS = 60.0
_QUICK_SECONDS = 20.0

Statuses = Counter[int]


@dataclass(frozen=True)
class Outcome:
    """How long each /health took, and what the identifying clients were answered."""

    health_seconds: list[float]
    statuses: Statuses
    seconds: float


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    print_machine()
    print_networks()
    if options.quick:
        outcome = measure(QUICK, seconds=_QUICK_SECONDS)
    else:
        outcome = measure(PRODUCTION, seconds=_SECONDS)
    print(f"{CLIENTS} clients for {outcome.seconds:.0f} s")
    print(f"/health was asked {len(outcome.health_seconds)} times")
    return print_figures(figures(outcome))


def figures(outcome: Outcome) -> list[Figure]:
    """Return what the benchmark is about."""
    percentiles = statistics.quantiles(outcome.health_seconds, n=100)
    identified = outcome.statuses[HTTPStatus.OK]
    others = outcome.statuses.total() - identified
    busy = outcome.statuses[HTTPStatus.SERVICE_UNAVAILABLE]
    return [
        Figure("identifications", identified / outcome.seconds, "a second"),
        Figure("answered_busy", busy, "of 503"),
        Figure("answered_otherwise", others - busy, "times", 0),
        Figure("health_p50", 1000 * percentiles[49], "ms"),
        Figure("health_max", 1000 * max(outcome.health_seconds), "ms"),
        Figure("health_p99", 1000 * percentiles[98], "ms", P99_GOAL_MS),
    ]


def measure(crowd: Crowd, *, seconds: float) -> Outcome:
    """Ask /health for so long while clients in a process of their own identify."""
    with (
        scratch_data_folder(crowd) as data_dir,
        running_service(data_dir) as service,
    ):
        service.wait_until("database_loaded")
        context = multiprocessing.get_context("spawn")
        stop: Event = context.Event()
        results: Queue[Statuses] = context.Queue()
        clients = context.Process(
            target=_identify_until,
            args=(stop, results, service.port, service.key),
            daemon=True,
        )
        clients.start()
        # Empty: it says that all eight are at work.
        results.get()
        started = time.monotonic()
        health_seconds = _ask_health(service, until=started + seconds)
        stop.set()
        statuses = results.get()
        clients.join()
        return Outcome(health_seconds, statuses, time.monotonic() - started)


def _ask_health(service: Service, *, until: float) -> list[float]:
    """Ask again and again; return the seconds of each, connecting included."""
    client = service.client()
    seconds = []
    while time.monotonic() < until:
        answer = client.health()
        seconds.append(answer.seconds)
        if answer.status != HTTPStatus.OK or not answer.content["database_loaded"]:
            raise RuntimeError(f"/health answered {answer.status}: {answer.content}")
        time.sleep(PAUSE_SECONDS)
    return seconds


def _identify_until(
    stop: Event, results: "Queue[Statuses]", port: int, key: str
) -> None:
    """Run the clients; put first an empty result, then what they were answered."""
    body = identify_body(marked_picture())
    statuses: Statuses = Counter()
    lock = threading.Lock()
    all_at_work = threading.Barrier(CLIENTS + 1)

    def identify_on(client: Client) -> None:
        client.health()
        all_at_work.wait()
        while not stop.is_set():
            answer = client.identify(body)
            with lock:
                statuses[answer.status] += 1
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                stop.wait(float(answer.headers["Retry-After"]))

    threads = [
        threading.Thread(target=identify_on, args=[Client(port, key)], daemon=True)
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    all_at_work.wait()
    results.put(Counter())
    for thread in threads:
        thread.join()
    results.put(statuses)


if __name__ == "__main__":
    sys.exit(main())
