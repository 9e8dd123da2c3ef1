"""Loading a staged release in a process of its own, before anything serves it.

A bad index can end the process that loads it, or make it allocate without end; both
must happen to nobody else. Run as `python -m dbupdates.trial_load FOLDER`, which
checks the files against each other, writes the prepared form and answers in JSON
lines on its standard output. Knows no Django; both ends of the lines are here.
"""

import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from dbupdates.contents import (
    PERFORMERS_DB_NAME,
    check_performers_db,
    check_tattoo_names,
)
from dbupdates.exceptions import InvalidRelease, UnloadableIndex
from dbupdates.index_check import check_index
from dbupdates.manifest import (
    ADAFACE_INDEX_NAME,
    FACE_DIMENSIONS,
    FACE_INDEX_NAMES,
    TATTOO_DIMENSIONS,
    TATTOO_INDEX_NAME,
    TATTOO_NAMES_NAME,
)
from dbupdates.prepared import (
    FACES_NAME,
    PERFORMERS_NAME,
    open_prepared,
    write_prepared,
)

# A loaded index takes its file's size and little more, and is then mapped: three
# times the largest file and a gibibyte are plenty for any sound one.
MEMORY_PER_FILE_BYTE = 3
MEMORY_HEADROOM_BYTES = 1024**3
# 1.9 GB take 15 s on two idle cores; a slow disk under load reads 10 MB a second.
START_SECONDS = 120.0
SLOWEST_BYTES_PER_SECOND = 10_000_000
# How long a caller that wants to stop may go unasked.
HEARTBEAT_SECONDS = 0.5

_PROJECT_DIR = Path(__file__).resolve().parent.parent
_ERRORS = {error.code: error for error in (InvalidRelease, UnloadableIndex)}
_PR_SET_PDEATHSIG = 1

OnTrialBytes = Callable[[int], None]


@dataclass(frozen=True)
class TrialReport:
    """What a release that loads holds."""

    face_count: int
    performer_count: int


def load_on_trial(
    release_dir: Path,
    *,
    on_checked: OnTrialBytes,
    timeout_seconds: float | None = None,
) -> TrialReport:
    """Load the release in a subprocess, which leaves the prepared form in its folder.

    `on_checked` is called with the bytes checked so far, at least twice a second; what
    it raises ends the subprocess. Raises InvalidRelease, or UnloadableIndex also when
    the subprocess crashed, ran out of memory or took too long over an index.
    """
    if timeout_seconds is None:
        timeout_seconds = START_SECONDS + (
            _size_bytes(release_dir) / SLOWEST_BYTES_PER_SECOND
        )
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "dbupdates.trial_load", str(release_dir.absolute())],
            cwd=_PROJECT_DIR,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        try:
            assert process.stdout is not None
            conversation = _Conversation(on_checked)
            in_time = conversation.follow(
                process.stdout, until=time.monotonic() + timeout_seconds
            )
            if not in_time:
                raise conversation.failure(f"took more than {timeout_seconds:.0f} s")
            return_code = process.wait()
        finally:
            process.kill()
            process.communicate()
        if conversation.report is None:
            raise conversation.failure(_ending(return_code, complaints))
        return conversation.report


class _Conversation:
    """What the subprocess has said so far."""

    def __init__(self, on_checked: OnTrialBytes) -> None:
        self.report: TrialReport | None = None
        self._on_checked = on_checked
        self._file_name = "the release"
        self._checked_bytes = 0
        self._unread = b""

    def follow(self, answers: IO[bytes], *, until: float) -> bool:
        """Take in the answers to their end; False when `until` came first."""
        descriptor = answers.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while time.monotonic() < until:
                ready = selector.select(HEARTBEAT_SECONDS)
                received = os.read(descriptor, 65536) if ready else None
                if received == b"":
                    return True
                for line in self._lines(received or b""):
                    self._take_in(json.loads(line))
                self._on_checked(self._checked_bytes)
        return False

    def failure(self, what_happened: str) -> InvalidRelease:
        """Return the error for a trial that ended without an answer."""
        message = f"{self._file_name}: the trial load {what_happened}"
        if self._file_name.endswith(".voy"):
            return UnloadableIndex(message)
        return InvalidRelease(message)

    def _lines(self, received: bytes) -> list[bytes]:
        *lines, self._unread = (self._unread + received).split(b"\n")
        return lines

    def _take_in(self, answer: Mapping[str, Any]) -> None:
        if "checking" in answer:
            self._file_name = answer["checking"]
            self._checked_bytes = answer["checked_bytes"]
        elif "error" in answer:
            raise _ERRORS[answer["error"]](answer["message"])
        else:
            self.report = TrialReport(**answer["report"])


