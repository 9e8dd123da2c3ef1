"""Opening what serving a release takes, and whether there is room for two at once."""

import functools
import logging
import os
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings

from dbupdates.store import ActiveRelease
from recognition.model_files import with_recorded_digests
from recognition.models import ServingProcess
from recognition.runtime.face_database import ARCFACE_INDEX, FACENET_INDEX, FaceDatabase
from recognition.runtime.networks import (
    PUBLISHED,
    Networks,
    NetworkSet,
    open_networks,
)
from recognition.runtime.providers import ExecutionPlan, choose_execution_plan
from recognition.runtime.recognizer import Recognizer
from stashsense.memory import available_memory_bytes

logger = logging.getLogger(__name__)

# A loaded index takes 1.05 times its file, an open network 1.4 times, measured with
# 250,000 faces; the rest is for what goes on meanwhile.
INDEX_OVERHEAD = 1.1
NETWORK_OVERHEAD = 2.0


@functools.cache
def execution_plan() -> ExecutionPlan:
    """Return where this process runs its networks, found out once."""
    return choose_execution_plan(settings.DEVICE, threads=settings.INFERENCE_THREADS)


def network_set_of(release: ActiveRelease) -> NetworkSet:
    """Return the networks the release's vectors come from."""
    files = release.network_files
    if release.network_set == PUBLISHED:
        files = with_recorded_digests(files)
    return NetworkSet(
        name=release.network_set,
        files=files,
        models_dir=settings.MODELS_DIR,
    )


def load_recognizer(
    release: ActiveRelease, plan: ExecutionPlan, *, networks: Networks | None = None
) -> Recognizer:
    """Return the release with its networks, ready to use; takes seconds.

    With `networks`, those are used and none are opened. Raises ModelsNotInstalled or
    DatabaseNotLoaded; nothing is kept then.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
        # Both mostly wait for the disk and leave Python free.
        database = pool.submit(FaceDatabase.load, release.path, version=release.version)
        networks = networks or open_networks(
            network_set_of(release),
            plan,
            detection_size_px=settings.DETECTION_SIZE_PX,
            embedding_batch_size=settings.EMBEDDING_BATCH_SIZE,
        )
        try:
            return Recognizer(networks=networks, database=database.result())
        finally:
            # An error would hold this frame, and this frame the error: a circle in
            # which the networks just opened stay until the collector comes round.
            del database


def must_unload_first(release: ActiveRelease, *, opens_networks: bool) -> bool:
    """Return whether what is served must go before the release is loaded.

    As the setting says; else by memory, where every process of this host that is
    about to load the release counts, for they all see the same free memory.
    """
    needed = _needed_bytes(release, opens_networks=opens_networks)
    process_count = _loading_count(release)
    available = available_memory_bytes()
    if settings.SWAP == "auto":
        unloads_first = available < needed * process_count
    else:
        unloads_first = settings.SWAP == "unload-first"
    logger.info(
        "Release %s needs %.0f MB in each of %d processes, %.0f MB are free: %s (%s)",
        release.version,
        needed / 1e6,
        process_count,
        available / 1e6,
        "unloading first" if unloads_first else "loading beside what is served",
        settings.SWAP,
    )
    return unloads_first


def _needed_bytes(release: ActiveRelease, *, opens_networks: bool) -> int:
    indices = [release.path / name for name in (FACENET_INDEX, ARCFACE_INDEX)]
    network_set = network_set_of(release)
    networks = [network_set.folder / name for name in network_set.files]
    needed = INDEX_OVERHEAD * _size_bytes(indices)
    if opens_networks:
        needed += NETWORK_OVERHEAD * _size_bytes(networks)
    return int(needed)


def _size_bytes(paths: Iterable[Path]) -> int:
    # What is missing is told by whoever opens it.
    return sum(path.stat().st_size for path in paths if path.is_file())


def _loading_count(release: ActiveRelease) -> int:
    # This process is one of them whether or not its row is there yet.
    others = (
        ServingProcess.objects.live()
        .filter(host=socket.gethostname())
        .exclude(pid=os.getpid())
        .exclude(release_version=release.version)
    )
    return others.count() + 1
