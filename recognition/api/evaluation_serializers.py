"""Requests and answers about how good names are on this library."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from recognition.api.fingerprint_serializers import PageQuery
from recognition.evaluation_report import (
    Adopted,
    Disagreement,
    ModeReport,
    Report,
)
from recognition.evaluations import (
    DEFAULT_SAMPLE_SIZE,
    DEFAULT_SEED,
    MAX_SAMPLE_SIZE,
)
from recognition.models import EvaluatedItem, ReviewedName, StoredCalibration
from recognition.numeric.people import MatchingMode

KINDS = EvaluatedItem.Kind.choices
MODES = [(mode.value, mode.value) for mode in MatchingMode]


class StartRequest(serializers.Serializer[Any]):
    """What is to be evaluated."""

    sample = serializers.IntegerField(
        default=DEFAULT_SAMPLE_SIZE,
        min_value=1,
        max_value=MAX_SAMPLE_SIZE,
        help_text="Of each kind, at most.",
    )
    kinds = serializers.MultipleChoiceField(
        choices=KINDS,
        # No set, as the stubs want one: its order, told by the description of the API,
        # is another in every process.
        default=[*EvaluatedItem.Kind.values],  # type: ignore[arg-type]
        allow_empty=False,
    )
    decode_missing = serializers.BooleanField(
        default=False, help_text="Look at what nothing is kept of; takes long."
    )
    seed = serializers.IntegerField(
        default=DEFAULT_SEED, min_value=0, max_value=2**31 - 1
    )


class AdoptRequest(serializers.Serializer[Any]):
    """How many wrong names are put up with."""

    mode = serializers.ChoiceField(choices=MODES)
    wrong_names = serializers.IntegerField(default=1, min_value=0, max_value=1000)
    per_scenes = serializers.IntegerField(min_value=1, max_value=1_000_000)


class ModeRequest(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=MODES)


class ReviewRequest(serializers.Serializer[Any]):
    """What is said of a name; null takes it back."""

    kind = serializers.ChoiceField(choices=KINDS)
    stash_id = serializers.IntegerField(min_value=1, max_value=10**18 - 1)
    universal_id = serializers.CharField(max_length=128)
    verdict = serializers.ChoiceField(
        choices=ReviewedName.Verdict.choices, allow_null=True
    )


class CropQuery(serializers.Serializer[Any]):
    universal_id = serializers.CharField(max_length=128)


class MatchRequest(serializers.Serializer[Any]):
    """Something whose people are wanted in every mode."""

    kind = serializers.ChoiceField(choices=KINDS)
    stash_id = serializers.IntegerField(min_value=1, max_value=10**18 - 1)
    may_look = serializers.BooleanField(
        default=False, help_text="Fetch an image or gallery that nothing is kept of."
    )


class ShareAnswer(serializers.Serializer[Any]):
    """A share with its 95 % interval (Wilson); null is a share of nothing."""

    count = serializers.IntegerField()
    total = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()


class MeanAnswer(serializers.Serializer[Any]):
    """A mean over scenes with its 95 % interval (bootstrap)."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class FiguresAnswer(serializers.Serializer[Any]):
    recall = ShareAnswer()
    precision = ShareAnswer()
    false_names_per_scene = MeanAnswer(
        allow_null=True, help_text="Per item where the sample has no scene."
    )
    uncertain_count = serializers.IntegerField(
        help_text="Proposed and not named; in no other figure."
    )
    item_count = serializers.IntegerField()


class GroupAnswer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    precision = ShareAnswer()
    recall = ShareAnswer(allow_null=True)


class ThresholdAnswer(serializers.Serializer[Any]):
    """What another threshold would change."""

    threshold = serializers.FloatField()
    named_count = serializers.IntegerField()
    gained_count = serializers.IntegerField()
    lost_count = serializers.IntegerField()
    precision = ShareAnswer()
    recall = ShareAnswer()
    false_names_per_scene = serializers.FloatField()


class CalibrationAnswer(serializers.Serializer[Any]):
    """What somebody chose for a mode."""

    mode = serializers.CharField()
    origin = serializers.ChoiceField(choices=StoredCalibration.Origin.choices)
    known_score = serializers.FloatField(allow_null=True)
    uncertain_score = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField()
    network_set = serializers.CharField()
    adopted_at = serializers.DateTimeField()
    adopted_by = serializers.CharField(allow_null=True)


class ModeAnswer(serializers.Serializer[Any]):
    """How good a mode is."""

    mode = serializers.CharField()
    strict = FiguresAnswer(
        help_text="Whoever is named and not tagged counts as wrong: a lower bound."
    )
    undisputed = FiguresAnswer(help_text="Without the items of disputed_count.")
    disputed_count = serializers.IntegerField(
        help_text="Items with an untagged name surer than half of the right ones."
    )
    calibration_error = serializers.FloatField(
        help_text="Of the confidence that is told now."
    )
    fitted_calibration_error = serializers.FloatField(
        allow_null=True, help_text="Of a fitted curve, on items it was not fitted to."
    )
    by_quality = GroupAnswer(many=True)
    by_source = GroupAnswer(many=True)
    thresholds = ThresholdAnswer(many=True)
    calibration = CalibrationAnswer(allow_null=True)


class SkippedAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    stash_id = serializers.CharField()
    reason = serializers.CharField()


class ReportAnswer(serializers.Serializer[Any]):
    """How good names are on this library."""

    state = serializers.CharField(help_text="Of the run that works at it.")
    error = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    waiting_for = serializers.CharField(allow_null=True)
    release_version = serializers.CharField()
    network_set = serializers.CharField()
    sample = serializers.IntegerField()
    seed = serializers.IntegerField()
    decode_missing = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    item_counts = serializers.DictField(child=serializers.IntegerField())
    pending_count = serializers.IntegerField()
    skipped = SkippedAnswer(many=True)
    modes = ModeAnswer(many=True)


class EvaluationStartedAnswer(serializers.Serializer[Any]):
    job_id = serializers.IntegerField()
    message = serializers.CharField()


class AdoptedAnswer(serializers.Serializer[Any]):
    """The threshold that was adopted, and how sure that is."""

    calibration = CalibrationAnswer()
    threshold = serializers.FloatField()
    wrong_count = serializers.IntegerField()
    named_count = serializers.IntegerField()
    item_count = serializers.IntegerField()
    highest_rate = serializers.FloatField(
        help_text="Upper end of the 95 % interval of wrong names in a scene."
    )
    fitted_calibration_error = serializers.FloatField(allow_null=True)


class DisagreementAnswer(serializers.Serializer[Any]):
    """A name that is not tagged."""

    kind = serializers.CharField()
    stash_id = serializers.CharField()
    title = serializers.CharField()
    universal_id = serializers.CharField()
    name = serializers.CharField()
    modes = serializers.ListField(child=serializers.CharField())
    confidence = serializers.FloatField()
    verdict = serializers.CharField(allow_null=True)
    tagged = serializers.ListField(child=serializers.CharField())
    crop_path = serializers.CharField()


class DisagreementsAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    disagreements = DisagreementAnswer(many=True)


class MatchAnswer(serializers.Serializer[Any]):
    """Whom each mode sees in an item."""

    release_version = serializers.CharField()
    network_set = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    people = serializers.DictField(child=serializers.ListField())


DisagreementsQuery = PageQuery


def report_answer(report: Report) -> dict[str, Any]:
    evaluation = report.evaluation
    return {
        "state": evaluation.run.state,
        "error": evaluation.run.error or None,
        "error_code": evaluation.run.error_code or None,
        "waiting_for": evaluation.run.waiting_for or None,
        "release_version": evaluation.release_version,
        "network_set": evaluation.network_set,
        "sample": evaluation.sample_size,
        "seed": evaluation.seed,
        "decode_missing": evaluation.may_decode,
        "created_at": evaluation.created_at,
        "item_counts": report.item_counts,
        "pending_count": report.pending_count,
        "skipped": [
            {"kind": one.kind, "stash_id": str(one.stash_id), "reason": one.reason}
            for one in report.skipped
        ],
        "modes": [_mode_answer(mode) for mode in report.modes],
    }


def adopted_answer(adopted: Adopted) -> dict[str, Any]:
    return {
        "calibration": calibration_answer(adopted.row),
        **asdict(adopted.choice),
        "fitted_calibration_error": adopted.fitted_error,
    }


def calibration_answer(row: StoredCalibration) -> dict[str, Any]:
    return {
        "mode": row.mode,
        "origin": row.origin,
        "known_score": row.known_score,
        "uncertain_score": row.uncertain_score,
        "sample_size": row.sample_size,
        "network_set": row.network_set,
        "adopted_at": row.adopted_at,
        "adopted_by": row.adopted_by and str(row.adopted_by),
    }


def disagreement_answer(one: Disagreement, *, crop_path: str) -> dict[str, Any]:
    return {
        "kind": one.item.kind,
        "stash_id": str(one.item.stash_id),
        "title": one.item.title,
        "universal_id": one.universal_id,
        "name": one.name,
        "modes": one.modes,
        "confidence": one.confidence,
        "verdict": one.verdict or None,
        "tagged": [tagged["name"] for tagged in one.item.tagged],
        "crop_path": crop_path,
    }


def _mode_answer(report: ModeReport) -> dict[str, Any]:
    return {
        "mode": report.mode.value,
        "strict": asdict(report.strict),
        "undisputed": asdict(report.undisputed),
        "disputed_count": report.disputed_count,
        "calibration_error": report.told_error,
        "fitted_calibration_error": report.fitted_error,
        "by_quality": [asdict(group) for group in report.by_quality],
        "by_source": [asdict(group) for group in report.by_source],
        "thresholds": [asdict(row) for row in report.thresholds],
        "calibration": report.calibration and calibration_answer(report.calibration),
    }
