"""How long an update takes beside fetching, unpacking and hashing the same by hand.

    python -m benchmarks.update_pipeline [--quick]

A release of 1.5 GB is served over HTTP on the loopback by a process of its own. The
update is done as a process of the background does it: fetched and hashed, unpacked and
hashed again, loaded on trial in a subprocess, and activated. By hand it is curl, unzip
and sha256sum, one after the other, and nothing is loaded. Both in turns; medians.
Then one small file of the release changes, and the update is done again.
"""

import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cache import cache_dir
from benchmarks.data_folder import (
    DATABASE_NAME,
    ROOT,
    VERSION,
    prepared_data_folder,
    service_environment,
)
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.published_archive import (
    NEXT_VERSION,
    Archives,
    published_archives,
)
from benchmarks.whole_service import manage
from demo.release_simulator import ReleaseSimulator

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

WALL_GOAL = 1.2
PEAK_GOAL_MB = 150
FETCHED_GOAL = 0.03

_ROUNDS = 3
_QUICK_ROUNDS = 1
_PADDING_BYTES = 520_000_000
_QUICK_PADDING_BYTES = 20_000_000


@dataclass(frozen=True)
class ByHand:
    """Seconds of each tool."""

    curl: float
    unzip: float
    sha256sum: float

    @property
    def seconds(self) -> float:
        return self.curl + self.unzip + self.sha256sum


@dataclass(frozen=True)
class Outcome:
    """The rounds of both, and the update after a small change."""

    archive_bytes: int
    updates: list[dict[str, Any]]
    by_hand: list[ByHand]
    small_update: dict[str, Any]


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    print_machine()
    if options.quick:
        outcome = measure(
            QUICK, rounds=_QUICK_ROUNDS, padding_bytes=_QUICK_PADDING_BYTES
        )
    else:
        outcome = measure(PRODUCTION, rounds=_ROUNDS, padding_bytes=_PADDING_BYTES)
    print(f"archive of {outcome.archive_bytes / 1e6:.0f} MB")
    for update, by_hand in zip(outcome.updates, outcome.by_hand, strict=True):
        print(f"update {update['seconds']:.2f} s: {update['phase_seconds']}")
        print(f"by hand {by_hand.seconds:.2f} s: {by_hand}")
    return print_figures(figures(outcome))


def figures(outcome: Outcome) -> list[Figure]:
    """Return what the benchmark is about."""
    updates = outcome.updates
    by_hand = statistics.median(each.seconds for each in outcome.by_hand)
    wall = statistics.median(update["seconds"] for update in updates)
    without_trial = statistics.median(
        update["seconds"] - update["phase_seconds"]["verifying"] for update in updates
    )
    peak = max(update["peak_bytes"] for update in updates)
    trial_peak = max(update["trial_peak_bytes"] for update in updates)
    fetched = outcome.small_update["fetched_bytes"] / outcome.archive_bytes
    return [
        Figure("update", wall, "s"),
        Figure("by_hand", by_hand, "s"),
        Figure("wall_without_trial_load", without_trial / by_hand, "of by hand"),
        Figure("trial_load_peak", trial_peak / 1e6, "MB in a subprocess"),
        Figure("wall", wall / by_hand, "of by hand", WALL_GOAL),
        Figure("task_peak", peak / 1e6, "MB resident", PEAK_GOAL_MB),
        Figure("fetched_after_small_change", fetched, "of archive", FETCHED_GOAL),
    ]


def measure(crowd: Crowd, *, rounds: int, padding_bytes: int) -> Outcome:
    """Update and do it by hand so many times, in turns."""
    archives = published_archives(crowd, padding_bytes=padding_bytes)
    _read(archives.first)
    _read(archives.following)
    updates, by_hand = [], []
    with tempfile.TemporaryDirectory(prefix="pipeline-", dir=cache_dir()) as name:
        work = Path(name)
        for _ in range(rounds):
            with serving(archives, versions=[VERSION]) as (feed_url, archive_url):
                by_hand.append(_do_by_hand(archive_url, work / "by-hand"))
                data_dir = _fresh_data_folder(crowd, work / "data")
                updates.append(_update(data_dir, feed_url))
        with serving(archives, versions=[VERSION, NEXT_VERSION]) as (feed_url, _):
            small_update = _update(data_dir, feed_url)
    return Outcome(archives.first.stat().st_size, updates, by_hand, small_update)


def _update(data_dir: Path, feed_url: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.update_task", feed_url],
        cwd=ROOT,
        env=service_environment(data_dir),
        stdout=subprocess.PIPE,
        check=True,
    )
    outcome: dict[str, Any] = json.loads(answer.stdout)
    if outcome["phase"] != "complete":
        raise RuntimeError(f"the update is {outcome['phase']}: {outcome['error']}")
    return outcome


def _do_by_hand(url: str, folder: Path) -> ByHand:
    folder.mkdir()
    archive, unpacked = folder / "archive.zip", folder / "unpacked"
    try:
        curl = _seconds("curl", "--silent", "--fail", "--output", str(archive), url)
        unzip = _seconds("unzip", "-q", str(archive), "-d", str(unpacked))
        paths = sorted(str(path) for path in unpacked.iterdir())
        return ByHand(curl, unzip, _seconds("sha256sum", *paths))
    finally:
        shutil.rmtree(folder)


def _seconds(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _fresh_data_folder(crowd: Crowd, data_dir: Path) -> Path:
    """Return a data folder with the crowd's networks and nothing else."""
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir()
    (data_dir / "models").symlink_to(prepared_data_folder(crowd) / "models")
    manage(data_dir, "migrate", "--verbosity=0")
    assert (data_dir / DATABASE_NAME).is_file()
    return data_dir


@contextmanager
def serving(archives: Archives, *, versions: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the addresses of a feed and of its first archive."""
    context = multiprocessing.get_context("spawn")
    stop: Event = context.Event()
    addresses: Queue[tuple[str, str]] = context.Queue()
    server = context.Process(
        target=_serve, args=(archives, versions, addresses, stop), daemon=True
    )
    server.start()
    try:
        yield addresses.get()
    finally:
        stop.set()
        server.join()


def _serve(
    archives: Archives,
    versions: list[str],
    addresses: "Queue[tuple[str, str]]",
    stop: Event,
) -> None:
    paths = {VERSION: archives.first, NEXT_VERSION: archives.following}
    with ReleaseSimulator() as simulator:
        for version in versions:
            simulator.publish(version, paths[version])
        addresses.put((simulator.feed_url, simulator.archive_url(VERSION)))
        stop.wait()


def _read(path: Path) -> None:
    """Bring the file into the page cache."""
    with path.open("rb") as file:
        while file.read(1024 * 1024):
            pass


if __name__ == "__main__":
    sys.exit(main())
