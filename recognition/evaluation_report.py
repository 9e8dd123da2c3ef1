"""What an evaluation says: figures of each mode, what to review, what to adopt.

Computed from its items whenever somebody looks, so that a review counts at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User

from dbupdates.store import active_release
from recognition import calibrations
from recognition.evaluation_truth import (
    NOTHING_SAID,
    OwnersTruth,
    Reviews,
    Truth,
    owners_truths,
    reviews,
    truths_of,
)
from recognition.exceptions import NothingToAdopt
from recognition.models import (
    EvaluatedItem,
    Evaluation,
    ReviewedName,
    StoredCalibration,
)
from recognition.numeric import evaluation as numeric
from recognition.numeric.evaluation import (
    Case,
    Figures,
    Group,
    Item,
    ThresholdChoice,
    ThresholdRow,
)
from recognition.numeric.people import MatchingMode

Verdict = ReviewedName.Verdict

# A curve of fewer names would say more of chance than of this library.
MIN_ADOPTED_CASES = 20


@dataclass(frozen=True)
class ModeReport:
    """How good one mode is. `undisputed` is without the items of `disputed_count`.

    The errors are of confidence: as it is told now, and as a curve fitted to one half
    of the items would tell it of the other half.
    """

    mode: MatchingMode
    strict: Figures
    undisputed: Figures
    disputed_count: int
    told_error: float
    fitted_error: float | None
    by_quality: list[Group]
    by_source: list[Group]
    thresholds: list[ThresholdRow]
    calibration: StoredCalibration | None
    cases: list[Case]
    items: list[Item]


@dataclass(frozen=True)
class Report:
    """What an evaluation says; `skipped` are items and why they tell nothing."""

    evaluation: Evaluation
    item_counts: dict[str, int]
    pending_count: int
    skipped: list[EvaluatedItem]
    modes: list[ModeReport]


@dataclass(frozen=True)
class Disagreement:
    """A name that is not tagged, in the modes that give it, and what was said of it."""

    item: EvaluatedItem
    universal_id: str
    name: str
    modes: list[str]
    confidence: float
    verdict: str


@dataclass(frozen=True)
class Adopted:
    """What was adopted: the row, by which threshold, and the curve's error."""

    row: StoredCalibration
    choice: ThresholdChoice
    fitted_error: float | None


def report_of(evaluation: Evaluation) -> Report:
    """Return what the evaluation says so far."""
    items = [*evaluation.items.all()]
    evaluated = _in_state(items, EvaluatedItem.State.EVALUATED)
    truths = truths_of(evaluated)
    kinds = [item.kind for item in evaluated]
    return Report(
        evaluation=evaluation,
        item_counts={kind: kinds.count(kind) for kind in evaluation.kinds},
        pending_count=len(_in_state(items, EvaluatedItem.State.PENDING)),
        skipped=_in_state(items, EvaluatedItem.State.SKIPPED),
        modes=[
            _mode_report(mode, evaluated, truths, seed=evaluation.seed)
            for mode in MatchingMode
            # Of an evaluation that a version before made, which lacked the mode.
            if all(mode.value in item.people for item in evaluated) and evaluated
        ],
    )


def disagreements(evaluation: Evaluation) -> list[Disagreement]:
    """Return the names that are not tagged: first those not reviewed, the surest."""
    said = reviews()
    items = [*evaluation.items.filter(state=EvaluatedItem.State.EVALUATED)]
    owners = owners_truths(items)
    found = [
        disagreement
        for item in items
        for disagreement in _disagreements_in(
            item, said, owners.get((item.kind, item.stash_id), NOTHING_SAID)
        )
    ]
    return sorted(
        found,
        key=lambda one: (bool(one.verdict), -one.confidence, one.item.number, one.name),
    )


def adopt_threshold(
    evaluation: Evaluation,
    mode: MatchingMode,
    *,
    wrong_names: int,
    per_scenes: int,
    by: User | None,
) -> Adopted:
    """Adopt the smallest threshold with so few wrong names, and the fitted curve.

    Raises NothingToAdopt where the evaluation does not carry that.
    """
    release = active_release()
    if release is None or release.network_set != evaluation.network_set:
        raise NothingToAdopt(
            "The names were evaluated with other networks than those of the active "
            "release. Evaluate again."
        )
    reports = {one.mode: one for one in report_of(evaluation).modes}
    cases = reports[mode].cases if mode in reports else []
    if len(cases) < MIN_ADOPTED_CASES:
        raise NothingToAdopt(
            f"{len(cases)} names were evaluated in mode {mode}; a calibration wants "
            f"{MIN_ADOPTED_CASES}. Tag more, or evaluate a larger sample."
        )
    report = reports[mode]
    choice = numeric.smallest_threshold(
        cases, report.items, wrong_names=wrong_names, per_scenes=per_scenes
    )
    if choice is None:
        raise NothingToAdopt(
            f"With {wrong_names} wrong in {per_scenes} scenes nobody would be named: "
            "the likeliest names are wrong ones. Review the disagreements first."
        )
    fitted = numeric.fitted_calibration(
        cases,
        known_score=choice.threshold,
        uncertain_score=min(_uncertain_score(mode, cases), choice.threshold),
    )
    row = calibrations.adopt(
        mode,
        fitted,
        by=by,
        sample_size=len(report.items),
        network_set=evaluation.network_set,
    )
    return Adopted(row, choice, report.fitted_error)