def _ending(return_code: int, complaints: IO[bytes]) -> str:
    if return_code < 0:
        return f"was ended by {signal.Signals(-return_code).name}"
    complaints.seek(0)
    last_line = complaints.read()[-2000:].decode(errors="replace").strip()
    reason = last_line.rpartition("\n")[2] or "no reason given"
    return f"failed with status {return_code}: {reason}"


def _environment() -> dict[str, str]:
    """Return ours, without what would add threads or hide the project's modules.

    Each thread of the mathematics libraries reserves memory, which is limited.
    """
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"
    }
    return environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _size_bytes(release_dir: Path) -> int:
    return sum(path.stat().st_size for path in release_dir.iterdir())


class _Checker:
    """The subprocess's side: checks file after file and says so."""

    def __init__(self, release_dir: Path, answers: IO[str]) -> None:
        self._release_dir = release_dir
        self._answers = answers
        self._checked_bytes = 0

    def answer(self, **content: Any) -> None:
        self._answers.write(json.dumps(content) + "\n")
        self._answers.flush()

    def check(self) -> TrialReport:
        """Return the counts all files agree on; the prepared form is written then."""
        check_performers_db(self._begin(PERFORMERS_DB_NAME))
        self._begin(FACES_NAME)
        self._begin(PERFORMERS_NAME)
        write_prepared(self._release_dir)
        prepared = open_prepared(self._release_dir)
        for name in FACE_INDEX_NAMES:
            self._check_index(
                name, FACE_DIMENSIONS, length=prepared.face_count, names=FACES_NAME
            )
        if self._has(ADAFACE_INDEX_NAME):
            check_index(self._begin(ADAFACE_INDEX_NAME), dimensions=FACE_DIMENSIONS)
        if self._has(TATTOO_INDEX_NAME):
            self._check_index(
                TATTOO_INDEX_NAME,
                TATTOO_DIMENSIONS,
                length=check_tattoo_names(self._begin(TATTOO_NAMES_NAME)),
                names=TATTOO_NAMES_NAME,
            )
        return TrialReport(
            face_count=prepared.face_count, performer_count=prepared.performer_count
        )

    def _check_index(
        self, index_name: str, dimensions: int, *, length: int, names: str
    ) -> None:
        element_count = check_index(self._begin(index_name), dimensions=dimensions)
        if element_count != length:
            raise InvalidRelease(
                f"{index_name} has {element_count} vectors, {names} {length} entries"
            )

    def _has(self, name: str) -> bool:
        return (self._release_dir / name).exists()

    def _begin(self, name: str) -> Path:
        path = self._release_dir / name
        self.answer(checking=name, checked_bytes=self._checked_bytes)
        self._checked_bytes += path.stat().st_size
        return path


def _limit_resources(release_dir: Path) -> None:
    """Make this process the first to go when memory ends, and let it go alone."""
    largest_bytes = max(path.stat().st_size for path in release_dir.iterdir())
    limit_bytes = (
        _address_space_bytes()
        + MEMORY_HEADROOM_BYTES
        + MEMORY_PER_FILE_BYTE * largest_bytes
    )
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    # A crash is an answer here, not something to keep 2 GB of memory image for.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("1000")
        # Nobody waits for the answer of a trial whose parent has died.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _address_space_bytes() -> int:
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def main(folder: str) -> int:
    """Check the release in `folder`, answering on standard output."""
    # Libraries may print; only answers belong on the pipe.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    checker = _Checker(Path(folder), answers)
    try:
        _limit_resources(Path(folder))
        report = checker.check()
    except InvalidRelease as exc:
        checker.answer(error=exc.code, message=str(exc))
        return 1
    checker.answer(report=asdict(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
