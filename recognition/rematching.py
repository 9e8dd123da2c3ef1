"""Stored faces matched again with the release that is served now.

Nothing is decoded and no network is run. Where the faces of the former release are
known, only what the new one added and removed is compared; otherwise every stored face
is looked up.
"""

import logging
import threading
import time
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from recognition import registry
from recognition.fingerprints import (
    identities_of,
    identities_path,
    keep_near,
    keep_people,
    options_from_json,
)
from recognition.models import Fingerprint, FingerprintChange
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import SeenPerson
from recognition.runtime.candidates import near_faces_of
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities
from recognition.runtime.near_matching import ReleaseFollower
from recognition.runtime.people import (
    MatchingOptions,
    image_people,
    scene_people,
)
from recognition.runtime.recognizer import Recognizer

logger = logging.getLogger(__name__)

# A change of more than this share of a release is no shorter to compare than all.
MAX_ADDED_SHARE = 0.2
SLICE_FINGERPRINTS = 50


@dataclass(frozen=True)
class Slice:
    """What came of some fingerprints: `left_count` are still to be matched."""

    version: str
    matched_count: int
    changed_count: int
    left_count: int


@dataclass(frozen=True)
class _Stored:
    """A fingerprint's faces, and what was near them in the release before."""

    fingerprint: Fingerprint
    faces: PackedFaces
    near: PackedNear
    options: MatchingOptions


class _Followers:
    """The last follower made: the fingerprints of a run are mostly of one release."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[str, FaceDatabase, ReleaseFollower | None] | None = None

    def get(self, old_version: str, database: FaceDatabase) -> ReleaseFollower | None:
        """Return who brings results of that release up to this; None: look all up."""
        with self._lock:
            made = self._made
            if made is None or made[0] != old_version or made[1] is not database:
                self._made = made = (
                    old_version,
                    database,
                    _follower(old_version, database),
                )
            return made[2]


_followers = _Followers()


def _follower(old_version: str, database: FaceDatabase) -> ReleaseFollower | None:
    old = FaceIdentities.load(identities_path(old_version))
    if old is None:
        return None
    new = identities_of(database)
    follower = ReleaseFollower(old, new, database)
    if follower.added_count > MAX_ADDED_SHARE * max(len(new.digests), 1):
        return None
    return follower


def rematch_slice(*, seconds: float) -> Slice:
    """Match outdated fingerprints for about so long; whatever was done stays done.

    Raises DatabaseNotLoaded when nothing is served.
    """
    recognizer = registry.recognizer()
    version = recognizer.database.version
    until = time.monotonic() + seconds
    rows = Fingerprint.objects.matched_before(version).filter(
        network_set=recognizer.networks.name
    )
    matched = changed = 0
    while time.monotonic() < until:
        batch = [*rows.select_related("packed").order_by("pk")[:SLICE_FINGERPRINTS]]
        if not batch:
            break
        changed += rematch(batch, recognizer)
        matched += len(batch)
    return Slice(version, matched, changed, rows.count())


def rematch(fingerprints: list[Fingerprint], recognizer: Recognizer) -> int:
    """Match these, which come with their faces; return for how many it changed who."""
    database = recognizer.database
    results = [
        (fingerprint, *_matched_again(_stored(fingerprint), database))
        for fingerprint in fingerprints
    ]
    changed = 0
    with transaction.atomic():
        seen_at = dict(
            Fingerprint.objects.filter(
                pk__in=[each.pk for each in fingerprints]
            ).values_list("pk", "seen_at")
        )
        # One that was looked at anew meanwhile is not to be written over.
        current = [
            result
            for result in results
            if seen_at.get(result[0].pk) == result[0].seen_at
        ]
        for fingerprint, near, people in current:
            if near is not None:
                keep_near(fingerprint, near)
            if people is not None:
                changed += _keep_change(fingerprint, people, database)
        Fingerprint.objects.filter(pk__in=[each.pk for each, *_ in current]).update(
            release_version=database.version, matched_at=timezone.now()
        )
    return changed


def _stored(fingerprint: Fingerprint) -> _Stored:
    packed = fingerprint.packed
    return _Stored(
        fingerprint=fingerprint,
        faces=PackedFaces.from_bytes(bytes(packed.faces)),
        near=PackedNear.from_bytes(bytes(packed.near), bytes(packed.health)),
        options=options_from_json(fingerprint.options),
    )


def _matched_again(
    stored: _Stored, database: FaceDatabase
) -> tuple[PackedNear | None, list[SeenPerson] | None]:
    """Return what is near the faces now and who they are; None if that is the same."""
    if not len(stored.faces):
        return None, None
    max_distance = stored.options.max_distance
    follower = _followers.get(stored.fingerprint.release_version, database)
    if follower is None:
        probes: list[NearFaces] | None = near_faces_of(
            database,
            stored.faces.embeddings("facenet"),
            stored.faces.embeddings("arcface"),
            max_distance=max_distance,
        )
    else:
        probes = follower.follow(stored.faces, stored.near, max_distance=max_distance)
    if probes is None:
        return None, None
    near = PackedNear.pack(probes, identities_of(database).digests)
    return near, _people(stored, probes, database)


def _people(
    stored: _Stored, probes: list[NearFaces], database: FaceDatabase
) -> list[SeenPerson]:
    if stored.fingerprint.kind == Fingerprint.Kind.SCENE:
        faces = stored.faces.seen()
        return scene_people(database.release, faces, probes, stored.options)
    return image_people(database.release, probes, stored.options)


def _keep_change(
    fingerprint: Fingerprint, people: list[SeenPerson], database: FaceDatabase
) -> bool:
    """Write the people, and whom it gained and lost; return whether it did either."""
    before = _named(fingerprint)
    keep_people(fingerprint, people, database)
    after = _named(fingerprint)
    if before == after:
        return False
    FingerprintChange.objects.create(
        fingerprint=fingerprint,
        from_version=fingerprint.release_version,
        to_version=database.version,
        gained=sorted(after - before),
        lost=sorted(before - after),
    )
    return True


def _named(fingerprint: Fingerprint) -> set[str]:
    named = fingerprint.people.exclude(universal_id="")
    return {*named.values_list("universal_id", flat=True)}
