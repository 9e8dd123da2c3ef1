"""Whether an update survives the death of any process at any moment.

    python -m benchmarks.kill_update [--quick | --runs N] [--seed N]

Each round publishes a newer release, asks for it, and at a random moment of the update
kills (SIGKILL) the process that works at it, the whole cluster, a process that serves,
gunicorn, or all of the service. What died is started again: by the service itself, or
by this program where it was all of it. Then exactly one release must be active, be
served and have all its files; nothing else may lie about but what one run can be
resumed from; and the next update must be complete, with nothing left in staging.
"""

import json
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.data_folder import ROOT
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.whole_service import WholeService, manage, names_in, running
from demo.release_simulator import ReleaseSimulator

VICTIMS = ("task", "cluster", "worker", "web", "service")

_ROUNDS = 200
_QUICK_ROUNDS = 4
# Slow enough for every phase to be hit, and quick enough for many rounds.
_BYTES_PER_SECOND = 150_000
_FIRST = "2026.03.01"
_PEOPLE = (6, 7)
_SEED = 41


@dataclass(frozen=True)
class Round:
    """Who was killed, at which phase of the update, and what was wrong afterwards."""

    victim: str
    phase: str
    problems: tuple[str, ...]
    seconds: float


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argument_parser(__doc__)
    parser.add_argument("--runs", type=int, default=_ROUNDS)
    parser.add_argument("--seed", type=int, default=_SEED)
    options = parser.parse_args()
    print_machine()
    rounds = list(
        play(_QUICK_ROUNDS if options.quick else options.runs, seed=options.seed)
    )
    print(f"killed: {dict(Counter(each.victim for each in rounds))}")
    print(f"while: {dict(Counter(each.phase for each in rounds))}")
    return print_figures(figures(rounds))


def figures(rounds: list[Round]) -> list[Figure]:
    """Return what the benchmark is about."""
    failed = [each for each in rounds if each.problems]
    return [
        Figure("rounds", len(rounds), "kills"),
        Figure("rounds_survived", len(rounds) - len(failed), "of them"),
        Figure("rounds_failed", len(failed), "of them", 0),
    ]


def play(count: int, *, seed: int) -> Iterator[Round]:
    """Yield so many rounds, one after the other, on one data folder."""
    chance = random.Random(seed)
    with playground() as (service, simulator, archives):
        undisturbed = _undisturbed_seconds(service, simulator, archives[1])
        print(f"an undisturbed update takes {undisturbed:.1f} s", flush=True)
        for number in range(count):
            version = f"{_FIRST}.{number + 2}"
            publish(simulator, version, archives[number % 2])
            victim = VICTIMS[number % len(VICTIMS)]
            moment = chance.uniform(0, undisturbed)
            yield _play_one(service, version, victim=victim, moment=moment)


@contextmanager
def playground(
    **environment: str,
) -> Iterator[tuple[WholeService, ReleaseSimulator, list[Path]]]:
    """Yield a running service, a feed for it, and two archives to publish from."""
    with (
        tempfile.TemporaryDirectory(prefix="stash-sense-kill-") as name,
        ReleaseSimulator() as simulator,
    ):
        folder = Path(name)
        data_dir = folder / "data"
        shutil.copytree(ROOT / "demo" / "networks", data_dir / "models" / "demo-1")
        archives = [
            _build(data_dir, folder / str(people), people) for people in _PEOPLE
        ]
        manage(data_dir, "prepare", "--no-demo")
        manage(data_dir, "import_release", str(archives[0]), "--activate")
        simulator.faults.bytes_per_second = _BYTES_PER_SECOND
        service = WholeService(
            data_dir,
            STASH_SENSE_RELEASE_FEED=simulator.feed_url,
            LOG_LEVEL="info",
            **environment,
        )
        # No old release is kept, or its files would be linked and not fetched.
        service.rows(
            "INSERT INTO dbupdates_updatepolicy (id, is_checking, is_installing,"
            " window_start, window_end, kept_count)"
            " VALUES (1, 0, 0, '03:00', '06:00', 0)"
        )
        with running(service):
            yield service, simulator, archives


