"""How good names are on this library: samples, what came of them, what people said."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from recognition.models.library import LibraryRun


class Evaluation(models.Model):
    """A sample of the library whose tags say who is there, and its release.

    `run` is the latest attempt at it: one that was stopped or failed is gone on with by
    the next, which has the same sample.
    """

    run = models.OneToOneField(
        LibraryRun, on_delete=models.PROTECT, related_name="evaluation"
    )
    sample_size = models.PositiveIntegerField(help_text="Of each kind, at most.")
    kinds = models.JSONField(default=list)
    may_decode = models.BooleanField("decode what is missing", default=False)
    seed = models.PositiveIntegerField(default=0)
    is_sampled = models.BooleanField(default=False)
    release_version = models.CharField("release", max_length=64, blank=True)
    network_set = models.CharField("networks", max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        get_latest_by = "pk"

    def __str__(self) -> str:
        return f"evaluation {self.pk}"


class EvaluatedItem(models.Model):
    """A scene, image or gallery of a sample: who is tagged, and whom each mode saw.

    `tagged` are performers of Stash with their universal ids and whether the release
    knows them; `people` the proposals of each mode.
    """

    class Kind(models.TextChoices):
        SCENE = "scene"
        IMAGE = "image"
        GALLERY = "gallery"

    class State(models.TextChoices):
        PENDING = "pending"
        EVALUATED = "evaluated"
        SKIPPED = "skipped"

    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.CASCADE, related_name="items"
    )
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    stash_id = models.PositiveBigIntegerField("id in Stash")
    title = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    reason = models.TextField("why it was skipped", blank=True)
    tagged = models.JSONField(default=list)
    source = models.CharField(max_length=16, blank=True)
    people = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["evaluation", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["evaluation", "kind", "stash_id"],
                name="recognition_one_evaluated_item_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stash_id}"


class ReviewedName(models.Model):
    """What somebody said of a name that is not tagged; every later report heeds it."""

    class Verdict(models.TextChoices):
        TAG_MISSING = "tag_missing", "The name is right, the tag is missing"
        NAME_WRONG = "name_wrong", "The name is wrong"
        CANNOT_TELL = "cannot_tell", "Cannot tell"

    kind = models.CharField(max_length=8, choices=EvaluatedItem.Kind)
    stash_id = models.PositiveBigIntegerField("id in Stash")
    universal_id = models.CharField(max_length=128)
    verdict = models.CharField(max_length=16, choices=Verdict)
    reviewed_at = models.DateTimeField(auto_now=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "stash_id", "universal_id"],
                name="recognition_one_review_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.universal_id} in {self.kind} {self.stash_id}: {self.verdict}"
