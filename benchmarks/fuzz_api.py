"""Whether the API answers as it is described, asked by chance, in the demo world.

    python -m benchmarks.fuzz_api [--quick] [--requests N] [--data-dir FOLDER]

The service runs with its stand-in Stash and stash-box and a feed of its own, cut off
from every other network where the machine permits.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.api_fuzzing import Fuzzer, Known, Tally
from benchmarks.cut_network import cut_network
from benchmarks.data_folder import ROOT, service_environment
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.service import HOST, free_port
from demo.release_simulator import ReleaseSimulator

# As demo.install names it, which cannot be imported without settings.
DEMO_VERSION = "2026.01.01"
REQUESTS_WANTED = 5000
_QUICK_REQUESTS = 500
EXAMPLES_A_ROUND = 5
SECONDS_EACH = 20.0
# A first start draws a library of films.
READY_SECONDS = 600
# What is found first is what routes can be asked about.
_BEGUN_FIRST = ("duplicate_scene_files", "duplicate_scenes", "unidentified_scenes")
_SETTLE_SECONDS = 180


class Subject:
    """A running service that is asked, with its key."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.headers = {"X-Api-Key": key}

    def get(self, path: str) -> Any:
        """Return what a GET answers, or None where it is refused."""
        answer = self._ask("GET", path)
        return answer.json() if answer is not None and answer.ok else None

    def post(self, path: str, body: Any = None) -> None:
        """Begin something; whether it is accepted does not matter."""
        self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        with contextlib.suppress(requests.ConnectionError):
            return requests.request(
                method,
                self.base_url + path,
                json=body,
                headers=self.headers,
                timeout=READY_SECONDS,
            )
        return None

    def wait_until_settled(self) -> None:
        """Return when Stash is there and nothing waits or runs, or time is up."""
        _wait(lambda: (self.get("/recommendations/stash/status") or {})["connected"])
        for type_id in _BEGUN_FIRST:
            self.post("/queue", {"type_id": type_id})
        self.post("/recommendations/fingerprints/generate", {})
        until = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < until:
            jobs = (self.get("/queue") or {}).get("jobs", [])
            if not {job["status"] for job in jobs} & {"queued", "running"}:
                return
            time.sleep(1)


def main() -> int:
    """Ask and print; return the exit status."""
    parser = argument_parser(__doc__)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--data-dir", type=Path, help="kept and used again")
    options = parser.parse_args()
    is_cut = cut_network("benchmarks.fuzz_api", sys.argv[1:])
    print_machine()
    print(f"The network is {'cut' if is_cut else 'NOT cut: names may be looked up'}")
    wanted = options.requests or (_QUICK_REQUESTS if options.quick else REQUESTS_WANTED)
    with contextlib.ExitStack() as stack:
        folder = options.data_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory())
        )
        subject = stack.enter_context(demo_service(folder))
        subject.wait_until_settled()
        started = time.monotonic()
        tally = fuzz(subject, wanted)
        seconds = time.monotonic() - started
    return report(tally, seconds, wanted)


def fuzz(subject: Subject, wanted: int) -> Tally:
    """Return what at least so many requests were answered."""
    tally = Tally()
    description = subject.get("/openapi.json")
    round_number = 0
    while tally.answers.total() < wanted:
        round_number += 1
        fuzzer = Fuzzer(
            description,
            subject.base_url,
            subject.headers,
            known=known_values(subject),
            tally=tally,
        )
        fuzzer.run(
            examples=EXAMPLES_A_ROUND,
            seconds_each=SECONDS_EACH,
            first_seed=round_number,
        )
        print(f"round {round_number}: {tally.answers.total()} requests", flush=True)
    return tally


def report(tally: Tally, seconds: float, wanted: int) -> int:
    """Print what was wrong and the figures; return the exit status."""
    for kind, found in (
        ("5xx", tally.server_errors),
        ("not as described", tally.violations),
    ):
        for violation, times in found.most_common():
            print(f"\n{kind}, {times} times: {violation}", file=sys.stderr)
    answers = sorted(tally.answers.items())
    print("Answers:", ", ".join(f"{status}: {times}" for status, times in answers))
    print(f"Slowest: {tally.slowest_operation}, {tally.slowest_seconds:.1f} s")
    total = tally.answers.total()
    return print_figures(
        [
            Figure("requests", total, f"(at least {wanted})"),
            Figure("operations_accepted", len(tally.accepted), "answered below 400"),
            Figure("requests_a_second", total / seconds, ""),
            Figure("server_errors", tally.server_errors.total(), "answers of 5xx", 0),
            Figure("violations", tally.violations.total(), "of the description", 0),
        ]
    )


def known_values(subject: Subject) -> Known:
    """Return values there are, by the names that routes have for them."""

    def listed(path: str, key: str) -> list[Any]:
        found = subject.get(path) or {}
        rows: list[Any] = found.get(key, []) if isinstance(found, dict) else found
        return rows

    jobs = [job["id"] for job in listed("/queue", "jobs")]
    recommendations = [
        each["id"] for each in listed("/recommendations", "recommendations")
    ]
    settings = [
        key
        for category in (subject.get("/settings") or {}).get("categories", {}).values()
        for key in category["settings"]
    ]
    boxes = listed("/system/stashbox-connections", "connections")
    people = listed("/identify/unknown", "groups")
    ids = [*range(1, 9)]
    by_name: dict[str, list[Any]] = {
        **dict.fromkeys(("job_id", "run_id"), jobs),
        **dict.fromkeys(("rec_id", "recommendation_id", "ids"), recommendations),
        "key": settings,
        "group_id": [each["group_id"] for each in people] or ids,
        "endpoint": [box["endpoint"] for box in boxes],
        "type": [*_BEGUN_FIRST],
        "type_id": [*_BEGUN_FIRST],
        "version": [DEMO_VERSION],
        **dict.fromkeys(
            (
                *("stash_id", "scene_id", "image_id", "gallery_id", "performer_id"),
                *("tag_id", "studio_id", "destination_id", "source_ids", "entity_id"),
                *("correction_id", "item_id"),
            ),
            ids,
        ),
    }
    return {name: values for name, values in by_name.items() if values}


@contextmanager
def demo_service(folder: Path) -> Iterator[Subject]:
    """Yield the service on the data folder, with the demo world and its Stash."""
    port, key = free_port(), secrets.token_urlsafe()
    folder.mkdir(parents=True, exist_ok=True)
    with ReleaseSimulator() as simulator, (folder / "service.log").open("ab") as log:
        simulator.publish(DEMO_VERSION, None)
        sources = {
            f"STASH_SENSE_MODEL_SOURCE{maker}": simulator.files_url
            for maker in ("", "_INSIGHTFACE", "_MEDIAPIPE")
        }
        process = subprocess.Popen(
            [
                *[sys.executable, "-P", "-m", "stashsense.serve"],
                *["--host", HOST, "--port", str(port)],
                *["--data-dir", str(folder / "data")],
                *["--demo-stash", str(free_port())],
            ],
            cwd=ROOT,
            env=service_environment(folder / "data")
            | sources
            | {
                "STASH_SENSE_API_KEY": key,
                "STASH_SENSE_RELEASE_FEED": simulator.feed_url,
                # Its stand-in stands up to more than a real one is asked.
                "STASH_RATE_LIMIT": "50",
            },
            stdout=log,
            stderr=log,
        )
        subject = Subject(f"http://{HOST}:{port}", key)
        try:
            _wait(lambda: subject.get("/health"))
            yield subject
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.wait()
    for left in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.kill()


def _wait(condition: Any) -> None:
    until = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"waited in vain; see service.log, {os.getpid()}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
