"""Opening what serving a release takes, and whether there is room for two at once."""

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
from recognition.preferences import (
    DEFAULT_OPTIONS,
    ServingOptions,
    is_tattoo_signal_enabled,
)
from recognition.runtime.face_database import ARCFACE_INDEX, FACENET_INDEX, FaceDatabase
from recognition.runtime.networks import (
    PUBLISHED,
    Networks,
    NetworkSet,
    open_networks,
)
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.recognizer import Recognizer
from recognition.runtime.signals import SignalResources, load_signals
from recognition.runtime.tattoos import TATTOO_INDEX
from stashsense.memory import available_memory_bytes

logger = logging.getLogger(__name__)

# A loaded index takes 1.05 times its file, an open network 1.4 times, measured with
# 250,000 faces; the rest is for what goes on meanwhile.
INDEX_OVERHEAD = 1.1
NETWORK_OVERHEAD = 2.0


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
    release: ActiveRelease,
    plan: ExecutionPlan,
    *,
    options: ServingOptions = DEFAULT_OPTIONS,
    networks: Networks | None = None,
    database: FaceDatabase | None = None,
    signals: SignalResources | None = None,
) -> Recognizer:
    """Return the release with its networks, ready to use; takes seconds.

    With `networks` those are used, as the options say, and none are opened; likewise
    with `database`, and of `signals` their networks. Raises ModelsNotInstalled or
    DatabaseNotLoaded; nothing is kept then.
    """
    sizes = {
        "detection_size_px": options.detection_size_px,
        "embedding_batch_size": options.embedding_batch_size,
    }
    with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
        # Both mostly wait for the disk and leave Python free.
        loaded = pool.submit(
            lambda: database or FaceDatabase.load(release.path, version=release.version)
        )
        if networks is None:
            opened = open_networks(network_set_of(release), plan, **sizes)
        else:
            opened = networks.with_sizes(**sizes)
        try:
            return Recognizer(
                networks=opened,
                database=loaded.result(),
                signals=load_signals(
                    release.path,
                    settings.MODELS_DIR,
                    plan,
                    body=options.is_body_signal_enabled,
                    tattoo=options.is_tattoo_signal_enabled,
                    reuse=signals,
                ),
            )
        finally:
            # An error would hold this frame, and this frame the error: a circle in
            # which the networks just opened stay until the collector comes round.
            del loaded


def must_unload_first(
    release: ActiveRelease, *, opens_networks: bool, loads_indices: bool = True
) -> bool:
    """Return whether what is served must go before the release is loaded.

    As the setting says; else by memory, where every process of this host that is
    about to load as much counts, for they all see the same free memory.
    """
    needed = _needed_bytes(
        release, opens_networks=opens_networks, loads_indices=loads_indices
    )
    process_count = _loading_count(release, loads_indices=loads_indices)
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


def _needed_bytes(
    release: ActiveRelease, *, opens_networks: bool, loads_indices: bool = True
) -> int:
    names = [FACENET_INDEX, ARCFACE_INDEX]
    if is_tattoo_signal_enabled():
        names.append(TATTOO_INDEX)
    indices = [release.path / name for name in names]
    network_set = network_set_of(release)
    networks = [network_set.folder / name for name in network_set.files]
    needed = 0.0
    if loads_indices:
        needed += INDEX_OVERHEAD * _size_bytes(indices)
    if opens_networks:
        needed += NETWORK_OVERHEAD * _size_bytes(networks)
    return int(needed)


def _size_bytes(paths: Iterable[Path]) -> int:
    # What is missing is told by whoever opens it.
    return sum(path.stat().st_size for path in paths if path.is_file())


def _loading_count(release: ActiveRelease, *, loads_indices: bool) -> int:
    # This process is one of them whether or not its row is there yet. One that has
    # unloaded for want of work goes on without.
    others = (
        ServingProcess.objects.live()
        .filter(host=socket.gethostname(), is_unloaded=False)
        .exclude(pid=os.getpid())
    )
    if loads_indices:
        others = others.exclude(release_version=release.version)
    return others.count() + 1
