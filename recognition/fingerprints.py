"""What was seen is kept here, and read again: the fingerprints."""

import logging
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from recognition.calibrations import deciding_calibration
from recognition.models import (
    Correction,
    Fingerprint,
    FingerprintFaces,
    FingerprintPerson,
)
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import MatchingMode, SeenPerson
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities
from recognition.runtime.people import MatchedFaces, MatchingOptions
from recognition.runtime.recognizer import matches_of
from recognition.signals import fingerprint_changed
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Kind = Fingerprint.Kind
State = Fingerprint.State

_identities: WeakKeyDictionary[FaceDatabase, FaceIdentities] = WeakKeyDictionary()
_identities_lock = threading.Lock()


def identities_path(version: str) -> Path:
    """Return where the identities of a release's faces are kept; it outlives them."""
    return _identities_dir() / f"faces-{version}.npy"


def local_identities_path(revision: str) -> Path:
    """Return where the identities of a revision's local faces are kept."""
    return _identities_dir() / f"local-{revision}.npy"


def _identities_dir() -> Path:
    folder: Path = settings.DATA_DIR / "fingerprints"
    return folder


def identities_of(database: FaceDatabase) -> FaceIdentities:
    """Return what each face of a loaded release is; made once, for all processes.

    Local performers' faces, where it has such, come behind the release's.
    """
    with _identities_lock:
        known = _identities.get(database)
        if known is None:
            known = _plain_identities_of(database.plain)
            if database.local_revision:
                local = FaceIdentities.of_local(database)
                local.save(local_identities_path(database.local_revision))
                known = known.and_local(local)
            _identities[database] = known
    return known


def _plain_identities_of(database: FaceDatabase) -> FaceIdentities:
    if (known := _identities.get(database)) is None:
        path = identities_path(database.version)
        known = FaceIdentities.load(path)
        if known is None or len(known.digests) != database.release.face_count:
            known = FaceIdentities.of(database)
            known.save(path)
        _identities[database] = known
    return known


def kept_identities(version: str, local_revision: str) -> FaceIdentities | None:
    """Return what the faces were that results are of; None where nobody knows."""
    known = FaceIdentities.load(identities_path(version))
    if known is None or not local_revision:
        return known
    local = FaceIdentities.load(local_identities_path(local_revision))
    return None if local is None else known.and_local(local)


def keep(
    kind: Fingerprint.Kind,
    stash_id: int,
    matched: MatchedFaces,
    *,
    options: MatchingOptions,
    network_set: str,
    **facts: Any,
) -> Fingerprint:
    """Keep what was just seen, in place of what was kept before; all or nothing."""
    near = PackedNear.pack(matched.near, identities_of(matched.database).digests)
    now = timezone.now()
    with in_turn():
        corrections = Correction.objects.active().of_media(kind, stash_id)
        known = {*corrections.values_list("pk", flat=True)}
        fingerprint, _ = Fingerprint.objects.update_or_create(
            kind=kind,
            stash_id=stash_id,
            defaults={
                "state": State.COMPLETE,
                "attempt_count": 0,
                "error": "",
                "release_version": matched.database.version,
                "local_revision": matched.database.local_revision,
                "network_set": network_set,
                "options": options_as_json(options),
                "face_count": len(matched.faces),
                "seen_at": now,
                "matched_at": now,
                # What was said or undone while it was looked at is not in its people.
                "is_match_due": known != {*matched.corrections.bound},
                **facts,
            },
        )
        keep_near(fingerprint, near, faces=PackedFaces.pack(matched.faces))
        keep_people(fingerprint, matched.people, matched.database)
        for correction, faces in matched.corrections.bound.items():
            # From now on these very faces: what is in full precision a little above a
            # bound may be kept a little below it.
            corrections.filter(pk=correction).update(seen_at=now, positions=[*faces])
    return fingerprint


def keep_or_tell(
    kind: Fingerprint.Kind, stash_id: int, matched: MatchedFaces, **facts: Any
) -> str:
    """Keep what was just seen; return why that could not be, or "".

    Names that were found are worth telling though the disk is full. What was seen more
    closely is not written over by a glance.
    """
    if reason := _closer_look(kind, stash_id, facts):
        return reason
    try:
        keep(kind, stash_id, matched, **facts)
    except (DatabaseError, OSError) as error:
        logger.exception("Nothing could be kept of %s %s", kind, stash_id)
        return f"Nothing could be kept: {type(error).__name__}."
    return ""


