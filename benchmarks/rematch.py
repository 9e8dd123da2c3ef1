"""What it takes to match stored scenes with another release.

    python -m benchmarks.rematch [--quick]

A thousand stored scenes of 60 faces, 45 of them of three performers of the release and
15 of strangers, against a release of production size. The bare queries ask both indices
for a hundred neighbours of every face, in the chunks that the service asks in.

First every face is looked up: scenes that were matched with a release nobody knows any
more. Bare queries and matching take turns, 25 scenes each. Then one in a hundred faces
of the release was removed since and as many were added: the same scenes are followed to
it, with all that takes (who is who in the release, reading, comparing, writing), taking
turns with the bare queries of every fifth scene, times five. The same people must be
named, but for those whom an index missed: it finds most of what is near and not all.
"""

import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.cache import cache_dir, cached_folder
from benchmarks.faces import (
    EMBEDDERS,
    PRODUCTION,
    QUICK,
    Crowd,
    face_performers,
    index_path,
    look_alikes,
)
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine

if TYPE_CHECKING:
    from recognition.numeric.people import SeenFace
    from recognition.runtime.face_database import FaceDatabase

ALL_GOAL = 1.2
CHANGED_GOAL = 0.2
# Per cent. What was added is compared exactly; an index finds most of what is near.
CHANGED_NAMES_GOAL = 0.1

SCENES = 1000
QUICK_SCENES = 125
FACES_OF_EACH = 15
PERFORMERS_OF_EACH = 3
_CHANGED_SHARE = 0.01
_SCENES_A_TURN = 25
# Of each turn of following, which takes a tenth of what their queries do.
_SAMPLED_SCENES = 5
_NETWORK_SET = "benchmark"
_UNKNOWN_RELEASE = "2025.01.01"
_FORMER_RELEASE = "2026.01.01"
_RELEASE = "2026.02.01"


@dataclass(frozen=True)
class Cast:
    """The faces of the scenes [scenes, faces, 512] and whom the release has of them."""

    facenet: NDArray[np.float32]
    arcface: NDArray[np.float32]
    performers: NDArray[np.int64]


def draw_cast(crowd: Crowd, scene_count: int) -> Cast:
    """Return scenes of performers of the release and of as many faces of strangers."""
    rng = np.random.default_rng(7)
    performers = rng.choice(
        crowd.performers, size=(scene_count, PERFORMERS_OF_EACH), replace=True
    )
    shown = performers.repeat(FACES_OF_EACH, axis=1)
    embeddings = []
    for embedder in EMBEDDERS:
        known = look_alikes(embedder, crowd, shown.ravel(), rng)
        strangers = rng.standard_normal(
            (scene_count, FACES_OF_EACH, 512), dtype=np.float32
        )
        embeddings.append(
            np.concatenate([known.reshape(scene_count, -1, 512), strangers], axis=1)
        )
    facenet, arcface = embeddings
    return Cast(facenet, arcface, performers)


def release_folder(crowd: Crowd) -> Path:
    """Return a folder with the prepared form of the crowd as a release."""
    from dbupdates.prepared import write_prepared

    def build(folder: Path) -> None:
        import json

        names = [universal_id(row) for row in range(crowd.performers)]
        owners = [names[row] for row in face_performers(crowd).tolist()]
        (folder / "faces.json").write_text(json.dumps(owners))
        (folder / "performers.json").write_text(
            json.dumps({name: {"name": name} for name in names})
        )
        write_prepared(folder)

    return cached_folder(
        f"prepared-{crowd.faces}", recipe={"names": "uuid5", **vars(crowd)}, build=build
    )


def load_release(crowd: Crowd) -> "FaceDatabase":
    """Return the crowd's faces as a loaded release."""
    from dbupdates.prepared import open_prepared
    from recognition.runtime.face_database import FaceDatabase
    from recognition.runtime.vector_index import VectorIndex

    facenet, arcface = (VectorIndex.load(index_path(e, crowd)) for e in EMBEDDERS)
    return FaceDatabase(
        version=_RELEASE,
        facenet=facenet,
        arcface=arcface,
        release=open_prepared(release_folder(crowd)),
    )


def universal_id(row: int) -> str:
    """Return the made-up id of a performer."""
    return f"stashdb.org:{uuid.uuid5(uuid.NAMESPACE_OID, str(row))}"


def store(cast: Cast) -> None:
    """Keep the scenes as those of a release that nobody knows any more."""
    from django.db import transaction

    from recognition.fingerprints import options_as_json
    from recognition.models import Fingerprint, FingerprintFaces
    from recognition.numeric.packing import PackedFaces
    from recognition.runtime.people import MatchingOptions

    with transaction.atomic():
        for number, embeddings in enumerate(
            zip(cast.facenet, cast.arcface, strict=True)
        ):
            faces = PackedFaces.pack([*seen_faces(*embeddings)])
            fingerprint = Fingerprint.objects.create(
                kind=Fingerprint.Kind.SCENE,
                stash_id=number + 1,
                release_version=_UNKNOWN_RELEASE,
                network_set=_NETWORK_SET,
                options=options_as_json(MatchingOptions()),
                face_count=len(faces),
            )
            FingerprintFaces.objects.create(
                fingerprint=fingerprint,
                faces=faces.as_bytes(),
                near=b"",
                health=b"",
            )


def seen_faces(
    facenet: NDArray[np.float32], arcface: NDArray[np.float32]
) -> Iterator["SeenFace"]:
    from recognition.numeric.boxes import FaceBox
    from recognition.numeric.people import SeenFace

    for position, pair in enumerate(zip(facenet, arcface, strict=True)):
        frame = position % FACES_OF_EACH
        box = FaceBox(10, 10, 80, 80)
        yield SeenFace(frame, 10.0 * frame, box, 0.9, 0.5, *pair)


