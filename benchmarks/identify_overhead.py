"""What the service adds to the bare networks and indices: in time, and in memory.

    python -m benchmarks.identify_overhead [--quick]

The service and processes with the bare sessions and indices identify the same picture
in turns, so that whatever else the machine does falls on all. One opens its sessions
as the service does; unless in a hurry, another does as ONNX Runtime does by default,
which tells what the service's way costs or saves.
"""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bare import BareProcess, Opening
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
_MIN_ROUNDS = 3
# With the warming up. On a slow machine three rounds take longer.
_QUICK_SECONDS = 12.0
# The service returns freed memory to the system every five seconds.
_SETTLE_SECONDS = 6.0

Parts = dict[str, float]


@dataclass
class Rounds:
    """What each party took, an entry for each round; of the bare ones part by part."""

    service: list[Answer] = field(default_factory=list)
    bare: dict[Opening, list[Parts]] = field(default_factory=dict)

    @property
    def service_seconds(self) -> float:
        return statistics.median(answer.seconds for answer in self.service)

    def bare_seconds(self, opening: Opening) -> float:
        return statistics.median(sum(parts.values()) for parts in self.bare[opening])


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
        outcome = measure(QUICK, ["as-served"], seconds=_QUICK_SECONDS)
    else:
        outcome = measure(PRODUCTION, ["as-served", "by-default"], seconds=_SECONDS)
    print_details(outcome)
    return print_figures(figures(outcome, has_memory_goal=not options.quick))


def measure(crowd: Crowd, openings: list[Opening], *, seconds: float) -> Outcome:
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
        with ExitStack() as stack:
            bare = {
                opening: stack.enter_context(BareProcess(*places, opening=opening))
                for opening in openings
            }
            client, body = service.client(), identify_body(picture)
            rounds = _take_turns(client, body, bare, seconds=seconds)
            used = memory_of(service.worker_pid())
            time.sleep(_SETTLE_SECONDS)
            bare["as-served"].release_memory()
            return Outcome(
                rounds=rounds,
                without_release=without_release,
                loaded=loaded,
                used=used,
                settled=memory_of(service.worker_pid()),
                bare=memory_of(bare["as-served"].pid),
                index_bytes=index_bytes(data_dir),
            )


def figures(outcome: Outcome, *, has_memory_goal: bool) -> list[Figure]:
    """Return what the benchmark is about.

    With a small index the networks outweigh it, so its memory has no goal.
    """
    rounds = outcome.rounds
    seconds = rounds.service_seconds
    bare_ratios = {
        opening: seconds / rounds.bare_seconds(opening) for opening in rounds.bare
    }
    resident_bytes = outcome.settled.resident_bytes
    found = [
        Figure("identify_time_per_face", 1000 * seconds / len(FACE_CENTRES), "ms"),
        _memory_figure("of_bare", outcome.bare.resident_bytes, outcome),
        _memory_figure("without_networks", resident_bytes - network_bytes(), outcome),
        Figure("identify_overhead", bare_ratios["as-served"], "of bare", OVERHEAD_GOAL),
        Figure(
            "resident_memory",
            resident_bytes / outcome.index_bytes,
            "of index bytes",
            MEMORY_GOAL if has_memory_goal else None,
        ),
    ]
    if "by-default" in bare_ratios:
        to_default = bare_ratios["by-default"]
        found.insert(1, Figure("identify_to_default_sessions", to_default, "of bare"))
    return found


def print_details(outcome: Outcome) -> None:
    """Print the parts that the figures are made of."""
    rounds = outcome.rounds
    steps = _medians([_server_timing(answer) for answer in rounds.service])
    print(f"{len(rounds.service)} rounds, {len(FACE_CENTRES)} faces, medians in ms:")
    print(f"  service: {1000 * rounds.service_seconds:.1f} ({_in_ms(steps)})")
    for opening, runs in rounds.bare.items():
        print(
            f"  bare, sessions opened {opening}:"
            f" {1000 * rounds.bare_seconds(opening):.1f} ({_in_ms(_medians(runs))})"
        )
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


def _memory_figure(what: str, resident_bytes: int, outcome: Outcome) -> Figure:
    ratio = resident_bytes / outcome.index_bytes
    return Figure(f"resident_memory_{what}", ratio, "of index bytes")


def _memory_without_release(crowd: Crowd) -> Memory:
    """Return what the worker takes before it has anything to serve."""
    with scratch_data_folder(crowd) as data_dir:
        retire_release(data_dir)
        with running_service(data_dir) as service:
            service.wait_until("status")
            return memory_of(service.worker_pid())


def _take_turns(
    client: Client, body: bytes, bare: dict[Opening, BareProcess], *, seconds: float
) -> Rounds:
    """Return rounds of all parties; who begins changes from round to round."""
    started = time.monotonic()
    for _ in range(_WARM_UP_ROUNDS):
        _identified(client, body)
        for process in bare.values():
            process.run()
    rounds = Rounds(bare={opening: [] for opening in bare})
    turns: list[Callable[[], None]] = [
        lambda: rounds.service.append(_identified(client, body)),
        *(partial(_run, process, rounds.bare[name]) for name, process in bare.items()),
    ]
    while len(rounds.service) < _MIN_ROUNDS or time.monotonic() - started < seconds:
        for turn in turns:
            turn()
        turns.append(turns.pop(0))
    return rounds


def _run(process: BareProcess, runs: list[Parts]) -> None:
    runs.append(process.run())


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


def _medians(runs: list[Parts]) -> Parts:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _in_ms(parts: Parts) -> str:
    return ", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in parts.items())


if __name__ == "__main__":
    sys.exit(main())
