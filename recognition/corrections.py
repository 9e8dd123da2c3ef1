"""The owner's corrections: made, undone, put into effect at once.

A correction holds for every later match of its scene, image or gallery: see
`recognition.correction_binding`. One that is contradicted by a later one is undone by
it, and holds again when that one is undone.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone

from dbupdates.prepared import PreparedRelease, open_prepared
from dbupdates.store import active_release
from recognition import registry, rematching
from recognition.correction_binding import (
    SeenMedia,
    bound_faces,
    corrections_of,
    portrait_fields,
)
from recognition.exceptions import (
    CorrectionNotFound,
    CorrectionUndone,
    DatabaseNotLoaded,
    InvalidCorrection,
    PerformerNotFound,
    PersonNotFound,
)
from recognition.local_performers import (
    LOCAL_ONLY,
    every_universal_id,
    find_with_ids,
)
from recognition.models import Correction, Fingerprint, FingerprintPerson
from recognition.models.corrections import CorrectionQuerySet
from recognition.numeric.corrections import Corrections, Verdict
from recognition.signals import correction_changed
from stashsense.integrations.stash import configured_client
from stashsense.integrations.stash_errors import StashNotConfigured, StashNotFound
from stashsense.integrations.stash_types import TaggedPerformer
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

# Somebody may correct the same scene at the same moment; more often is no accident.
_MATCH_ATTEMPTS = 3


@dataclass(frozen=True)
class Performer:
    """Whom the owner speaks of; NOBODY where a person is ignored.

    `other_ids` are universal ids of the same performer.
    """

    universal_id: str = ""
    name: str = ""
    local_id: int | None = None
    other_ids: frozenset[str] = frozenset()


NOBODY = Performer()


def reject(person: FingerprintPerson, universal_id: str, *, by: str) -> Correction:
    """Say that the person is not this performer, and never will be, by no id.

    Stash is asked for the ids that the performer has there. Raises PersonNotFound, or
    PerformerNotFound where neither the active release nor the person's candidates know
    the performer.
    """
    names = {each["universal_id"]: each["name"] for each in person.candidates}
    name = names.get(universal_id) or _released_name(universal_id)
    if name is None:
        raise PerformerNotFound(f"No release has a performer {universal_id}.")
    performer = _with_ids_of(find_with_ids(universal_id), universal_id, name)
    return _make(person, Verdict.REJECT, performer, by=by)


def name(
    person: FingerprintPerson,
    *,
    universal_id: str | None = None,
    local_performer_id: int | None = None,
    name: str = "",
    by: str,
) -> Correction:
    """Say who the person is; raises PersonNotFound, and what get_performer does."""
    performer = get_performer(
        universal_id=universal_id, local_performer_id=local_performer_id, name=name
    )
    return _make(person, Verdict.NAME, performer, by=by)


def get_performer(
    *, universal_id: str | None, local_performer_id: int | None, name: str = ""
) -> Performer:
    """Return who is meant: a performer of the release, or one of this Stash.

    Stash is asked about whom the release does not have; `name` is what such a one is
    to be called. Raises PerformerNotFound, InvalidCorrection when it is told neither
    id, and what StashClient.get_performer does.
    """
    if universal_id and universal_id.startswith(LOCAL_ONLY):
        local_performer_id = _local_id_of(universal_id)
        universal_id = None
    if universal_id:
        return _performer_anywhere(universal_id, local_performer_id)
    if local_performer_id is not None:
        return _local_performer(local_performer_id, name)
    raise InvalidCorrection("Say who it is: universal_id or local_performer_id.")


def _local_id_of(universal_id: str) -> int:
    text = universal_id.removeprefix(LOCAL_ONLY)
    if not (text.isascii() and text.isdecimal()):
        raise InvalidCorrection(f"{universal_id} is no performer of this Stash.")
    return int(text)


def ignore(person: FingerprintPerson, *, by: str) -> Correction:
    """Say that the person is nobody the owner wants to know; or PersonNotFound."""
    return _make(person, Verdict.IGNORE, NOBODY, by=by)


def note(
    person: FingerprintPerson,
    verdict: Verdict,
    performer: Performer = NOBODY,
    *,
    by: str,
) -> Correction | None:
    """Keep what is said of one person of many; the caller puts it into effect.

    None where that was said before and holds. Raises PersonNotFound.
    """
    correction, is_new = _record(person, verdict, performer, by=by)
    return correction if is_new else None


def undo(correction: Correction, *, by: str) -> None:
    """Have the correction hold no more, and what it contradicted hold again.

    Raises CorrectionUndone where that was done before.
    """
    kind, stash_id = correction.kind, correction.stash_id
    _withdraw(correction, by=by)
    put_into_effect(kind, stash_id)


def withdraw(correction: Correction, *, by: str) -> None:
    """Have the correction hold no more; the caller puts that into effect.

    One that a later one contradicts does not come back when that one is undone.
    """
    correction.refresh_from_db()
    if correction.is_active:
        _withdraw(correction, by=by)
    elif correction.superseded_by_id is not None:
        correction.superseded_by = None
        correction.save(update_fields=["superseded_by"])


def _withdraw(correction: Correction, *, by: str) -> None:
    kind, stash_id = correction.kind, correction.stash_id
    with in_turn():
        undone = Correction.objects.active().filter(pk=correction.pk)
        if not undone.update(undone_by=by, undone_at=timezone.now()):
            raise CorrectionUndone(f"Correction {correction.pk} was undone before.")
        correction.refresh_from_db()
        media = _find_media(kind, stash_id)
        if media is not None:
            _restore(correction, media)
        _mark(kind, stash_id)
        _tell_later([correction])


def put_into_effect(kind: str, stash_id: int) -> bool:
    """Match with the corrections there are; return False if that is left for later.

    That is where this process does not serve the active release, or the faces are of
    other networks.
    """
    rows = Fingerprint.objects.filter(kind=kind, stash_id=stash_id, is_match_due=True)
    try:
        with registry.in_use():
            recognizer = registry.recognizer()
    except DatabaseNotLoaded:
        return False
    active = active_release()
    if active is None or active.version != recognizer.database.version:
        return False
    due = (
        rows.filter(network_set=recognizer.networks.name)
        .exclude(packed=None)
        .select_related("packed")
    )
    for _ in range(_MATCH_ATTEMPTS):
        rematching.rematch([*due], recognizer.database, signals=recognizer.signals)
        if not due.exists():
            break
    return not rows.exists()


def truth_of(fingerprint: Fingerprint) -> Corrections:
    """Return what the owner said of the fingerprint's faces: who they are, or are not.

    With the rows of the active release; raises DatabaseNotLoaded where none is.
    """
    return corrections_of(SeenMedia.of(fingerprint), _active_prepared())


def history(*, kind: str = "", stash_id: int | None = None) -> CorrectionQuerySet:
    """Return the corrections, the undone ones as well, the latest first."""
    rows = Correction.objects.all()
    if kind:
        rows = rows.filter(kind=kind)
    return rows if stash_id is None else rows.filter(stash_id=stash_id)


def get_person(kind: str, stash_id: int, number: int) -> FingerprintPerson:
    """Return the person of that number in what is kept; or raise PersonNotFound."""
    people = FingerprintPerson.objects.select_related("fingerprint")
    person = people.filter(
        fingerprint__kind=kind, fingerprint__stash_id=stash_id, number=number
    ).first()
    if person is None:
        raise PersonNotFound(f"Nobody of number {number} is kept of {kind} {stash_id}.")
    return person


def get_correction(correction_id: int) -> Correction:
    """Return the correction; or raise CorrectionNotFound."""
    correction = Correction.objects.filter(pk=correction_id).first()
    if correction is None:
        raise CorrectionNotFound(f"There is no correction {correction_id}.")
    return correction


def _make(
    person: FingerprintPerson, verdict: Verdict, performer: Performer, *, by: str
) -> Correction:
    correction, is_new = _record(person, verdict, performer, by=by)
    if is_new:
        put_into_effect(correction.kind, correction.stash_id)
    return correction


def _record(
    person: FingerprintPerson, verdict: Verdict, performer: Performer, *, by: str
) -> tuple[Correction, bool]:
    """Return the correction, and whether it is a new one."""
    with in_turn():
        everybody = _everybody_beside(person)
        kind, stash_id = person.fingerprint.kind, person.fingerprint.stash_id
        media = _find_media(kind, stash_id)
        if media is None:
            raise PersonNotFound(f"Nothing can be read of {kind} {stash_id}.")
        faces = {*person.faces}
        others = [each.faces for each in everybody if each.pk != person.pk]
        correction = Correction(
            kind=kind,
            stash_id=stash_id,
            verdict=verdict,
            universal_id=performer.universal_id,
            name=performer.name,
            local_performer_id=performer.local_id,
            other_ids=sorted(performer.other_ids - {performer.universal_id}),
            made_by=by,
            **portrait_fields(media, person.faces, others),
        )
        active = [*_active_beside(correction)]
        for same in active:
            if _has_said(same, correction) and faces <= bound_faces(media, same):
                return same, False
        correction.save()
        contradicted = [
            each
            for each in active
            if _contradict(each, correction) and faces & bound_faces(media, each)
        ]
        for each in contradicted:
            each.undone_by, each.undone_at = by, correction.made_at
            each.superseded_by = correction
            each.save(update_fields=["undone_by", "undone_at", "superseded_by"])
        _mark(kind, stash_id)
        _tell_later([correction, *contradicted])
    return correction, True


def _restore(undone: Correction, media: SeenMedia) -> None:
    """Have hold again what was undone by this one, but for what contradicts others."""
    for former in undone.superseded.all():
        faces = bound_faces(media, former)
        if any(
            _contradict(each, former) and faces & bound_faces(media, each)
            for each in _active_beside(former)
        ):
            continue
        former.undone_by, former.undone_at, former.superseded_by = "", None, None
        former.save(update_fields=["undone_by", "undone_at", "superseded_by"])
        _tell_later([former])


def _contradict(one: Correction, other: Correction) -> bool:
    """Return whether both cannot be true of one person."""
    verdicts = {one.verdict, other.verdict}
    if Verdict.REJECT not in verdicts:
        return not _has_said(one, other)
    is_one_performer = not one.known_ids.isdisjoint(other.known_ids)
    return verdicts == {Verdict.REJECT, Verdict.NAME} and is_one_performer


def _has_said(former: Correction, later: Correction) -> bool:
    """Return whether the later one says of a person what the former did."""
    if former.verdict == later.verdict == Verdict.REJECT:
        return former.known_ids >= later.known_ids
    same = former.verdict, former.universal_id
    return same == (later.verdict, later.universal_id)


def _active_beside(correction: Correction) -> Iterable[Correction]:
    media = correction.kind, correction.stash_id
    return Correction.objects.active().of_media(*media).exclude(pk=correction.pk)


def _everybody_beside(person: FingerprintPerson) -> list[FingerprintPerson]:
    """Return all people of the fingerprint, if this one is still among them."""
    people = FingerprintPerson.objects.filter(fingerprint_id=person.fingerprint_id)
    everybody = [*people]
    if person not in everybody:
        raise PersonNotFound("The people there have been made anew; look again.")
    return everybody


def _find_media(kind: str, stash_id: int) -> SeenMedia | None:
    """Return the faces that are kept of it, if they can be read."""
    rows = Fingerprint.objects.filter(kind=kind, stash_id=stash_id)
    fingerprint = rows.exclude(packed=None).select_related("packed").first()
    if fingerprint is None:
        return None
    try:
        return SeenMedia.of(fingerprint)
    except ValueError:
        logger.exception("The faces of %s cannot be read", fingerprint)
        return None


def _mark(kind: str, stash_id: int) -> None:
    rows = Fingerprint.objects.filter(kind=kind, stash_id=stash_id)
    rows.update(is_match_due=True)


def _tell_later(corrections: Iterable[Correction]) -> None:
    for correction in corrections:
        transaction.on_commit(
            partial(correction_changed.send_robust, Correction, correction=correction)
        )


def _performer_anywhere(universal_id: str, local_id: int | None) -> Performer:
    """Return the performer of the release, or else of this Stash."""
    name = _released_name(universal_id)
    if name is not None:
        return Performer(universal_id, name, local_id)
    try:
        found = configured_client().find_performers_by_stash_ids([universal_id])
    except StashNotConfigured:
        found = []
    if not found:
        raise PerformerNotFound(
            f"Neither the release nor Stash has a performer {universal_id}."
        )
    return _with_ids_of(found, universal_id, found[0].name)


def _local_performer(local_id: int, name: str) -> Performer:
    """Return a performer of this Stash, by the id that the release knows if any."""
    try:
        performer = configured_client().get_performer(local_id)
    except StashNotFound as error:
        raise PerformerNotFound(str(error)) from error
    released = (
        universal_id
        for universal_id in sorted(performer.universal_ids)
        if _released_name(universal_id) is not None
    )
    universal_id = next(released, f"{LOCAL_ONLY}{local_id}")
    return _with_ids_of([performer], universal_id, name or performer.name)


def _with_ids_of(
    found: Sequence[TaggedPerformer], universal_id: str, name: str
) -> Performer:
    """Return the performer, with every id of those whom Stash has by this one."""
    local_id = found[0].id if found else None
    return Performer(universal_id, name, local_id, every_universal_id(found))


def _released_name(universal_id: str) -> str | None:
    release = _active_prepared()
    row = release.find_row(universal_id)
    return None if row is None else release.performer(row).name


def _active_prepared() -> PreparedRelease:
    """Return what the active release knows of performers, whoever serves it."""
    active = active_release()
    if active is None:
        raise DatabaseNotLoaded(registry.NO_ACTIVE_RELEASE)
    try:
        return open_prepared(active.path)
    except (OSError, ValueError) as error:
        raise DatabaseNotLoaded(
            f"Release {active.version} cannot be read: {error}"
        ) from error
