"""Which calibration is in force for a mode: the shipped one, or the library's own.

Cheap enough to ask in every request: a process reads the active rows at once, and again
when they are half a second old.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction

from dbupdates.store import active_release
from recognition.library_runs import rematch_if_outdated
from recognition.models import Fingerprint, StoredCalibration
from recognition.numeric.calibration import SHIPPED_CALIBRATION, Calibration
from recognition.numeric.people import MatchingMode, PersonCandidate, SeenPerson
from stashsense.turns import in_turn

Origin = StoredCalibration.Origin

MAX_AGE_SECONDS = 0.5

# Of modes that are not named here, confidence is 1 - distance until a library adopts a
# calibration of its own.
SHIPPED_CALIBRATIONS: dict[MatchingMode, Calibration] = {
    MatchingMode.TEMPLATE: SHIPPED_CALIBRATION
}


class _Adopted:
    """The libraries' own calibrations in force, as last read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_mode: Mapping[MatchingMode, Calibration] = {}
        self._read_at = -MAX_AGE_SECONDS

    def get(self) -> Mapping[MatchingMode, Calibration]:
        if time.monotonic() - self._read_at < MAX_AGE_SECONDS:
            return self._by_mode
        with self._lock:
            # Before the rows, which may change while they are read.
            began = time.monotonic()
            if began - self._read_at >= MAX_AGE_SECONDS:
                self._by_mode = _read()
                self._read_at = began
            return self._by_mode

    def forget(self) -> None:
        self._read_at = -MAX_AGE_SECONDS


_adopted = _Adopted()


def forget() -> None:
    """Read the rows again when next asked: somebody here has changed them."""
    _adopted.forget()


def current_calibration(mode: MatchingMode) -> Calibration | None:
    """Return what turns the mode's scores into confidence now; None if nothing does.

    What was adopted with other networks does not hold for those of the active release.
    """
    return _adopted.get().get(mode) or SHIPPED_CALIBRATIONS.get(mode)


def deciding_calibration() -> Calibration:
    """Return what decides in mode template now who has a name."""
    return current_calibration(MatchingMode.TEMPLATE) or SHIPPED_CALIBRATION


def active_row(mode: MatchingMode) -> StoredCalibration | None:
    """Return who chose what for the mode last, or None if nobody ever did."""
    rows = StoredCalibration.objects.filter(mode=mode.value, is_active=True)
    return rows.select_related("adopted_by").first()


def adopt(
    mode: MatchingMode,
    calibration: Calibration,
    *,
    by: User | None,
    sample_size: int,
    network_set: str,
) -> StoredCalibration:
    """Put a library's own calibration in force, in place of the one before.

    What mode template decided with that is decided again, by the background.
    """
    return _put_in_force(
        StoredCalibration(
            mode=mode.value,
            origin=Origin.LIBRARY,
            scores=[*calibration.scores],
            probabilities=[*calibration.probabilities],
            known_score=calibration.known_score,
            uncertain_score=calibration.uncertain_score,
            sample_size=sample_size,
            network_set=network_set,
            adopted_by=by,
        )
    )


def go_back_to_shipped(mode: MatchingMode, *, by: User | None) -> StoredCalibration:
    """Have the installed version's calibration decide again, or none where it has none.

    Whichever version is installed: the row holds no curve.
    """
    return _put_in_force(
        StoredCalibration(mode=mode.value, origin=Origin.SHIPPED, adopted_by=by)
    )


def raw_score(candidate: PersonCandidate) -> float:
    """Return the number of a candidate that calibrations are fitted to."""
    return candidate.confidence if candidate.score is None else candidate.score


def with_confidence(
    people: Sequence[SeenPerson], mode: MatchingMode
) -> list[SeenPerson]:
    """Return the people with confidences as the calibration in force tells them.

    Mode template has told them with its decisions, and whom the owner named is certain.
    Who is named, and in which order they are, stays as it is: a curve does not fall.
    """
    calibration = current_calibration(mode)
    if calibration is None or mode is MatchingMode.TEMPLATE:
        return [*people]
    return [
        person if person.owners_name else _confident(person, calibration)
        for person in people
    ]


def _confident(person: SeenPerson, calibration: Calibration) -> SeenPerson:
    """Return the person with the probability of being right as confidences."""
    return replace(
        person,
        candidates=tuple(
            replace(each, confidence=calibration.probability(each.confidence))
            for each in person.candidates
        ),
    )


def _put_in_force(row: StoredCalibration) -> StoredCalibration:
    with in_turn():
        # First: the partial unique index allows one active row of a mode.
        StoredCalibration.objects.filter(mode=row.mode, is_active=True).update(
            is_active=False
        )
        row.is_active = True
        row.save()
        if row.mode == MatchingMode.TEMPLATE:
            _have_decided_again()
    forget()
    return row


def _have_decided_again() -> None:
    """Have the names of what is kept follow the calibration; the run counts changes.

    Of other modes it is the confidence alone, which the next match tells.
    """
    # What is looked at while another process still reads the former calibration, for
    # half a second at most, keeps names of that until its next match.
    rows = Fingerprint.objects.filter(options__mode=MatchingMode.TEMPLATE.value)
    rows.update(is_match_due=True)
    transaction.on_commit(rematch_if_outdated)


def _read() -> dict[MatchingMode, Calibration]:
    rows = StoredCalibration.objects.filter(is_active=True, origin=Origin.LIBRARY)
    adopted = [*rows]
    if not adopted:
        return {}
    release = active_release()
    modes = {mode.value for mode in MatchingMode}
    return {
        MatchingMode(row.mode): _calibration(row)
        for row in adopted
        if release is not None
        and row.network_set == release.network_set
        # A version before this one may have had other modes.
        and row.mode in modes
    }


def _calibration(row: StoredCalibration) -> Calibration:
    assert row.known_score is not None
    assert row.uncertain_score is not None
    return Calibration(
        scores=tuple(row.scores),
        probabilities=tuple(row.probabilities),
        known_score=row.known_score,
        uncertain_score=row.uncertain_score,
    )
