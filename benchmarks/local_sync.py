"""What it takes to keep up with local performers.

    python -m benchmarks.local_sync [--quick]

A stand-in Stash on loopback with 5,000 performers, each with a picture of their own;
every second one has a stash id that the release does not have. All are learnt, with
five faces each, and unchanged: a run goes through them at the default rate of requests
to Stash. The stand-in answers in this very process, and its time counts.

Then somebody more is learnt, as a correction does it, while a registry serves a release
of production size with those 25,000 local faces: the time until a neighbour query of
what is served finds the new face, the longest of five. Nobody tells that registry; it
looks at its rows, as a process does that another one's change reaches. Between them a
scene's 60 faces are looked up with and without the local ones.
"""

import os
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.data_folder import scratch_data_folder
from benchmarks.faces import PRODUCTION, QUICK
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from demo.stash.library import Library, Performer, StashId, now
from demo.stash.server import StashServer

if TYPE_CHECKING:
    from recognition.registry import Registry

UNCHANGED_GOAL_SECONDS = 5.0
SERVED_GOAL_SECONDS = 1.0

PERFORMERS = 5000
FACES_OF_EACH = 5
LEARNT_ONES = 5
SCENE_FACES = 60
_LOAD_SECONDS = 120.0
_POLL_SECONDS = 0.005


def drawn_library(folder: Path) -> Library:
    """Return a library of performers alone; their pictures are never asked for."""
    library = Library(folder)
    for number in range(1, PERFORMERS + 1):
        row = Performer(str(number), now(), now(), name=f"Local {number}")
        row.picture = b"never asked for"
        if number % 2:
            bare_id = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
            row.stash_ids.append(
                StashId("https://fansdb.cc/graphql", bare_id, row.updated_at)
            )
        library.performers[row.id] = row
    return library


