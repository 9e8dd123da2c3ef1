"""The really running service, and the world it works in, for all tests of the plugin.

Its processes are those of scripts/serve: a worker that identifies with the demo's
networks, and the background. Stash, stash-box and the feed of releases are stand-ins of
this process, which tests change as they like.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.kill_update import publish, wait_until_settled
from benchmarks.whole_service import WholeService, manage, running
from demo.release_simulator import Faults as FeedFaults
from demo.release_simulator import ReleaseSimulator
from demo.stash.library import Library, load_library
from demo.stash.server import DEFAULT_VERSION, Faults, StashServer
from demo.stash.testing import TINY_WORLD, tiny_library
from demo.stashbox.content import box_of_library
from demo.stashbox.joining import STASHDB, connect_box
from demo.stashbox.server import Faults as BoxFaults
from demo.stashbox.server import StashBoxServer
from stashsense.data_folder import ROOT

FIRST_VERSION = "2026.03.01"
STASH_KEY = "key-of-the-demo-stash"
# What belongs to the service and is no trace of a test.
_KEPT_TABLES = {
    "dbupdates_databaserelease", "dbupdates_releasefile", "recognition_modelfile",
    "recognition_servingprocess",
}  # fmt: skip
_TRACES = (
    "dbupdates_", "recognition_", "recommendations_", "django_q_ormq", "stashsense_",
)  # fmt: skip
# By table: who may still be at work.
_IN_PROGRESS = ("queued", "running", "downloading", "validating")
_WORKING = (
    "recognition_identificationjob", "recognition_libraryrun",
    "recognition_modeldownload", "recommendations_analysisrun",
)  # fmt: skip
_STOPS = (
    "/recommendations/fingerprints/stop", "/identify/local/stop",
    "/identify/evaluation/stop", "/models/cancel", "/database/update/cancel",
)  # fmt: skip


class Sense:
    """The service and all that it talks to.

    `service.ask(method, path, body)` asks its API, `service.rows(sql)` its database;
    `stash`, `box` and `feed` are the stand-ins.
    """

    def __init__(
        self,
        service: WholeService,
        stash: StashServer,
        box: StashBoxServer,
        feed: ReleaseSimulator,
        *,
        folder: Path,
    ) -> None:
        self.service = service
        self.stash = stash
        self.box = box
        self.feed = feed
        self._folder = folder
        self._published_count = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    @property
    def api_key(self) -> str:
        """The service's own key, not Stash's."""
        return self.service.key

    @property
    def library(self) -> Library:
        """The rows of the demo Stash, to look at and to change."""
        return self.stash.library

    def publish_newer_release(self, *, notes: str = "") -> str:
        """Put a release into the feed that is newer than any before; its version."""
        self._published_count += 1
        version = f"2026.04.{self._published_count:02}"
        publish(self.feed, version, release_archive(self._folder), notes=notes)
        return version

    def reset(self) -> None:
        """Have everything as it was at first; what still goes on is stopped."""
        self.stash.faults, self.box.faults = Faults(), BoxFaults()
        self.feed.faults = FeedFaults()
        self.stash.version, self.stash.api_key = DEFAULT_VERSION, STASH_KEY
        self._stop_all()
        self.stash.library = load_library(self._folder / "library")
        self.box.box = box_of_library(self.stash.library, STASHDB)
        connect_box(self.stash.library, self.box.endpoint)
        self._forget()
        for version in [*self.feed.versions()]:
            self.feed.withdraw(version)

    def _stop_all(self) -> None:
        if self._in_progress():
            for address in _STOPS:
                self.service.ask("POST", address, {})
            jobs = "SELECT job_id FROM recognition_identificationjob WHERE state IN "
            for (job_id,) in self.service.rows(jobs + "('queued', 'running')"):
                self.service.ask("POST", f"/identify/jobs/{job_id}/cancel", {})
            runs = "SELECT id FROM recommendations_analysisrun WHERE state IN "
            for (run_id,) in self.service.rows(runs + "('queued', 'running')"):
                self.service.ask("POST", f"/queue/{run_id}/stop", {})
            self.service.wait_until(
                lambda: not self._in_progress(), "what runs to stop"
            )
        else:
            self.service.ask("POST", "/database/update/cancel", {})
        wait_until_settled(self.service)
        info = self.service.ask("GET", "/database/info")[1]
        if info["version"] != FIRST_VERSION:
            address = f"/database/releases/{FIRST_VERSION}/activate"
            self.service.ask("POST", address, {})
            wait_until_settled(self.service)

    def _in_progress(self) -> bool:
        states = ", ".join(f"'{state}'" for state in _IN_PROGRESS)
        return any(
            self.service.rows(f"SELECT 1 FROM {table} WHERE state IN ({states})")
            for table in _WORKING
        )

    def _forget(self) -> None:
        """Have the service forget what tests chose and what it found."""
        for (key,) in self.service.rows("SELECT key FROM stashsense_preference"):
            self.service.ask("DELETE", f"/settings/{key}")
        tables = self.service.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        traces = [
            name
            for (name,) in tables
            if name.startswith(_TRACES) and name not in _KEPT_TABLES
        ]
        self.service.change_rows(*[f"DELETE FROM {name}" for name in traces])


@contextmanager
def running_sense(folder: Path) -> Iterator[Sense]:
    """Yield the service on a prepared folder; its log is `service.log` in there."""
    library = load_library(folder / "library")
    with ExitStack() as stack:
        stash = stack.enter_context(StashServer(library, api_key=STASH_KEY))
        box = stack.enter_context(StashBoxServer(box_of_library(library, STASHDB)))
        connect_box(library, box.endpoint)
        feed = stack.enter_context(ReleaseSimulator())
        service = WholeService(
            folder / "data",
            STASH_URL=stash.url,
            STASH_API_KEY=STASH_KEY,
            STASH_SENSE_RELEASE_FEED=feed.feed_url,
            STASH_SENSE_MODEL_SOURCE=feed.files_url,
            LOG_LEVEL="info",
        )
        stack.enter_context(running(service))
        wait_until_settled(service)
        yield Sense(service, stash, box, feed, folder=folder)


def prepare_folder(folder: Path, *, cache_dir: Path) -> None:
    """Fill a new folder, from the cache if no program that makes it has changed.

    It holds the library of the demo Stash, a release of its people, and the service's
    data folder, in which that release is active.
    """
    cached = cache_dir / _programs_digest()
    if not cached.is_dir():
        for other in cache_dir.iterdir():
            shutil.rmtree(other)
        # Renamed when it is complete, or an interrupted one would be taken for it.
        made = cache_dir / "unfinished"
        made.mkdir()
        _prepare(made)
        made.rename(cached)
    shutil.copytree(cached, folder, dirs_exist_ok=True)


def _prepare(folder: Path) -> None:
    data_dir = folder / "data"
    tiny_library(folder / "library")
    shutil.copytree(ROOT / "demo" / "networks", data_dir / "models" / "demo-1")
    manage(data_dir, "prepare", "--no-demo")
    manage(
        data_dir,
        "demo_release",
        *["--people", str(TINY_WORLD.people_count), "--seed", str(TINY_WORLD.seed)],
        *["--version", FIRST_VERSION, "--out", str(folder / "release")],
    )
    manage(data_dir, "import_release", str(release_archive(folder)), "--activate")


def _programs_digest() -> str:
    """Return what changes with any program or network that the folder is made by."""
    digest = hashlib.sha256()
    for app in ("stashsense", "recognition", "recommendations", "dbupdates", "demo"):
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix in {".py", ".onnx", ".json"} and "tests" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def release_archive(folder: Path) -> Path:
    """Return the zip of the release."""
    return next((folder / "release").glob("stash-sense-data-*.zip"))
