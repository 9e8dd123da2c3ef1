"""Stored faces matched again with the release that is served now.

Nothing is decoded and no network is run. Where the faces of the former release are
known, only what the new one added and removed is compared; otherwise every stored face
is looked up.
"""

import logging
import math
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone

from dbupdates.store import active_release
from recognition import registry
from recognition.evidence import candidate_count, observations_from_json, weigh
from recognition.exceptions import DatabaseUpdating
from recognition.fingerprints import (
    forget_old_identities,
    identities_of,
    keep_near,
    keep_people,
    kept_identities,
    options_from_json,
)
from recognition.local_faces import current_revision
from recognition.models import Fingerprint, FingerprintChange
from recognition.models.fingerprints import FingerprintQuerySet
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import SeenPerson
from recognition.runtime.candidates import NEIGHBOUR_COUNT, near_faces_of
from recognition.runtime.collector import Turn
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.near_matching import ReleaseFollower
from recognition.runtime.people import (
    MatchedFaces,
    MatchingOptions,
    image_people,
    scene_people,
)
from recognition.runtime.recognizer import Recognizer
from recognition.runtime.signals import NO_SIGNALS, SignalResources

logger = logging.getLogger(__name__)

# A change of more than this share of a release is no shorter to compare than all.
MAX_ADDED_SHARE = 0.2
# A release that small is looked up in no time, and an embedder may rank all of it.
MIN_FOLLOWED_FACES = 2 * NEIGHBOUR_COUNT
SLICE_FINGERPRINTS = 50
# A release and a revision of the local performers.
_Faces = tuple[str, str]
UNREADABLE = "What was kept of its faces cannot be read."


@dataclass(frozen=True)
class Slice:
    """What came of some fingerprints: `left_count` are still to be matched."""

    version: str
    matched_count: int
    changed_count: int
    left_count: int


@dataclass(frozen=True)
class Batch:
    """How many fingerprints were matched, and for how many it changed who is there."""

    matched_count: int
    changed_count: int


@dataclass(frozen=True)
class _Result:
    """What came of a fingerprint; None for what is as it was."""

    fingerprint: Fingerprint
    near: PackedNear | None = None
    people: list[SeenPerson] | None = None
    is_unreadable: bool = False


@dataclass(frozen=True)
class _Stored:
    """A fingerprint's faces, and what was near them in the release before."""

    fingerprint: Fingerprint
    faces: PackedFaces
    near: PackedNear
    options: MatchingOptions


