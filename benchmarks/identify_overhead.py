"""What the service adds to the bare networks and indices: in time, and in memory.

    python -m benchmarks.identify_overhead [--quick]

The service and two processes with the bare sessions and indices identify the same
picture in turns, so that whatever else the machine does falls on all. One opens its
sessions as the service does; the other as ONNX Runtime does by default, which tells
what the service's way costs or saves.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bare import BareProcess
from benchmarks.data_folder import (
    index_bytes,
    release_folder,
    retire_release,
    scratch_data_folder,
)
from benchmarks.detector_graph import FACE_CENTRES, marked_picture
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.memory import Memory, memory_of
from benchmarks.networks import network_bytes, networks_folder, print_networks
from benchmarks.service import Answer, Client, identify_body, running_service

if TYPE_CHECKING:
    from collections.abc import Callable

OVERHEAD_GOAL = 1.10
MEMORY_GOAL = 1.25

# Threads and caches find their size in these; they do not count.
_WARM_UP_ROUNDS = 2
_SECONDS = 180.0
_QUICK_SECONDS = 8.0
_MIN_ROUNDS = 3
# The service returns freed memory to the system every five seconds.
_SETTLE_SECONDS = 6.0

Parts = dict[str, float]


@dataclass
class Rounds:
    """What each party took, an entry for each round; of the bare ones part by part."""

    service: list[Answer] = field(default_factory=list)
    bare: list[Parts] = field(default_factory=list)
    default: list[Parts] = field(default_factory=list)

    @property
    def service_seconds(self) -> float:
        return statistics.median(answer.seconds for answer in self.service)


@dataclass(frozen=True)
class Outcome:
    """The rounds; the service's memory from start to end, and the bare one's."""

    rounds: Rounds
    without_release: Memory
    loaded: Memory
    used: Memory
    settled: Memory
    bare: Memory
    index_bytes: int


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    print_machine()
    print_networks()
    if options.quick:
        outcome = measure(QUICK, seconds=_QUICK_SECONDS)
    else:
        outcome = measure(PRODUCTION, seconds=_SECONDS)
    print_details(outcome)
    return print_figures(figures(outcome, has_memory_goal=not options.quick))


def measure(crowd: Crowd, *, seconds: float) -> Outcome:
    """Let the parties identify the picture in turns for about so long."""
    picture = marked_picture()
    without_release = _memory_without_release(crowd)
    with (
        tempfile.NamedTemporaryFile(suffix=".jpg") as file,
        scratch_data_folder(crowd) as data_dir,
        running_service(data_dir) as service,
    ):
        file.write(picture)
        file.flush()
        service.wait_until("database_loaded")
        loaded = memory_of(service.worker_pid())
        places = (networks_folder(), release_folder(data_dir), Path(file.name))
        with (
            BareProcess(*places) as bare,
            BareProcess(*places, opening="by-default") as default,
        ):
            client, body = service.client(), identify_body(picture)
            rounds = _take_turns(client, body, bare, default, seconds=seconds)
            used = memory_of(service.worker_pid())
            time.sleep(_SETTLE_SECONDS)
            return Outcome(
                rounds=rounds,
                without_release=without_release,
                loaded=loaded,
                used=used,
                settled=memory_of(service.worker_pid()),
                bare=memory_of(bare.pid),
                index_bytes=index_bytes(data_dir),
            )


def figures(outcome: Outcome, *, has_memory_goal: bool) -> list[Figure]:
    """Return what the benchmark is about.

    With a small index the networks outweigh it, so its memory has no goal.
    """
    seconds = outcome.rounds.service_seconds
    resident_bytes = outcome.settled.resident_bytes
    without_networks = resident_bytes - network_bytes()
    return [
        Figure("identify_time_per_face", 1000 * seconds / len(FACE_CENTRES), "ms"),
        Figure(
            "identify_to_default_sessions",
            seconds / _total(outcome.rounds.default),
            "of bare",
        ),
        Figure(
            "resident_memory_without_networks",
            without_networks / outcome.index_bytes,
            "of index bytes",
        ),
        Figure(
            "identify_overhead",
            seconds / _total(outcome.rounds.bare),
            "of bare",
            OVERHEAD_GOAL,
        ),
        Figure(
            "resident_memory",
            resident_bytes / outcome.index_bytes,
            "of index bytes",
            MEMORY_GOAL if has_memory_goal else None,
        ),
    ]


def print_details(outcome: Outcome) -> None:
    """Print the parts that the figures are made of."""
    rounds = outcome.rounds
    steps = [_server_timing(answer) for answer in rounds.service]
    print(f"{len(steps)} rounds, {len(FACE_CENTRES)} faces, medians in ms:")
    for name, seconds, parts in (
        ("service", rounds.service_seconds, steps),
        ("bare sessions and indices", _total(rounds.bare), rounds.bare),
        ("the same by default", _total(rounds.default), rounds.default),
    ):
        print(f"  {name}: {1000 * seconds:.1f} ({_in_ms(_medians(parts))})")
    print("Memory:")
    for name, memory in (
        ("service without a release", outcome.without_release),
        ("service, release just loaded", outcome.loaded),
        ("service, picture just identified", outcome.used),
        (f"service, {_SETTLE_SECONDS:.0f} s later", outcome.settled),
        ("bare sessions and indices", outcome.bare),
    ):
        print(f"  {name}: {memory}")
    print(
        f"  on disk: indices {outcome.index_bytes / 1e6:.0f} MB,"
        f" networks {network_bytes() / 1e6:.0f} MB"
    )


def _memory_without_release(crowd: Crowd) -> Memory:
    """Return what the worker takes before it has anything to serve."""
    with scratch_data_folder(crowd) as data_dir:
        retire_release(data_dir)
        with running_service(data_dir) as service:
            service.wait_until("status")
            return memory_of(service.worker_pid())


def _take_turns(
    client: Client,
    body: bytes,
    bare: BareProcess,
    default: BareProcess,
    *,
    seconds: float,
) -> Rounds:
    """Return rounds of all parties; who begins changes from round to round."""
    rounds = Rounds()
    turns: list[Callable[[], None]] = [
        lambda: rounds.service.append(_identified(client, body)),
        lambda: rounds.bare.append(bare.run()),
        lambda: rounds.default.append(default.run()),
    ]
    for _ in range(_WARM_UP_ROUNDS):
        _identified(client, body)
        bare.run()
        default.run()
    started = time.monotonic()
    while len(rounds.default) < _MIN_ROUNDS or time.monotonic() - started < seconds:
        for turn in turns:
            turn()
        turns.append(turns.pop(0))
    return rounds


def _identified(client: Client, body: bytes) -> Answer:
    """Return the answer to the picture; it has to be the right one."""
    answer = client.identify(body)
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"/identify answered {answer.status}: {answer.content}")
    matches = [len(face["matches"]) for face in answer.content["faces"]]
    if len(matches) != len(FACE_CENTRES) or not all(matches):
        raise RuntimeError(f"/identify found {matches} matches of each face")
    return answer


def _server_timing(answer: Answer) -> Parts:
    """Return the seconds of each step, from the header."""
    entries = (
        entry.split(";dur=") for entry in answer.headers["Server-Timing"].split(", ")
    )
    return {name: float(milliseconds) / 1000 for name, milliseconds in entries}


def _total(runs: list[Parts]) -> float:
    """Return the median seconds of whole runs."""
    return statistics.median(sum(parts.values()) for parts in runs)


def _medians(runs: list[Parts]) -> Parts:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _in_ms(parts: Parts) -> str:
    return ", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in parts.items())


if __name__ == "__main__":
    sys.exit(main())