def ask_bare(database: "FaceDatabase", cast: Cast, scenes: slice) -> float:
    """Return the seconds that the bare queries of the scenes take."""
    from recognition.runtime.candidates import NEIGHBOUR_COUNT

    started = time.perf_counter()
    for facenet, arcface in zip(
        cast.facenet[scenes], cast.arcface[scenes], strict=True
    ):
        database.facenet.nearest(facenet, k=NEIGHBOUR_COUNT)
        database.arcface.nearest(arcface, k=NEIGHBOUR_COUNT)
    return time.perf_counter() - started


def rematch_scenes(database: "FaceDatabase", scenes: slice) -> float:
    """Return the seconds that it takes to match these scenes as the service does."""
    from recognition.models import Fingerprint
    from recognition.rematching import rematch

    started = time.perf_counter()
    batch = Fingerprint.objects.select_related("packed").order_by("pk")[scenes]
    rematch([*batch], database)
    return time.perf_counter() - started


def date_back(database: "FaceDatabase") -> None:
    """Have the scenes be of a release that one in a hundred faces differ from.

    The faces that the present one has in their place were then other ones, as near.
    """
    from recognition.fingerprints import identities_of, identities_path
    from recognition.models import Fingerprint, FingerprintFaces
    from recognition.numeric.packing import PackedNear
    from recognition.runtime.face_identities import FaceIdentities

    rng = np.random.default_rng(8)
    present = identities_of(database)
    count = len(present.digests)
    changed = rng.choice(count, size=int(_CHANGED_SHARE * count), replace=False)
    former = present.digests.copy()
    former[changed] = rng.integers(1, 2**63, size=len(changed), dtype=np.uint64)
    FaceIdentities(former, np.argsort(former)).save(identities_path(_FORMER_RELEASE))
    for row in FingerprintFaces.objects.all():
        packed = PackedNear.from_bytes(bytes(row.near), bytes(row.health))
        near = packed.near.copy()
        near["face"] = former[present.rows_of(near["face"])]
        row.near = PackedNear(near, packed.health).as_bytes()[0]
        row.save(update_fields=["near"])
    Fingerprint.objects.update(release_version=_FORMER_RELEASE)


def forget_release() -> None:
    """Have the next matching find out anew who is who in the release."""
    from recognition import fingerprints

    fingerprints.identities_path(_RELEASE).unlink(missing_ok=True)
    fingerprints._identities.clear()


def named_people() -> set[tuple[int, str]]:
    """Return who is in which scene, by what was kept."""
    from recognition.models import FingerprintPerson

    rows = FingerprintPerson.objects.exclude(universal_id="")
    return {*rows.values_list("fingerprint__stash_id", "universal_id")}


def share_named(cast: Cast, named: set[tuple[int, str]]) -> float:
    """Return the share of the performers of all scenes who were named."""
    shown = {
        (scene + 1, universal_id(row))
        for scene, rows in enumerate(cast.performers.tolist())
        for row in rows
    }
    return len(named & shown) / len(shown)


def _turns(scene_count: int) -> Iterator[slice]:
    for start in range(0, scene_count, _SCENES_A_TURN):
        yield slice(start, start + _SCENES_A_TURN)


def measure(crowd: Crowd, scene_count: int) -> list[Figure]:
    """Return the figures; Django has been set up on an empty database."""
    database = load_release(crowd)
    cast = draw_cast(crowd, scene_count)
    store(cast)
    # Both once, for what is made at the first use.
    warm = slice(0, 2)
    ask_bare(database, cast, warm)
    rematch_scenes(database, warm)
    bare_seconds = all_seconds = 0.0
    for turn in _turns(scene_count):
        bare_seconds += ask_bare(database, cast, turn)
        all_seconds += rematch_scenes(database, turn)
        print(f"\r{turn.stop} of {scene_count} scenes", end="", file=sys.stderr)
    print(file=sys.stderr)
    looked_up = named_people()
    date_back(database)
    forget_release()
    sampled_seconds = changed_seconds = 0.0
    for turn in _turns(scene_count):
        sample = slice(turn.start, turn.start + _SAMPLED_SCENES)
        sampled_seconds += ask_bare(database, cast, sample)
        changed_seconds += rematch_scenes(database, turn)
    sampled_seconds *= _SCENES_A_TURN / _SAMPLED_SCENES
    return [
        Figure("bare_queries", bare_seconds, "s"),
        Figure("performers_named", 100 * share_named(cast, looked_up), "%"),
        Figure(
            "names_that_following_changed",
            100 * len(looked_up ^ named_people()) / len(looked_up),
            "%",
            goal=CHANGED_NAMES_GOAL,
        ),
        Figure("rematch_all_by_bare", all_seconds / bare_seconds, "", goal=ALL_GOAL),
        Figure(
            "rematch_changed_by_bare",
            changed_seconds / sampled_seconds,
            "",
            goal=CHANGED_GOAL,
        ),
    ]


def main() -> int:
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    with tempfile.TemporaryDirectory(prefix="rematch-", dir=cache_dir()) as data_dir:
        os.environ |= {
            "DATA_DIR": data_dir,
            "LOG_LEVEL": "warning",
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        print_machine()
        figures = measure(
            QUICK if is_quick else PRODUCTION, QUICK_SCENES if is_quick else SCENES
        )
    return print_figures(figures)


if __name__ == "__main__":
    sys.exit(main())