def _build(data_dir: Path, folder: Path, people: int) -> Path:
    """Return the zip of a release of so many drawn people."""
    manage(
        data_dir,
        *["demo_release", "--people", str(people), "--version", _FIRST],
        *["--out", str(folder)],
    )
    (archive,) = folder.glob("*.zip")
    return archive


def publish(
    simulator: ReleaseSimulator, version: str, archive: Path, *, notes: str = ""
) -> None:
    """Publish the archive's files under another version, and nothing else."""
    target = archive.parent / f"{version}.zip"
    with (
        zipfile.ZipFile(archive) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content) | {"version": version}
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    content = target.read_bytes()
    target.unlink()
    for release in [*simulator.versions()]:
        simulator.withdraw(release)
    simulator.publish(version, content, notes=notes)


def update(service: WholeService, version: str) -> None:
    """Update to the release and wait until that is complete."""
    status, answer = service.ask("POST", "/database/update", {"version": version})
    if status == 409:
        # What a swap left is being finished.
        wait_until_settled(service)
        status, answer = service.ask("POST", "/database/update", {"version": version})
    if status != 200 and answer.get("code") != "already_latest":
        raise RuntimeError(f"/database/update answered {status}: {answer}")
    wait_until_settled(service)


def wait_until_settled(service: WholeService) -> None:
    """Wait until every process is up, no run goes on, and what is active is served."""

    def is_settled() -> bool:
        if not service.is_healthy():
            return False
        state = service.ask("GET", "/database/update/status")[1]
        health = service.ask("GET", "/health")[1]
        is_over = state["phase"] in (None, "complete", "failed", "cancelled")
        is_served = health["release"] == state["current_version"]
        return bool(is_over and is_served and not health["is_loading"])

    service.wait_until(is_settled, "the service to settle")


def _undisturbed_seconds(
    service: WholeService, simulator: ReleaseSimulator, archive: Path
) -> float:
    version = f"{_FIRST}.1"
    publish(simulator, version, archive)
    started = time.monotonic()
    update(service, version)
    return time.monotonic() - started


def _play_one(
    service: WholeService, version: str, *, victim: str, moment: float
) -> Round:
    started = time.monotonic()
    service.wait_until(lambda: _is_complete(service), "all processes")
    status, answer = service.ask("POST", "/database/update", {"version": version})
    if status != 200:
        return Round(victim, "-", (f"answered {status}: {answer}",), 0)
    time.sleep(moment)
    ((phase,),) = service.rows(
        "SELECT phase FROM dbupdates_updaterun WHERE job_id = ?", answer["job_id"]
    )
    _kill(service, victim)
    problems: list[str] = []
    try:
        wait_until_settled(service)
        problems += service.problems()
        update(service, version)
        problems += service.problems()
        if service.ask("GET", "/health")[1]["release"] != version:
            problems.append("the next update did not succeed")
        if left := names_in(service.data_dir / "staging"):
            problems.append(f"left in staging are {left}")
    except (TimeoutError, RuntimeError) as error:
        problems.append(str(error))
    outcome = Round(victim, phase, tuple(problems), time.monotonic() - started)
    if problems:
        print(f"{version}: {outcome}", flush=True)
        _keep(service, version)
    return outcome


def _is_complete(service: WholeService) -> bool:
    """Return whether a worker serves and the cluster has all its processes."""
    try:
        web, cluster = service.programs()
        return bool(web.children()) and len(cluster.children(recursive=True)) >= 4
    except (StopIteration, psutil.Error):
        return False


def _kill(service: WholeService, victim: str) -> None:
    if victim == "service":
        service.kill()
        service.start()
        return
    web, cluster = service.programs()
    (sentinel,) = cluster.children()
    process = {
        # django-q2 starts its one worker before its other processes.
        "task": min(sentinel.children(), key=lambda child: child.create_time()),
        "cluster": cluster,
        "worker": web.children()[0],
        "web": web,
    }[victim]
    process.kill()
    psutil.wait_procs([process], timeout=10)


def _keep(service: WholeService, version: str) -> None:
    """Leave a copy of the log, for whoever looks into a round that failed."""
    target = Path(tempfile.gettempdir()) / f"kill-update-{version}.log"
    shutil.copy(service.data_dir.parent / "service.log", target)
    print(f"the log until then: {target}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