class _Followers:
    """The last follower made: the fingerprints of a run are mostly of one release,
    and of the same local performers.

    It keeps no release in memory that is not served any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: WeakKeyDictionary[
            FaceDatabase, tuple[_Faces, ReleaseFollower | None]
        ] = WeakKeyDictionary()

    def get(self, old: _Faces, database: FaceDatabase) -> ReleaseFollower | None:
        """Return who brings results of those faces up to these; None: look all up."""
        with self._lock:
            made = self._made.get(database)
            if made is None or made[0] != old:
                made = old, _follower(old, database)
                self._made[database] = made
            return made[1]


_followers = _Followers()


def _follower(faces: _Faces, database: FaceDatabase) -> ReleaseFollower | None:
    old = kept_identities(*faces)
    if old is None:
        return None
    new = identities_of(database)
    if min(len(old.digests), len(new.digests)) < MIN_FOLLOWED_FACES:
        return None
    follower = ReleaseFollower(old, new)
    if follower.added_count > MAX_ADDED_SHARE * len(new.digests):
        return None
    follower.load_added(database)
    return follower


def rematch_slice(*, seconds: float, turn: Turn = nullcontext) -> Slice:
    """Match outdated fingerprints for about so long, at least one; it stays done.

    `turn` is entered for each. Raises DatabaseNotLoaded when nothing is served, and
    DatabaseUpdating while that is not the active release: nobody goes back to it.
    """
    with registry.in_use():
        return _rematch_slice(registry.recognizer(), seconds, turn)


def _rematch_slice(recognizer: Recognizer, seconds: float, turn: Turn) -> Slice:
    database, network_set = recognizer.database, recognizer.networks.name
    version = database.version
    active = active_release()
    if active is None or active.version != version:
        raise DatabaseUpdating(f"This process still serves release {version}.")
    if current_revision(network_set) != database.local_revision:
        raise DatabaseUpdating("This process still serves former local performers.")
    until = time.monotonic() + seconds
    rows = Fingerprint.objects.matched_before(version, database.local_revision).filter(
        network_set=network_set
    )
    matched = changed = 0
    while batch := [
        *rows.select_related("packed").order_by(
            "release_version", "local_revision", "pk"
        )[:SLICE_FINGERPRINTS]
    ]:
        done = rematch(
            batch,
            database,
            signals=recognizer.signals,
            turn=turn,
            until=until,
        )
        matched += done.matched_count
        changed += done.changed_count
        if time.monotonic() >= until:
            break
    left_count = rows.count()
    if not left_count:
        forget_old_identities(database)
    return Slice(version, matched, changed, left_count)


def rematch(
    fingerprints: Sequence[Fingerprint],
    database: FaceDatabase,
    *,
    signals: SignalResources = NO_SIGNALS,
    turn: Turn = nullcontext,
    until: float = math.inf,
) -> Batch:
    """Match these, which come with their faces, until that time (monotonic).

    At least one is; what is done is kept together. One whose faces cannot be read is
    left to be looked at again.
    """
    results: list[_Result] = []
    for fingerprint in fingerprints:
        with turn():
            results.append(_matched_again(fingerprint, database, signals))
        if time.monotonic() >= until:
            break
    changed = 0
    with transaction.atomic():
        current = _still_current(results)
        for result in current:
            if result.near is not None:
                keep_near(result.fingerprint, result.near)
            if result.people is not None:
                changed += _keep_change(result.fingerprint, result.people, database)
        _rows_of(current).update(
            release_version=database.version,
            local_revision=database.local_revision,
            matched_at=timezone.now(),
        )
        unreadable = [result for result in current if result.is_unreadable]
        _rows_of(unreadable).update(state=Fingerprint.State.PENDING, error=UNREADABLE)
    return Batch(len(results), changed)


def _still_current(results: list["_Result"]) -> list["_Result"]:
    """Return those whose fingerprint was not looked at anew meanwhile."""
    seen_at = dict(_rows_of(results).values_list("pk", "seen_at"))
    return [
        result
        for result in results
        if result.fingerprint.pk in seen_at
        and seen_at[result.fingerprint.pk] == result.fingerprint.seen_at
    ]


def _rows_of(results: list["_Result"]) -> FingerprintQuerySet:
    return Fingerprint.objects.filter(pk__in=[each.fingerprint.pk for each in results])


def _matched_again(
    fingerprint: Fingerprint, database: FaceDatabase, signals: SignalResources
) -> "_Result":
    """Return what is near the faces now and who they are; None if that is the same."""
    try:
        stored = _stored(fingerprint)
    except (ValueError, KeyError, ObjectDoesNotExist):
        logger.exception("The faces of %s cannot be read", fingerprint)
        return _Result(fingerprint, is_unreadable=True)
    if not len(stored.faces):
        return _Result(fingerprint)
    max_distance = stored.options.max_distance
    old_faces = fingerprint.release_version, fingerprint.local_revision
    follower = _followers.get(old_faces, database)
    if follower is None:
        probes: list[NearFaces] | None = near_faces_of(
            database,
            stored.faces.embeddings("facenet"),
            stored.faces.embeddings("arcface"),
            max_distance=max_distance,
        )
    else:
        probes = follower.follow(
            stored.faces, stored.near, database, max_distance=max_distance
        )
    if probes is None:
        return _Result(fingerprint)
    near = PackedNear.pack(probes, identities_of(database).digests)
    return _Result(fingerprint, near, _people(stored, probes, database, signals))


def _stored(fingerprint: Fingerprint) -> _Stored:
    packed = fingerprint.packed
    return _Stored(
        fingerprint=fingerprint,
        faces=PackedFaces.from_bytes(bytes(packed.faces)),
        near=PackedNear.from_bytes(bytes(packed.near), bytes(packed.health)),
        options=options_from_json(fingerprint.options),
    )


def _people(
    stored: _Stored,
    probes: list[NearFaces],
    database: FaceDatabase,
    signals: SignalResources,
) -> list[SeenPerson]:
    """Return who they are, by the faces and by what else was seen of them then."""
    options, release = stored.options, database.release
    observations = observations_from_json(stored.fingerprint.evidence)
    kept_count = candidate_count(options.top_k, signals) if observations else 0
    faces = stored.faces.seen()
    if stored.fingerprint.kind == Fingerprint.Kind.SCENE:
        people = scene_people(release, faces, probes, options, kept_count=kept_count)
    else:
        top_k = max(options.top_k, kept_count)
        people = image_people(release, probes, replace(options, top_k=top_k))
    if not observations:
        return people
    matched = MatchedFaces(faces, probes, people, database)
    weighed = weigh(matched, observations, signals, top_k=options.top_k)
    return [each.person for each in weighed]


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
