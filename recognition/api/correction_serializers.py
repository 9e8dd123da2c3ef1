"""Requests and answers about the owner's corrections."""

from typing import Any

from rest_framework import serializers

from recognition.api.fingerprint_serializers import (
    FingerprintAnswer,
    PageQuery,
    fingerprint_answer,
)
from recognition.library_status import KeptFingerprint
from recognition.models import Correction, Fingerprint
from recognition.numeric.corrections import Verdict

_MAX_ID = 10**18 - 1
VERDICTS = [(each.value, each.value) for each in Verdict]


class CorrectionRequest(serializers.Serializer[Any]):
    """What the owner says of a person, told by their number in what is kept."""

    kind = serializers.ChoiceField(choices=Fingerprint.Kind.choices)
    stash_id = serializers.IntegerField(min_value=1, max_value=_MAX_ID)
    person_id = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    verdict = serializers.ChoiceField(choices=VERDICTS)
    universal_id = serializers.CharField(
        default="", allow_blank=True, max_length=128, help_text="`endpoint:stashdb_id`."
    )
    local_performer_id = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=_MAX_ID,
        help_text="To name a performer of this Stash instead.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a rejection that does not say of whom."""
        if attrs["verdict"] == Verdict.REJECT and not attrs["universal_id"]:
            raise serializers.ValidationError(
                {"universal_id": "Say which performer the person is not."}
            )
        return attrs


class CorrectionsQuery(PageQuery):
    """Which corrections, and which part of them."""

    kind = serializers.ChoiceField(choices=Fingerprint.Kind.choices, required=False)
    stash_id = serializers.IntegerField(
        required=False, min_value=1, max_value=_MAX_ID, help_text="With `kind` alone."
    )


class CorrectionAnswer(serializers.Serializer[Any]):
    """What the owner said of a person, and whether it holds."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Fingerprint.Kind.choices)
    stash_id = serializers.CharField()
    verdict = serializers.ChoiceField(choices=VERDICTS)
    universal_id = serializers.CharField(allow_null=True)
    local_performer_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    undone_by = serializers.CharField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    superseded_by = serializers.IntegerField(
        allow_null=True, help_text="The later correction that it was undone by."
    )


class CorrectionsAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    corrections = CorrectionAnswer(many=True)


class CorrectedAnswer(serializers.Serializer[Any]):
    """The correction, what it undid, and the people as they are now."""

    correction = CorrectionAnswer()
    superseded = serializers.ListField(child=serializers.IntegerField())
    is_in_effect = serializers.BooleanField(
        help_text="False where the people are to be matched again first."
    )
    fingerprint = FingerprintAnswer(allow_null=True)


def correction_answer(correction: Correction) -> dict[str, Any]:
    """Return the body of CorrectionAnswer."""
    local_id = correction.local_performer_id
    return {
        "id": correction.pk,
        "kind": correction.kind,
        "stash_id": str(correction.stash_id),
        "verdict": correction.verdict,
        "universal_id": correction.universal_id or None,
        "local_performer_id": None if local_id is None else str(local_id),
        "name": correction.name or None,
        "made_by": correction.made_by,
        "made_at": correction.made_at,
        "undone_by": correction.undone_by or None,
        "undone_at": correction.undone_at,
        "superseded_by": correction.superseded_by_id,
    }


def corrected_answer(
    correction: Correction, kept: KeptFingerprint | None
) -> dict[str, Any]:
    """Return the body of CorrectedAnswer."""
    return {
        "correction": correction_answer(correction),
        "superseded": [each.pk for each in correction.superseded.order_by("pk")],
        "is_in_effect": kept is not None and not kept.fingerprint.is_match_due,
        "fingerprint": kept and fingerprint_answer(kept),
    }
