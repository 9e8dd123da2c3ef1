"""What it takes to keep up with a stash-box, and whether anything is missed.

    python -m benchmarks.upstream [--quick]

A library of 10,000 performers (1,000 with `--quick`), each linked to a stash-box that
says the same of them. A first run of the analysis of changed performers, worked at as
the background does, looks at all. Then one performer in a hundred is changed at the
stash-box, some are merged there or deleted, some are linked newly, some are edited in
the library, with and without a change at the stash-box, and three times as many are
changed whom the library does not have. The second run should propose what follows from
that and nothing else; the third should find nothing to do.

The library's Stash and the stash-box are stand-ins in this process, over HTTP; the runs
are in another. The stash-box is asked as fast as it answers, and Stash at the default
rate. `at_240_a_minute` is how long the requests take at a stash-box's usual rate.
"""

import gc
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks.analysis_process import WAITING, AnalysisProcess, analysis_process
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.upstream_world import (
    Changed,
    World,
    change,
    connect,
    make_world,
    told,
)
from demo.stash.server import StashServer
from demo.stashbox.server import StashBoxServer

TYPE = "upstream_performer_changes"
PERFORMERS = 10_000
QUICK_PERFORMERS = 1_000
REQUESTS_GOAL = 150
USUAL_REQUESTS_PER_MINUTE = 240


@dataclass(frozen=True)
class Run:
    """What one run took: requests to the stash-box and to Stash, and what stands."""

    seconds: float
    waiting_seconds: float
    box_requests: int
    stash_requests: int
    peak_bytes: int
    told: dict[str, str]

    @property
    def usual_seconds(self) -> float:
        return self.box_requests * 60 / USUAL_REQUESTS_PER_MINUTE


class Workplace:
    """The analysing process between its two stand-ins."""

    def __init__(
        self, process: AnalysisProcess, stash: StashServer, box: StashBoxServer
    ) -> None:
        self._process = process
        self._stash = stash
        self._box = box

    def run(self, name: str) -> Run:
        """Work at a run until it is complete."""
        before = self._box.request_count, len(self._stash.requests)
        took: dict[str, Any] = self._process.ask("run", type=TYPE)
        run = Run(
            seconds=took["seconds"],
            waiting_seconds=took["stages"].get(WAITING, 0.0),
            box_requests=self._box.request_count - before[0],
            stash_requests=len(self._stash.requests) - before[1],
            peak_bytes=took["peak_bytes"],
            told=told(self._process.ask("found", type=TYPE)),
        )
        stages = ", ".join(f"{key} {took['stages'][key]:.2f}" for key in took["stages"])
        print(
            f"{name}: {run.seconds:.1f} s ({stages}), {run.box_requests} requests to"
            f" the stash-box, {run.stash_requests} to Stash, {len(run.told)} proposed",
            flush=True,
        )
        return run


def play(world: World) -> tuple[list[Run], Changed]:
    """Return the three runs, and what was changed before the second."""
    with (
        StashServer(world.library) as stash,
        StashBoxServer(world.box) as box,
    ):
        connect(world, box.endpoint, box.api_key)
        gc.collect()
        gc.freeze()
        with analysis_process(stash.url) as process:
            workplace = Workplace(process, stash, box)
            first = workplace.run("all")
            changed = change(world)
            second = workplace.run("what changed")
            third = workplace.run("nothing")
    return [first, second, third], changed


def figures(runs: list[Run], changed: Changed) -> list[Figure]:
    """Return what the benchmark is about."""
    first, second, third = runs
    expected = changed.proposed()
    missed = [each for each, what in expected.items() if second.told.get(each) != what]
    beside = second.told.keys() - expected.keys()
    return [
        Figure("all_requests", first.box_requests, "requests"),
        Figure("all_wall", first.seconds, "s"),
        Figure("all_waiting_for_stash_rate", first.waiting_seconds, "s"),
        Figure("all_at_240_a_minute", first.usual_seconds, "s"),
        Figure("changed_wall", second.seconds, "s"),
        Figure("changed_at_240_a_minute", second.usual_seconds, "s"),
        Figure("nothing_wall", third.seconds, "s"),
        Figure("nothing_requests", third.box_requests, "requests"),
        Figure("peak", max(run.peak_bytes for run in runs) / 1e6, "MB"),
        Figure("expected", len(expected), "performers"),
        Figure("proposed_at_first", len(first.told), "performers", goal=0),
        Figure("missed", len(missed), "performers", goal=0),
        Figure("proposed_beside", len(beside), "performers", goal=0),
        Figure(
            "altered_by_nothing",
            len(second.told.items() ^ third.told.items()),
            "performers",
            goal=0,
        ),
        Figure("changed_requests", second.box_requests, "requests", REQUESTS_GOAL),
    ]


def main() -> int:
    """Measure and print; return the exit status."""
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    print_machine()
    world = make_world(QUICK_PERFORMERS if is_quick else PERFORMERS)
    return print_figures(figures(*play(world)))


if __name__ == "__main__":
    sys.exit(main())