def _closer_look(kind: Fingerprint.Kind, stash_id: int, facts: dict[str, Any]) -> str:
    """Return why what is kept is worth more than what was just seen, or ""."""
    is_whole = facts["frames_analyzed"] == facts["frames_requested"]
    if kind == Kind.GALLERY and is_whole:
        # It may have lost images since.
        return ""
    kept = (
        Fingerprint.objects.complete()
        .filter(kind=kind, stash_id=stash_id, network_set=facts["network_set"])
        .first()
    )
    if kept is None:
        return ""
    is_closer = kept.frames_analyzed > facts["frames_analyzed"]
    is_of_video = kept.source == "stream" and facts.get("source") == "sprites"
    if not (is_closer or is_of_video):
        return ""
    return (
        f"An earlier look at {kept.frames_analyzed} frames ({kept.source}) is kept;"
        " have it refreshed first to replace it."
    )


def keep_near(
    fingerprint: Fingerprint, near: PackedNear, *, faces: PackedFaces | None = None
) -> None:
    """Write what is near a fingerprint's faces; with `faces`, those as well."""
    near_bytes, health_bytes = near.as_bytes()
    content = {"near": near_bytes, "health": health_bytes}
    if faces is None:
        FingerprintFaces.objects.filter(pk=fingerprint.pk).update(**content)
    else:
        FingerprintFaces.objects.update_or_create(
            fingerprint=fingerprint, defaults=content | {"faces": faces.as_bytes()}
        )


def keep_people(
    fingerprint: Fingerprint, people: Iterable[SeenPerson], database: FaceDatabase
) -> None:
    """Write the people of a fingerprint in place of those it had."""
    fingerprint.people.all().delete()
    transaction.on_commit(
        partial(
            fingerprint_changed.send_robust, sender=Fingerprint, fingerprint=fingerprint
        )
    )
    FingerprintPerson.objects.bulk_create(
        _person(fingerprint, number, person, database)
        for number, person in enumerate(people)
    )


def forget_old_identities(served: FaceDatabase) -> None:
    """Delete the identities of faces that no fingerprint is of any more."""
    rows = Fingerprint.objects.order_by()
    needed = {
        *rows.values_list("release_version", "local_revision").distinct(),
        (served.version, served.local_revision),
    }
    kept = {identities_path(version).name for version, _ in needed}
    kept |= {local_identities_path(revision).name for _, revision in needed}
    for path in _identities_dir().glob("*-*.npy"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def options_as_json(options: MatchingOptions) -> dict[str, Any]:
    """Return what `options_from_json` reads."""
    return {
        "mode": options.mode.value,
        "top_k": options.top_k,
        "max_distance": options.max_distance,
        "cluster_threshold": options.cluster_threshold,
        "tagged": sorted(options.tagged),
    }


def options_from_json(stored: dict[str, Any]) -> MatchingOptions:
    """Return how a fingerprint's people are matched."""
    return MatchingOptions(
        mode=MatchingMode(stored["mode"]),
        top_k=stored["top_k"],
        max_distance=stored["max_distance"],
        cluster_threshold=stored["cluster_threshold"],
        tagged=frozenset(stored["tagged"]),
        calibration=deciding_calibration(),
    )


def _person(
    fingerprint: Fingerprint,
    number: int,
    person: SeenPerson,
    database: FaceDatabase,
) -> FingerprintPerson:
    candidates = []
    matches = matches_of(person, database.release) if person.candidates else []
    for match, candidate in zip(matches, person.candidates, strict=True):
        performer = match.performer
        candidates.append(
            {
                "universal_id": performer.universal_id,
                "name": performer.name,
                "distance": candidate.distance,
                "facenet_distance": candidate.facenet_distance,
                "arcface_distance": candidate.arcface_distance,
                "confidence": candidate.confidence,
                "frame_count": candidate.frame_count,
                "score": candidate.score,
                "margin": candidate.margin,
            }
        )
    best: dict[str, Any] = candidates[0] if person.named else {}
    return FingerprintPerson(
        fingerprint=fingerprint,
        number=number,
        faces=[*person.faces],
        frame_count=person.frame_count,
        decision=person.decision.value,
        universal_id=best.get("universal_id", ""),
        name=best.get("name", ""),
        distance=best.get("distance"),
        confidence=best.get("confidence"),
        candidates=candidates,
    )