def store_as_learnt(network_set: str) -> None:
    """Write rows as a run leaves them that has learnt everybody."""
    from recognition import local_faces
    from recognition.models import LocalFace, LocalIndex, LocalPerformer
    from stashsense.integrations.stash import configured_client

    client = configured_client()
    rng = np.random.default_rng(3)
    number, is_last = 0, False
    while not is_last:
        number += 1
        page = client.performers_page(number)
        is_last = page.is_last
        rows = LocalPerformer.objects.bulk_create(
            LocalPerformer(
                stash_id=performer.id,
                name=performer.name,
                state=LocalPerformer.State.LEARNT,
                learnt_from=local_faces.learnt_from(performer, network_set),
            )
            for performer in page.performers
        )
        for row in rows:
            vectors = rng.standard_normal((FACES_OF_EACH, 2, 512), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
            LocalFace.objects.bulk_create(
                LocalFace(
                    performer=row,
                    source=LocalFace.Source.IMAGE,
                    source_id=f"{row.stash_id}-{position}",
                    network_set=network_set,
                    facenet=facenet.astype("<f2").tobytes(),
                    arcface=arcface.astype("<f2").tobytes(),
                    quality=1.0,
                )
                for position, (facenet, arcface) in enumerate(vectors)
            )
    LocalIndex.objects.create(network_set=network_set, revision=uuid.uuid4().hex)


def sync_seconds() -> float:
    """Return how long a run takes that finds nothing changed."""
    from recognition.library_runs import LibraryAsker, sync_local_performers
    from recognition.library_slices import work_at_slice
    from recognition.models import LibraryRun

    run = sync_local_performers(asker=LibraryAsker(LibraryRun.Asker.COMMAND))
    started = time.perf_counter()
    work_at_slice(run.pk, run.slice_number)
    seconds = time.perf_counter() - started
    run.refresh_from_db()
    outcome = run.state, run.skipped_count, run.done_count
    if outcome != (LibraryRun.State.COMPLETE, PERFORMERS, PERFORMERS):
        raise RuntimeError(f"the run ended otherwise: {outcome} {run.error}")
    return seconds


def served_seconds(registry: "Registry", network_set: str, number: int) -> float:
    """Return how long it takes from learning somebody to finding them."""
    from recognition import local_faces
    from recognition.numeric.boxes import FaceBox
    from recognition.numeric.people import SeenFace

    rng = np.random.default_rng(1000 + number)
    facenet, arcface = rng.standard_normal((2, 512), dtype=np.float32)
    face = SeenFace(0, None, FaceBox(0, 0, 100, 100), 0.9, 1.0, facenet, arcface)
    before = registry.recognizer().database
    started = time.perf_counter()
    local_faces.learn_person(
        10**6 + number,
        "Somebody New",
        [face],
        network_set=network_set,
        source="person",
        source_id=f"scene:{number}:0",
    )
    while time.perf_counter() - started < _LOAD_SECONDS:
        database = registry.recognizer().database
        # Queries without end would hold up what they wait for.
        if database is not before:
            (nearest,) = database.facenet.nearest(facenet[np.newaxis], k=1)
            if nearest.distances[0] < 0.01:
                return time.perf_counter() - started
            before = database
        time.sleep(_POLL_SECONDS)
    raise TimeoutError("nobody found who was learnt")


def query_milliseconds(registry: "Registry", *, is_plain: bool) -> float:
    """Return how long the neighbours of a scene's faces take in both embedders."""
    from recognition.runtime.candidates import NEIGHBOUR_COUNT

    database = registry.recognizer().database
    database = database.plain if is_plain else database
    rng = np.random.default_rng(9)
    probes = rng.standard_normal((SCENE_FACES, 512), dtype=np.float32)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        for index in (database.facenet, database.arcface):
            index.nearest(probes, k=NEIGHBOUR_COUNT)
        seconds.append(time.perf_counter() - started)
    return 1000 * median(seconds)


def measure() -> list[Figure]:
    """Return the figures; Django has been set up on a folder with a release."""
    from dbupdates.store import active_release
    from recognition.preferences import LOCAL_PERFORMERS
    from recognition.registry import Registry
    from stashsense.preferences.services import store_settings

    release = active_release()
    assert release is not None
    store_settings({LOCAL_PERFORMERS: True}, user=None)
    store_as_learnt(release.network_set)
    unchanged = max(sync_seconds() for _ in range(2))
    registry = Registry()
    registry.start()
    try:
        until = time.monotonic() + _LOAD_SECONDS
        while not (serving := registry.state().serving) or not (
            serving.recognizer.database.local_revision
        ):
            if time.monotonic() > until:
                raise TimeoutError(f"nothing is served: {registry.state().failure}")
            time.sleep(_POLL_SECONDS)
        served = [
            served_seconds(registry, release.network_set, number)
            for number in range(LEARNT_ONES)
        ]
        plain = query_milliseconds(registry, is_plain=True)
        overlaid = query_milliseconds(registry, is_plain=False)
    finally:
        registry.stop()
    return [
        Figure("release_query_60_faces", plain, "ms"),
        Figure("overlaid_query_60_faces", overlaid, "ms"),
        Figure("learnt_to_served", max(served), "s", goal=SERVED_GOAL_SECONDS),
        Figure("unchanged_sync", unchanged, "s", goal=UNCHANGED_GOAL_SECONDS),
    ]


def main() -> int:
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    with (
        scratch_data_folder(QUICK if is_quick else PRODUCTION) as data_dir,
        tempfile.TemporaryDirectory(prefix="stand-in-") as folder,
        StashServer(drawn_library(Path(folder))) as stash,
    ):
        os.environ |= {
            "DATA_DIR": str(data_dir),
            "MODELS_DIR": str(data_dir / "models"),
            "STASH_URL": stash.url,
            "STASH_SENSE_DEVICE": "cpu",
            "LOG_LEVEL": "warning",
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        print_machine()
        figures = measure()
    return print_figures(figures)


if __name__ == "__main__":
    sys.exit(main())
