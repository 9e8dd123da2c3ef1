"""Who is recognised in what is kept of scenes and images, told to other parts.

Rows are read as they are: what the owner corrected a moment ago is in them once they
were matched again, and names rejected until then are left out here.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Prefetch

from recognition.calibrations import deciding_calibration
from recognition.correction_binding import SeenMedia
from recognition.local_performers import LOCAL_ONLY
from recognition.models import Correction, Fingerprint, FingerprintPerson
from recognition.models.fingerprints import FingerprintQuerySet
from recognition.numeric.corrections import Verdict
from recognition.numeric.people import Decision

logger = logging.getLogger(__name__)

# Ids that go into one query.
_CHUNK = 500
# Where a mode judges faces alone, the distance up to which it names somebody.
_NEAR_DISTANCE = 0.5


@dataclass(frozen=True)
class RecognisedPerson:
    """Somebody with a name, by the release or by this Stash alone.

    `released_id` and `released_name` are whom the release takes them for: themselves,
    or, of a local performer, the first other candidate whose faces are as near as
    naming takes; "" for nobody. `faces` are positions in the fingerprint.
    """

    universal_id: str
    name: str
    confidence: float
    frame_count: int
    faces: tuple[int, ...]
    released_id: str
    released_name: str

    @property
    def local_performer_id(self) -> int | None:
        """Return the id in Stash of a local performer; None for the release's."""
        text = self.universal_id.removeprefix(LOCAL_ONLY)
        is_local = text != self.universal_id and text.isdecimal()
        return int(text) if is_local else None


@dataclass(frozen=True)
class RecognisedMedia:
    """A scene, image or gallery: who is named in it, and how many are not."""

    fingerprint_id: int
    stash_id: int
    people: tuple[RecognisedPerson, ...]
    uncertain_count: int
    unknown_count: int


def recognised_in(kind: str, stash_ids: Iterable[int]) -> dict[int, RecognisedMedia]:
    """Return who is recognised in each of them that was looked at, by id in Stash."""
    wanted = sorted(set(stash_ids))
    found: dict[int, RecognisedMedia] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = _looked_at(kind).filter(stash_id__in=wanted[start : start + _CHUNK])
        found |= {each.stash_id: each for each in _read(kind, rows)}
    return found


def recognised_after(
    kind: str, after_id: int, *, limit: int, matched_after: datetime | None = None
) -> list[RecognisedMedia]:
    """Return the next so many by id in Stash, if given those matched after a moment."""
    rows = _matched_after(kind, matched_after).filter(stash_id__gt=after_id)
    return _read(kind, rows.order_by("stash_id")[:limit])


def count_recognised(kind: str, *, matched_after: datetime | None = None) -> int:
    """Return how many `recognised_after` goes through."""
    return _matched_after(kind, matched_after).count()


def evidence_seconds(
    fingerprint_id: int, people: Sequence[RecognisedPerson]
) -> list[list[float]]:
    """Return when each person's faces are shown, the best first; empty if unknown."""
    rows = Fingerprint.objects.select_related("packed")
    try:
        seen = SeenMedia.of(rows.get(pk=fingerprint_id)).faces
    except (ObjectDoesNotExist, ValueError) as error:
        logger.warning("Faces of fingerprint %d: %s", fingerprint_id, error)
        return [[] for _ in people]
    found = []
    for person in people:
        shown = [seen[each] for each in person.faces if 0 <= each < len(seen)]
        shown.sort(key=lambda face: -face.quality)
        seconds = [round(each.seconds, 2) for each in shown if each.seconds is not None]
        found.append(list(dict.fromkeys(seconds)))
    return found


def performers_named_by_owner(universal_ids: Iterable[str]) -> dict[str, set[int]]:
    """Return whom of this Stash the owner said to be somebody with such an id."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    wanted = sorted(set(universal_ids))
    for start in range(0, len(wanted), _CHUNK):
        rows = Correction.objects.active().filter(
            verdict=Verdict.NAME.value,
            universal_id__in=wanted[start : start + _CHUNK],
            local_performer_id__isnull=False,
        )
        for universal_id, number in rows.values_list(
            "universal_id", "local_performer_id"
        ):
            if number is not None:
                found[universal_id].add(number)
    return dict(found)


def _looked_at(kind: str) -> FingerprintQuerySet:
    return Fingerprint.objects.filter(kind=kind, matched_at__isnull=False)


def _matched_after(kind: str, moment: datetime | None) -> FingerprintQuerySet:
    rows = _looked_at(kind)
    return rows if moment is None else rows.filter(matched_at__gt=moment)


def _read(kind: str, rows: FingerprintQuerySet) -> list[RecognisedMedia]:
    people = FingerprintPerson.objects.order_by("number")
    # Options and evidence of many fingerprints are far more than what is told here.
    rows = rows.only("pk", "kind", "stash_id", "is_match_due")
    fetched = list(rows.prefetch_related(Prefetch("people", queryset=people)))
    rejected = _rejected(kind, [row.stash_id for row in fetched if row.is_match_due])
    known_score = deciding_calibration().known_score
    return [
        _media(row, rejected.get(row.stash_id, set()), known_score) for row in fetched
    ]


def _rejected(kind: str, stash_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return the names that the owner took back and that may still be in the rows."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = Correction.objects.active().filter(
        kind=kind, stash_id__in=stash_ids, verdict=Verdict.REJECT.value
    )
    for stash_id, universal_id in rows.values_list("stash_id", "universal_id"):
        found[stash_id].add(universal_id)
    return found


def _media(row: Fingerprint, rejected: set[str], known_score: float) -> RecognisedMedia:
    # As they were fetched: `all` asks nothing more.
    people = list(row.people.all())
    decisions = [person.decision for person in people]
    return RecognisedMedia(
        fingerprint_id=row.pk,
        stash_id=row.stash_id,
        people=tuple(
            _person(each, known_score)
            for each in people
            if each.decision == Decision.KNOWN
            and each.universal_id
            and each.universal_id not in rejected
        ),
        uncertain_count=decisions.count(Decision.UNCERTAIN.value),
        unknown_count=decisions.count(Decision.UNKNOWN.value),
    )


def _person(row: FingerprintPerson, known_score: float) -> RecognisedPerson:
    released_id, released_name = row.universal_id, row.name
    if released_id.startswith(LOCAL_ONLY):
        others = (each for each in row.candidates if _is_released(each, known_score))
        other = next(others, {"universal_id": "", "name": ""})
        released_id, released_name = other["universal_id"], other["name"]
    return RecognisedPerson(
        universal_id=row.universal_id,
        name=row.name,
        confidence=min(max(row.confidence or 0.0, 0.0), 1.0),
        frame_count=row.frame_count,
        faces=tuple(row.faces),
        released_id=released_id,
        released_name=released_name,
    )


def _is_released(candidate: dict[str, Any], known_score: float) -> bool:
    """Return whether the release alone would have named them so."""
    if candidate["universal_id"].startswith(LOCAL_ONLY):
        return False
    score, distance = candidate.get("score"), candidate.get("distance")
    if score is not None:
        return bool(score >= known_score)
    return distance is not None and distance <= _NEAR_DISTANCE
