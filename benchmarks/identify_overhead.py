"""What the service adds to the bare networks and indices: in time, and in memory.

    python -m benchmarks.identify_overhead [--quick]

The service and a process with the bare sessions and indices identify the same picture
in turns, so that whatever else the machine does falls on both.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

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

OVERHEAD_GOAL = 1.10
MEMORY_GOAL = 1.25

# Threads, arenas and caches find their size in these; they do not count.
_WARM_UP_ROUNDS = 2
_ROUNDS = 40
_QUICK_ROUNDS = 12
# However slow the machine is, `--quick` ends.
_QUICK_SECONDS = 20.0


@dataclass
class Rounds:
    """Seconds of the service and of the bare parts, an entry for each round."""

    answers: list[Answer] = field(default_factory=list)
    bare: list[dict[str, float]] = field(default_factory=list)

    @property
    def service_seconds(self) -> float:
        return statistics.median(answer.seconds for answer in self.answers)

    @property
    def bare_seconds(self) -> float:
        return statistics.median(sum(run.values()) for run in self.bare)

    def bare_parts(self) -> dict[str, float]:
        """Return the median seconds of each bare part."""
        return _medians(self.bare)

    def service_steps(self) -> dict[str, float]:
        """Return the median seconds of the steps the service tells of."""
        return _medians([_server_timing(answer) for answer in self.answers])


@dataclass(frozen=True)
class Outcome:
    """Everything that was measured. Memory: without a release, loaded, in use, bare."""

    rounds: Rounds
    without_release: Memory
    loaded: Memory
    used: Memory
    bare: Memory
    index_bytes: int


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    crowd = QUICK if options.quick else PRODUCTION
    print_machine()
    print_networks()
    outcome = measure(crowd, is_quick=options.quick)
    print_details(outcome)
    return print_figures(figures(outcome, has_memory_goal=not options.quick))


def measure(crowd: Crowd, *, is_quick: bool) -> Outcome:
    """Let the service and the bare process identify the picture in turns."""
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
        release_dir = release_folder(data_dir)
        with BareProcess(networks_folder(), release_dir, Path(file.name)) as bare:
            rounds = _take_turns(
                service.client(), identify_body(picture), bare, is_quick=is_quick
            )
            return Outcome(
                rounds=rounds,
                without_release=without_release,
                loaded=loaded,
                used=memory_of(service.worker_pid()),
                bare=memory_of(bare.pid),
                index_bytes=index_bytes(data_dir),
            )


def figures(outcome: Outcome, *, has_memory_goal: bool) -> list[Figure]:
    """Return what the benchmark is about."""
    rounds = outcome.rounds
    overhead = rounds.service_seconds / rounds.bare_seconds
    ms_per_face = 1000 * rounds.service_seconds / len(FACE_CENTRES)
    memory_ratio = outcome.used.resident_bytes / outcome.index_bytes
    memory_goal = MEMORY_GOAL if has_memory_goal else None
    return [
        Figure("identify_overhead", overhead, "of bare", OVERHEAD_GOAL),
        Figure("identify_time_per_face", ms_per_face, "ms"),
        Figure("resident_memory", memory_ratio, "of index bytes", memory_goal),
    ]


def print_details(outcome: Outcome) -> None:
    """Print the parts that the figures are made of."""
    rounds = outcome.rounds
    print(f"{len(rounds.answers)} rounds, {len(FACE_CENTRES)} faces, medians in ms:")
    print(
        f"  bare     {1000 * rounds.bare_seconds:7.1f}  {_in_ms(rounds.bare_parts())}"
    )
    print(
        f"  service  {1000 * rounds.service_seconds:7.1f}"
        f"  {_in_ms(rounds.service_steps())}"
    )
    print("Memory:")
    for name, memory in (
        ("service without a release", outcome.without_release),
        ("service, release loaded", outcome.loaded),
        ("service after the rounds", outcome.used),
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
    client: Client, body: bytes, bare: BareProcess, *, is_quick: bool
) -> Rounds:
    """Return rounds of both; who begins changes from round to round."""
    rounds = Rounds()
    for _ in range(_WARM_UP_ROUNDS):
        _identified(client, body)
        bare.run()
    started = time.monotonic()
    for number in range(_QUICK_ROUNDS if is_quick else _ROUNDS):
        if is_quick and time.monotonic() - started > _QUICK_SECONDS:
            break
        if number % 2:
            rounds.bare.append(bare.run())
            rounds.answers.append(_identified(client, body))
        else:
            rounds.answers.append(_identified(client, body))
            rounds.bare.append(bare.run())
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


def _server_timing(answer: Answer) -> dict[str, float]:
    """Return the seconds of each step, from the header."""
    entries = (
        entry.split(";dur=") for entry in answer.headers["Server-Timing"].split(", ")
    )
    return {name: float(milliseconds) / 1000 for name, milliseconds in entries}


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _in_ms(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in parts.items())


if __name__ == "__main__":
    sys.exit(main())