def _uncertain_score(mode: MatchingMode, cases: Sequence[Case]) -> float:
    current = calibrations.current_calibration(mode)
    if current is not None:
        return current.uncertain_score
    return min(case.score for case in cases)


def _mode_report(
    mode: MatchingMode,
    evaluated: Sequence[EvaluatedItem],
    truths: Sequence[Truth],
    *,
    seed: int,
) -> ModeReport:
    items = [
        Item(one.source, truth.person_count, one.kind == EvaluatedItem.Kind.SCENE)
        for one, truth in zip(evaluated, truths, strict=True)
    ]
    found = [
        found_case
        for number, (item, truth) in enumerate(zip(evaluated, truths, strict=True))
        for found_case in _cases_of(item, number, truth, mode)
    ]
    cases = [case for _, case in found]
    disputed = numeric.strongly_disputed(
        [case for is_refuted, case in found if not is_refuted]
    )
    return ModeReport(
        mode=mode,
        strict=numeric.figures(cases, items, seed=seed),
        undisputed=numeric.figures(*_without(cases, items, disputed), seed=seed),
        disputed_count=len(disputed),
        told_error=numeric.told_error(cases),
        fitted_error=numeric.cross_validated_error(cases),
        by_quality=numeric.by_quality(cases),
        by_source=numeric.by_source(cases, items),
        thresholds=numeric.threshold_table(cases, items),
        calibration=calibrations.active_row(mode),
        cases=cases,
        items=items,
    )


def _cases_of(
    item: EvaluatedItem, number: int, truth: Truth, mode: MatchingMode
) -> list[tuple[bool, Case]]:
    """Return a case for each performer proposed, and whether somebody refuted it.

    Whoever is right for one person of the item and wrong for another is both.
    """
    calibration = calibrations.current_calibration(mode)
    best: dict[tuple[str, bool], tuple[bool, Case]] = {}
    for person in item.people[mode.value]:
        universal_id = person["universal_id"]
        is_right = truth.is_right(person)
        if is_right is None:
            continue
        case = Case(
            item=number,
            score=person["score"],
            is_right=is_right,
            is_named=person["is_named"],
            probability=(
                person["confidence"]
                if calibration is None
                else calibration.probability(person["score"])
            ),
            distance=person["distance"],
            quality=person["quality"],
            source=item.source,
        )
        whom = truth.people.get(universal_id, universal_id), is_right
        if whom not in best or _rank(case) > _rank(best[whom][1]):
            best[whom] = truth.is_refuted(person), case
    return [*best.values()]


def _rank(case: Case) -> tuple[bool, float]:
    return case.is_named, case.score


def _without(
    cases: Iterable[Case], items: Sequence[Item], left_out: set[int]
) -> tuple[list[Case], list[Item]]:
    """Return the rest, with the items numbered anew."""
    kept = [number for number in range(len(items)) if number not in left_out]
    numbers = {old: new for new, old in enumerate(kept)}
    return (
        [
            replace(case, item=numbers[case.item])
            for case in cases
            if case.item in numbers
        ],
        [items[number] for number in kept],
    )


def _disagreements_in(
    item: EvaluatedItem, reviewed: Reviews, owner: OwnersTruth
) -> list[Disagreement]:
    tagged = {one for each in item.tagged for one in each["universal_ids"]}
    found: dict[str, Disagreement] = {}
    for mode, people in item.people.items():
        for person in people:
            universal_id = person["universal_id"]
            if not person["is_named"] or universal_id in tagged:
                continue
            known = found.get(universal_id)
            found[universal_id] = Disagreement(
                item=item,
                universal_id=universal_id,
                name=person["name"],
                modes=[*(known.modes if known else ()), mode],
                confidence=max(person["confidence"], known.confidence if known else 0),
                verdict=_said_of(person, owner)
                or reviewed.get((item.kind, item.stash_id, universal_id), ""),
            )
    return [*found.values()]


def _said_of(person: Mapping[str, Any], owner: OwnersTruth) -> str:
    """Return what the owner's corrections say of a name that is not tagged, or ""."""
    match owner.is_right(person):
        case True:
            return Verdict.TAG_MISSING.value
        case False:
            return Verdict.NAME_WRONG.value
    return ""


def _in_state(
    items: Iterable[EvaluatedItem], state: EvaluatedItem.State
) -> list[EvaluatedItem]:
    return [item for item in items if item.state == state]
