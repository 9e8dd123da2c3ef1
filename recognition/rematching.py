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
from django.utils import timezone

from dbupdates.store import active_release
from recognition import calibrations, registry
from recognition.calibrations import with_confidence
from recognition.correction_binding import SeenMedia, corrections_of
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
from recognition.models import Correction, Fingerprint, FingerprintChange
from recognition.models.fingerprints import FingerprintQuerySet
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import MatchingMode, SeenPerson
from recognition.runtime.candidates import NEIGHBOUR_COUNT, near_faces_of
from recognition.runtime.collector import Turn
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.near_matching import ReleaseFollower
from recognition.runtime.people import (
    NOT_LOOKED_UP,
    MatchedFaces,
    MatchingOptions,
    corrected_gallery_people,
    corrected_image_people,
    corrected_scene_people,
)
from recognition.runtime.recognizer import Recognizer
from recognition.runtime.signals import NO_SIGNALS, SignalResources
from recognition.runtime.template_people import (
    corrected_template_image,
    corrected_template_people,
)
from stashsense.turns import in_turn

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
    """What came of a fingerprint; None for what is as it was.

    `corrections` are the ids of those that its people heed.
    """

    fingerprint: Fingerprint
    near: PackedNear | None = None
    people: list[SeenPerson] | None = None
    corrections: frozenset[int] = frozenset()
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
    # Another process may just have adopted the one for which this is done.
    calibrations.forget()
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
    with in_turn():
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
        # Of others something may have been said since they were read.
        heeded = [
            each
            for each in current
            if each.people is not None or each.fingerprint.is_match_due
        ]
        _rows_of(heeded).update(is_match_due=False)
        unreadable = [result for result in current if result.is_unreadable]
        _rows_of(unreadable).update(state=Fingerprint.State.PENDING, error=UNREADABLE)
    return Batch(len(results), changed)


def _still_current(results: list["_Result"]) -> list["_Result"]:
    """Return those whose fingerprint was not looked at anew or corrected meanwhile."""
    seen_at = dict(_rows_of(results).values_list("pk", "seen_at"))
    stash_ids = [each.fingerprint.stash_id for each in results]
    rows = Correction.objects.active().filter(stash_id__in=stash_ids)
    corrections: dict[tuple[str, int], set[int]] = {}
    for kind, stash_id, correction in rows.values_list("kind", "stash_id", "pk"):
        corrections.setdefault((kind, stash_id), set()).add(correction)
    return [
        result
        for result in results
        for row in [result.fingerprint]
        if row.pk in seen_at
        and seen_at[row.pk] == row.seen_at
        and (
            result.people is None
            or result.corrections == corrections.get((row.kind, row.stash_id), set())
        )
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
    media = SeenMedia.of(fingerprint)
    corrections = corrections_of(media, database.release)
    if stored.options.mode is MatchingMode.TEMPLATE:
        # A query for each person: to find out whether any changed would take as long.
        matched = MatchedFaces(media.faces, NOT_LOOKED_UP, [], database, corrections)
        people = _people(stored, matched, signals)
        return _Result(fingerprint, None, people, frozenset(corrections.bound))
    identities = identities_of(database)
    probes = _changed_near(stored, database)
    if probes is not None:
        near = PackedNear.pack(probes, identities.digests)
    elif fingerprint.is_match_due:
        near = None
        rows = identities.rows_of(stored.near.near["face"])
        probes = stored.near.probes(rows)
    else:
        return _Result(fingerprint)
    matched = MatchedFaces(media.faces, probes, [], database, corrections)
    people = with_confidence(_people(stored, matched, signals), stored.options.mode)
    return _Result(fingerprint, near, people, frozenset(corrections.bound))


def _changed_near(stored: _Stored, database: FaceDatabase) -> list[NearFaces] | None:
    """Return what is near the faces now; None if that is what was near before."""
    fingerprint = stored.fingerprint
    old_faces = fingerprint.release_version, fingerprint.local_revision
    new_faces = database.version, database.local_revision
    max_distance = stored.options.max_distance
    if old_faces == new_faces and len(stored.near.health) == len(stored.faces):
        return None
    follower = _followers.get(old_faces, database)
    if follower is not None:
        return follower.follow(
            stored.faces, stored.near, database, max_distance=max_distance
        )
    return near_faces_of(
        database,
        stored.faces.embeddings("facenet"),
        stored.faces.embeddings("arcface"),
        max_distance=max_distance,
    )


def _stored(fingerprint: Fingerprint) -> _Stored:
    packed = fingerprint.packed
    return _Stored(
        fingerprint=fingerprint,
        faces=PackedFaces.from_bytes(bytes(packed.faces)),
        near=PackedNear.from_bytes(bytes(packed.near), bytes(packed.health)),
        options=options_from_json(fingerprint.options),
    )


def _people(
    stored: _Stored, matched: MatchedFaces, signals: SignalResources
) -> list[SeenPerson]:
    """Return who they are, by the faces and by what else was seen of them then.

    `matched` is what is near the faces now, without people.
    """
    options, release = stored.options, matched.database.release
    faces, near, corrections = matched.faces, matched.near, matched.corrections
    observations = observations_from_json(stored.fingerprint.evidence)
    kept_count = candidate_count(options.top_k, signals) if observations else 0
    if options.mode is MatchingMode.TEMPLATE:
        people = _people_by_templates(stored, matched, kept_count)
    elif stored.fingerprint.kind == Fingerprint.Kind.SCENE:
        people = corrected_scene_people(
            release, faces, near, options, corrections, kept_count=kept_count
        )
    elif stored.fingerprint.kind == Fingerprint.Kind.GALLERY:
        people = corrected_gallery_people(release, faces, near, options, corrections)
    else:
        asked = replace(options, top_k=max(options.top_k, kept_count))
        people = corrected_image_people(release, faces, near, asked, corrections)
    if not observations:
        return people
    weighed = weigh(
        replace(matched, people=people), observations, signals, top_k=options.top_k
    )
    return [each.person for each in weighed]


def _people_by_templates(
    stored: _Stored, matched: MatchedFaces, kept_count: int
) -> list[SeenPerson]:
    database, faces = matched.database, matched.faces
    options, corrections = stored.options, matched.corrections
    if stored.fingerprint.kind == Fingerprint.Kind.IMAGE:
        asked = replace(options, top_k=max(options.top_k, kept_count))
        return corrected_template_image(database, faces, asked, corrections)
    return corrected_template_people(
        database, faces, options, corrections, kept_count=kept_count
    )


def _keep_change(
    fingerprint: Fingerprint, people: list[SeenPerson], database: FaceDatabase
) -> bool:
    """Write the people, and whom it gained and lost; return whether it did either."""
    before = _named(fingerprint)
    keep_people(fingerprint, people, database)
    after = _named(fingerprint)
    if before == after:
        return False
    new_faces = database.version, database.local_revision
    if (fingerprint.release_version, fingerprint.local_revision) == new_faces:
        # Its owner's doing, of which the corrections tell.
        return True
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
