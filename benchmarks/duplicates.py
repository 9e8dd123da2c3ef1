"""What it takes to find the duplicates of a large library, and whether all are found.

    python -m benchmarks.duplicates [--quick]

The analysis of duplicate scenes, worked at as the background does, in a fresh process
for each of three made-up libraries, of 25,000, 50,000 and 100,000 scenes (3,000, 6,000
and 12,000 with `--quick`). It asks a stand-in Stash, which is this process, over HTTP
at the default rate, and stores in a database what it finds. Nearly three quarters of
the scenes have a pHash; one in fifty is the copy of another, by its picture, its
stash-box id, its metadata or the people in it: `duplicate_library` plants them.

Then runs at the largest library are stopped while they read, pair and store: the time
from the stop until the process is free again, the longest of all.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from typing import Any

from benchmarks.analysis_process import (
    ANSWERING,
    DESCRIBING,
    PAIRING,
    PEOPLE,
    READING,
    SCORING,
    STORING,
    WAITING,
    AnalysisProcess,
    analysis_process,
)
from benchmarks.duplicate_library import DuplicateLibrary, make_library
from benchmarks.duplicate_stash import stash_library
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from demo.stash.server import StashServer

TYPE = "duplicate_scenes"
SIZES = (25_000, 50_000, 100_000)
QUICK_SIZES = (3_000, 6_000, 12_000)
SECONDS_GOAL = 60.0
PEAK_GOAL_MB = 1000.0
# Linear is 4; what is sorted, and what begins once, is little beside the reading.
GROWTH_GOAL = 6.0
STOP_GOAL_SECONDS = 5.0
DEFAULT_REQUESTS_PER_SECOND = 5.0

# What runs are stopped at, and so many seconds later.
_STOPS = ((READING, 2.0), (PAIRING, 0.2), (SCORING, 0.0), (DESCRIBING, 0.1))
_STAGES = (
    WAITING,
    ANSWERING,
    READING,
    PEOPLE,
    PAIRING,
    SCORING,
    DESCRIBING,
    STORING,
)


@dataclass(frozen=True)
class Measured:
    """What a run at a library of so many scenes took and found."""

    size: int
    seconds: float
    stages: dict[str, float]
    request_count: int
    peak_bytes: int
    found: set[tuple[str, str]]
    made_up: DuplicateLibrary

    @property
    def missing_count(self) -> int:
        return len(self.made_up.planted - self.found)

    @property
    def beside_count(self) -> int:
        return len(self.found - self.made_up.planted)


def growth(first: float, last: float, *, times: float) -> float:
    """Return the power of the size that the figure grows with."""
    return log(last / first) / log(times) if first > 0 and last > 0 else 0.0


@contextmanager
def analysing(made_up: DuplicateLibrary) -> Iterator[AnalysisProcess]:
    """Yield a process that is set to a Stash with the library, and knows its people."""
    library = stash_library(made_up)
    # Its hundred thousands of rows are not looked through at every page.
    gc.collect()
    gc.freeze()
    with StashServer(library) as stash, analysis_process(stash.url) as process:
        process.ask("keep_people", faces=made_up.faces)
        yield process
    gc.unfreeze()


def measure(size: int, process: AnalysisProcess, made_up: DuplicateLibrary) -> Measured:
    """Return what a first run takes and finds."""
    told: dict[str, Any] = process.ask("run", type=TYPE)
    rows = process.ask("found", type=TYPE)
    measured = Measured(
        size=size,
        seconds=told["seconds"],
        stages=told["stages"],
        request_count=told["requests"],
        peak_bytes=told["peak_bytes"],
        found={(row["scene_a_id"], row["scene_b_id"]) for row in rows},
        made_up=made_up,
    )
    stages = ", ".join(f"{name} {told['stages'].get(name, 0):.2f}" for name in _STAGES)
    print(f"{size:,} scenes, {measured.seconds:.1f} s: {stages}")
    before = told["peak_bytes_before"] / 1e6
    print(f"  {told['requests']} requests; {before:.0f} MB before the run")
    _print_beside(measured, rows)
    return measured


def _print_beside(measured: Measured, rows: list[dict[str, Any]]) -> None:
    """Print why what was not planted is proposed."""
    reasons: dict[str, int] = {}
    for row in rows:
        if (row["scene_a_id"], row["scene_b_id"]) not in measured.made_up.planted:
            told = f"{row['label']}: {', '.join(row['reasoning'])}"
            reasons[told] = reasons.get(told, 0) + 1
    for told, count in sorted(reasons.items(), key=lambda item: -item[1])[:3]:
        print(f"  beside the planted ones {count}: {told}", flush=True)


def longest_stop(process: AnalysisProcess) -> float:
    """Return the longest that a run went on after it was stopped, in any stage."""
    seconds: list[float] = []
    for stage, after in _STOPS:
        stopped = process.ask("stop", type=TYPE, stage=stage, after=after)
        print(f"stopped {stage}: {stopped['state']} in {stopped['seconds']:.2f} s")
        # One that ended by itself before says nothing.
        if stopped["state"] == "cancelled":
            seconds.append(float(stopped["seconds"]))
    return max(seconds, default=float("nan"))


def figures(measured: list[Measured], stop_seconds: float) -> list[Figure]:
    """Return what the benchmark is about."""
    first, last = measured[0], measured[-1]
    times = last.size / first.size
    answered_at_once = last.request_count / DEFAULT_REQUESTS_PER_SECOND
    return [
        *(
            Figure(f"growth_{name}", _stage_growth(first, last, name), "power of size")
            for name in (READING, PAIRING, SCORING, STORING)
        ),
        Figure(
            "growth_all",
            growth(first.seconds, last.seconds, times=times),
            "power of size",
        ),
        Figure(
            "waiting_for_the_rate",
            100 * last.stages.get(WAITING, 0.0) / last.seconds,
            "% of the time",
        ),
        Figure("requests_at_default_rate", answered_at_once, "s at least"),
        Figure("planted", len(last.made_up.planted), "pairs"),
        Figure("proposed_beside_planted", last.beside_count, "pairs"),
        Figure(
            "near_misses_proposed",
            sum(len(each.found & each.made_up.near_misses) for each in measured),
            "pairs",
            goal=0,
        ),
        Figure(
            "planted_missing",
            sum(each.missing_count for each in measured),
            "pairs",
            goal=0,
        ),
        *(
            Figure(f"wall_{each.size}", each.seconds, "s", goal=SECONDS_GOAL)
            for each in measured
        ),
        *(
            Figure(f"peak_{each.size}", each.peak_bytes / 1e6, "MB", goal=PEAK_GOAL_MB)
            for each in measured
        ),
        Figure(
            f"wall_of_{times:g}_times_as_many",
            last.seconds / first.seconds,
            "times",
            goal=GROWTH_GOAL,
        ),
        Figure("stopped_after", stop_seconds, "s", goal=STOP_GOAL_SECONDS),
    ]


def _stage_growth(first: Measured, last: Measured, stage: str) -> float:
    begin, end = first.stages.get(stage, 0.0), last.stages.get(stage, 0.0)
    return growth(begin, end, times=last.size / first.size)


def main() -> int:
    """Measure and print; return the exit status."""
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    print_machine()
    measured: list[Measured] = []
    stop_seconds = float("nan")
    sizes = QUICK_SIZES if is_quick else SIZES
    for size in sizes:
        made_up = make_library(size)
        with analysing(made_up) as process:
            measured.append(measure(size, process, made_up))
            if size == sizes[-1]:
                stop_seconds = longest_stop(process)
    return print_figures(figures(measured, stop_seconds))


if __name__ == "__main__":
    sys.exit(main())
