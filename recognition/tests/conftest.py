"""A small drawn world, built once, and ways to serve it."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction

from dbupdates.models import DatabaseRelease
from dbupdates.prepared import open_prepared, write_prepared
from dbupdates.store import ActiveRelease
from demo.embedding import NETWORK_SET_NAME, network_digests
from demo.install import install_networks
from demo.pictures import iter_known_pictures, iter_stranger_pictures
from demo.release import build_release
from demo.world import World
from recognition import calibrations, hardware, registry
from recognition.loading import load_recognizer
from recognition.registry import Registry
from recognition.runtime import providers
from recognition.runtime.providers import (
    CudaDevice,
    GpuUnusable,
    choose_execution_plan,
)
from stashsense.tests.waiting import wait_until

VERSION = "2026.03.01"
TWIN_VERSION = "2026.03.02"
WORLD_SEED = 77
PEOPLE_COUNT = 8
PICTURE_SEED = 500


@dataclass(frozen=True)
class SmallWorld:
    """A data folder with a release of eight people and its networks."""

    data_dir: Path
    world: World

    @property
    def release(self) -> ActiveRelease:
        """The release as a process that serves it sees it."""
        return self.release_of(VERSION)

    def release_of(self, version: str) -> ActiveRelease:
        """The same release, or its twin of another version."""
        path = self.data_dir / "releases" / version
        prepared = open_prepared(path)
        return ActiveRelease(
            version=version,
            path=path,
            network_set=NETWORK_SET_NAME,
            network_files=dict(network_digests()),
            performer_count=prepared.performer_count,
            face_count=prepared.face_count,
            sources=("stashdb.org",),
            created_at=None,
        )

    def known_pictures(self, count):
        """Return pictures of the release's people, with the answers."""
        return [*iter_known_pictures(self.world, seed=PICTURE_SEED, count=count)]

    def stranger_pictures(self, count):
        """Return pictures of nobody in the release."""
        return [*iter_stranger_pictures(seed=PICTURE_SEED, count=count)]

    def activate(self, version=VERSION):
        """Make the release, or its twin, the active one, as a swap does."""
        release = self.release_of(version)
        # At once, or a process that looks in between sees no active release.
        with transaction.atomic():
            DatabaseRelease.objects.filter(status="active").update(status="retired")
            DatabaseRelease.objects.filter(version=version).delete()
            return DatabaseRelease.objects.create(
                version=release.version,
                status=DatabaseRelease.Status.ACTIVE,
                performer_count=release.performer_count,
                face_count=release.face_count,
                sources=[*release.sources],
                network_set=release.network_set,
                network_files=release.network_files,
            )


@pytest.fixture(autouse=True)
def _calibrations_as_in_the_database():
    """Forget the calibrations another test adopted: each has its own database."""
    calibrations.forget()
    yield
    calibrations.forget()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("small-world")
    world = World(WORLD_SEED, PEOPLE_COUNT)
    built = build_release(world, version=VERSION, out_dir=data_dir / "built")
    write_prepared(built.folder)
    (data_dir / "releases").mkdir()
    built.folder.rename(data_dir / "releases" / VERSION)
    shutil.copytree(
        data_dir / "releases" / VERSION,
        data_dir / "releases" / TWIN_VERSION,
        copy_function=os.link,
    )
    install_networks(data_dir / "models")
    return SmallWorld(data_dir, world)


@pytest.fixture(scope="session")
def small_recognizer(small_world):
    """The networks and faces of the small world, loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "django.conf.settings.MODELS_DIR", small_world.data_dir / "models"
        )
        return load_recognizer(small_world.release, choose_execution_plan("cpu"))


@pytest.fixture
def watching(settings, small_world, transactional_db, monkeypatch):
    """A registry that looks often, in a data folder with the small world."""
    settings.DATA_DIR = small_world.data_dir
    settings.MODELS_DIR = small_world.data_dir / "models"
    monkeypatch.setattr(registry, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.02)
    watched = Registry()
    watched.start()
    yield watched
    watched.stop()
    # A load that is left to end looks at the database, which is gone after this.
    wait_until(lambda: not watched.state().is_loading)


@pytest.fixture
def card(monkeypatch):
    """Have this machine find a GPU of so many MB, or none with None."""

    def put_in(memory_mb):
        def try_cuda():
            if memory_mb is None:
                raise GpuUnusable("there is no NVIDIA driver")
            return CudaDevice("Abacus", memory_mb * 1_000_000)

        monkeypatch.setattr(providers, "_try_cuda", try_cuda)
        hardware._tried_plan.cache_clear()

    yield put_in
    hardware._tried_plan.cache_clear()


@pytest.fixture
def served(db, settings, small_world, small_recognizer):
    """This process serves the small world, and its row is the active one."""
    settings.DATA_DIR = small_world.data_dir
    settings.MODELS_DIR = small_world.data_dir / "models"
    small_world.activate()
    registry.serve(registry.Serving(small_world.release, small_recognizer))
    yield small_world
    registry.serve(None)


@pytest.fixture
def stash(stash_server, settings, served):
    """A stand-in Stash whose people the served release knows; no key."""
    settings.STASH_URL = stash_server.url
    settings.STASH_API_KEY = ""
    return stash_server
