"""How soon a started service answers, and how soon it identifies.

    python -m benchmarks.start_up [--quick]

Compared with a fresh process that opens the bare sessions and indices and does nothing
else. Files are in the page cache for both: the disk's speed is not ours. Each start is
made several times, in turns, and medians are given.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from benchmarks.bare import BareProcess
from benchmarks.data_folder import release_folder, scratch_data_folder
from benchmarks.detector_graph import marked_picture
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.networks import NETWORK_FILES, networks_folder, print_networks
from benchmarks.service import identify_body, running_service

HEALTH_GOAL_SECONDS = 3
# Over the bare load.
IDENTIFY_GOAL_SECONDS = 3

_STARTS = 5
_QUICK_STARTS = 2
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Start:
    """Seconds since a process was started.

    Of the service: the first answer of /health, the release loaded, the picture
    identified. Of the bare process: everything loaded, and the loading alone.
    """

    health: float
    loaded: float
    identified: float
    bare_loaded: float
    bare_loading: float


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__).parse_args()
    print_machine()
    print_networks()
    if options.quick:
        starts = measure(QUICK, starts=_QUICK_STARTS)
    else:
        starts = measure(PRODUCTION, starts=_STARTS)
    for start in starts:
        print(
            f"health {start.health:.2f} s, loaded {start.loaded:.2f} s,"
            f" identified {start.identified:.2f} s; bare process loaded"
            f" {start.bare_loaded:.2f} s, of which loading {start.bare_loading:.2f} s"
        )
    return print_figures(figures(starts))


def figures(starts: list[Start]) -> list[Figure]:
    """Return what the benchmark is about."""
    identified = statistics.median(start.identified for start in starts)
    bare = statistics.median(start.bare_loading for start in starts)
    return [
        Figure(
            "health_after_start",
            statistics.median(start.health for start in starts),
            "s",
            HEALTH_GOAL_SECONDS,
        ),
        Figure("bare_load", bare, "s"),
        Figure("first_identification", identified, "s", bare + IDENTIFY_GOAL_SECONDS),
    ]


def measure(crowd: Crowd, *, starts: int) -> list[Start]:
    """Start the service and the bare process so many times, in turns."""
    picture = marked_picture()
    with (
        tempfile.NamedTemporaryFile(suffix=".jpg") as file,
        scratch_data_folder(crowd) as data_dir,
    ):
        file.write(picture)
        file.flush()
        _read_all(data_dir)
        return [
            _start_once(data_dir, Path(file.name), identify_body(picture))
            for _ in range(starts)
        ]


def _start_once(data_dir: Path, picture: Path, body: bytes) -> Start:
    with running_service(data_dir) as service:
        health = service.wait_until("status")
        loaded = service.wait_until("database_loaded")
        answer = service.client().identify(body)
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"/identify answered {answer.status}: {answer.content}")
        identified = time.perf_counter() - service.started_at
    with BareProcess(networks_folder(), release_folder(data_dir), picture) as bare:
        return Start(
            health=health,
            loaded=loaded,
            identified=identified,
            bare_loaded=bare.seconds_to_load,
            bare_loading=sum(bare.loading.values()),
        )


def _read_all(data_dir: Path) -> None:
    """Bring the release and the networks into the page cache."""
    paths = [path for path in release_folder(data_dir).rglob("*") if path.is_file()]
    paths += [networks_folder() / name for name in NETWORK_FILES]
    for path in paths:
        with path.open("rb") as file:
            while file.read(_CHUNK_BYTES):
                pass


if __name__ == "__main__":
    sys.exit(main())
