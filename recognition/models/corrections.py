"""What the owner of a library said of people: who they are, are not, or may stay."""

from typing import ClassVar

from django.db import models

from recognition.models.fingerprints import Fingerprint
from recognition.numeric.corrections import Verdict


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def active(self) -> "CorrectionQuerySet":
        """Return those that hold: nobody has undone them."""
        return self.filter(undone_at=None)

    def of_media(self, kind: str, stash_id: int) -> "CorrectionQuerySet":
        """Return those of one scene, image or gallery, the earliest first."""
        return self.filter(kind=kind, stash_id=stash_id).order_by("pk")


class Correction(models.Model):
    """One word of the owner about one person; it is never changed but to be undone.

    It outlives the fingerprint it was made in. `other_ids` are what else Stash knows
    its performer by, now or before: they only grow. `positions` are the person's faces
    in the look of `seen_at`; `places` and `vectors` find them in another look: see
    `recognition.numeric.corrections.Portrait`.
    """

    VERDICTS: ClassVar[list[tuple[str, str]]] = [
        (Verdict.REJECT.value, "is not"),
        (Verdict.NAME.value, "is"),
        (Verdict.IGNORE.value, "is nobody I want to know"),
    ]

    kind = models.CharField(max_length=8, choices=Fingerprint.Kind)
    stash_id = models.PositiveBigIntegerField("id in Stash")
    verdict = models.CharField(max_length=8, choices=VERDICTS)
    universal_id = models.CharField(
        max_length=128,
        blank=True,
        help_text="endpoint:id, or local:id for a performer of this Stash alone.",
    )
    name = models.CharField(max_length=255, blank=True)
    local_performer_id = models.PositiveBigIntegerField(null=True, blank=True)
    other_ids = models.JSONField(
        default=list,
        blank=True,
        help_text="By what else Stash knows the same performer, or did.",
    )
    made_by = models.CharField("by", max_length=150)
    made_at = models.DateTimeField("at", auto_now_add=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="superseded",
        help_text="The later correction that contradicts this one, and undid it.",
    )
    network_set = models.CharField("networks", max_length=64)
    seen_at = models.DateTimeField(null=True, blank=True)
    positions = models.JSONField(default=list)
    places = models.JSONField(default=list)
    vectors = models.BinaryField()

    objects: ClassVar[CorrectionQuerySet] = CorrectionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "stash_id"])
        ]

    def __str__(self) -> str:
        person = f"somebody in {self.kind} {self.stash_id}"
        return f"{person} {self.get_verdict_display()} {self.name}".rstrip()

    @property
    def known_ids(self) -> frozenset[str]:
        """Every universal id of whom it is about; none where that is nobody."""
        return frozenset({self.universal_id, *self.other_ids} - {""})

    @property
    def is_active(self) -> bool:
        return self.undone_at is None
