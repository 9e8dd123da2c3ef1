"""A data folder of its own for each test, and a look at what a test did to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dbupdates import runs, store
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, ReleaseFile, UpdateRun
from dbupdates.progress import SWAP
from dbupdates.runs import Asker
from dbupdates.signals import ServingReport, release_preparing, serving_asked
from dbupdates.tests.builder import NETWORK_FILES, NETWORKS, ReleaseBuilder
from dbupdates.tests.factories import DatabaseReleaseFactory
from demo.release_simulator import ReleaseSimulator
from stashsense import hosts
from stashsense.downloads.fetcher import Patience


@pytest.fixture
def data_dir(settings, tmp_path):
    """Return the data folder, with the networks that built releases name."""
    settings.DATA_DIR = tmp_path / "data"
    settings.MODELS_DIR = settings.DATA_DIR / "models"
    for name, content in NETWORK_FILES.items():
        path = settings.MODELS_DIR / str(NETWORKS["name"]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return settings.DATA_DIR


@pytest.fixture
def builder():
    return ReleaseBuilder()


@pytest.fixture
def large_builder():
    """Return a release whose archive is far larger than what is read ahead."""
    return ReleaseBuilder(performers=150)


@pytest.fixture
def inbox(tmp_path):
    """Return a folder outside the data folder, for what is to be imported."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


ASKER = Asker(UpdateRun.Asker.API)
# As in earnest, but nobody waits for it.
IMPATIENT = Patience(
    connect_seconds=5,
    stall_seconds=5,
    attempts=3,
    first_delay_seconds=0.01,
    longest_delay_seconds=0.02,
)


@pytest.fixture
def simulator(settings):
    """Return a release feed on the loopback that the service asks."""
    with ReleaseSimulator() as simulator:
        settings.RELEASE_FEED = simulator.feed_url
        yield simulator


@pytest.fixture
def archive(builder, inbox):
    """Return the zip of release 2026.02.18, which nobody has yet."""
    return builder.write_zip(inbox)


@pytest.fixture
def published(simulator, archive):
    """Return a feed that has just that release."""
    simulator.publish("2026.02.18", archive)
    return simulator


@pytest.fixture
def processes():
    """Return what serving processes report, to be changed: one by one, or by a call."""
    reports: dict[int, Any] = {}

    def answer(**_):
        return [report() if callable(report) else report for report in reports.values()]

    serving_asked.connect(answer)
    yield reports
    serving_asked.disconnect(answer)


@pytest.fixture
def preparing():
    """Networks are missing at the first question; getting them has two steps."""
    asked: list[str] = []

    def get_networks(network_set, on_bytes, **_):
        for done_bytes in () if network_set in asked else (0, 1, 2):
            on_bytes(done_bytes, 2)
        asked.append(network_set)

    release_preparing.connect(get_networks)
    yield asked
    release_preparing.disconnect(get_networks)


def serving(version="", **facts):
    """Return the report of a process that serves the release."""
    defaults = {
        "host": "web",
        "pid": 1,
        "version": version,
        "failed_version": "",
        "problem": "",
        "available_memory_bytes": 10**12,
        "has_unloaded_first": False,
    }
    return ServingReport(**(defaults | facts))


def follower(pid=1, **facts):
    """Return a process that serves whatever is active."""

    def report():
        active = store.active_release()
        return serving(active.version if active else "", pid=pid, **facts)

    return report


class Killed(BaseException):
    """What nothing in the code can catch and tell of."""


@pytest.fixture
def die(monkeypatch):
    """Work at a run and die in a phase of it: rows and folders stay as they are."""

    def die(run, phase):
        def listen(progress):
            if progress.phase == phase and progress.done_bytes:
                raise Killed

        def die_when_entered(running, entered):
            real_enter(running, entered)
            if entered == phase and phase in SWAP:
                raise Killed

        with monkeypatch.context() as patch:
            real_enter = runs.RunningUpdate.enter
            patch.setattr(runs.RunningUpdate, "enter", die_when_entered)
            # Nothing is written or tidied up by a process that is gone.
            patch.setattr("dbupdates.execution._fail", lambda *_: None)
            with pytest.raises(Killed):
                execute_run(run.pk, listener=listen, patience=IMPATIENT)
        run.refresh_from_db()
        return run

    return die


@dataclass
class World:
    """What a refused import must leave as it was."""

    data_dir: Path
    before: object = None

    def state(self):
        active = store.active_release()
        return {
            "active": active and active.version,
            "releases": list(DatabaseRelease.objects.order_by("pk").values()),
            "files": list(ReleaseFile.objects.order_by("pk").values()),
            "on disk": {
                str(path.relative_to(self.data_dir)): path.stat().st_size
                for path in self.data_dir.rglob("*")
                if path.is_file()
            },
            "release folders": names_in(self.data_dir / "releases"),
        }

    def assert_unchanged(self):
        assert self.state() == self.before
        assert names_in(self.data_dir / "staging") == []


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def world(db, data_dir):
    """Return a service that serves release 2026.01.01."""
    release = DatabaseReleaseFactory(version="2026.01.01", active=True)
    folder = store.release_path(release.version)
    folder.mkdir(parents=True)
    (folder / "faces.json").write_text("[]")
    # Made when it is first asked for.
    hosts.own_id()
    world = World(data_dir)
    world.before = world.state()
    return world
