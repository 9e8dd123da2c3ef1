"""What is remembered of stash-boxes, and what their owner wants of each."""

from typing import ClassVar

from django.db import models


class HighWaterMark(models.Model):
    """How far an analysis has come, for each stash-box where it asks several."""

    type = models.CharField(max_length=40)
    endpoint = models.CharField("stash-box", max_length=255, blank=True)
    reached_at = models.DateTimeField(
        null=True, blank=True, help_text="Up to this moment nothing is left to look at."
    )
    logic_version = models.PositiveIntegerField(
        default=1, help_text="Another one than the analysis has: all is looked at anew."
    )
    facts = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField("changed", auto_now=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["type", "endpoint"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["type", "endpoint"], name="recommendations_one_mark_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.endpoint}".strip()


class UpstreamSnapshot(models.Model):
    """What a stash-box said of something of the library.

    `seen` is the newest. `base` is what the library was last agreed with, by being
    equal or by somebody's decision: where upstream is as it was then, a difference is
    wanted. Either is None before there was any.
    """

    entity_type = models.CharField(max_length=16)
    local_id = models.PositiveBigIntegerField("id in Stash")
    endpoint = models.CharField("stash-box", max_length=255)
    stash_box_id = models.CharField("id upstream", max_length=64)
    seen = models.JSONField(null=True, blank=True)
    base = models.JSONField(null=True, blank=True)
    upstream_updated_at = models.DateTimeField(null=True, blank=True)
    local_updated_at = models.DateTimeField(null=True, blank=True)
    is_due = models.BooleanField(
        "to be compared", default=False, help_text="Either side may have changed."
    )
    is_to_be_fetched = models.BooleanField(
        "to be asked for", default=False, help_text="What is kept of it is not enough."
    )
    is_gone = models.BooleanField("deleted upstream", default=False)
    merged_into_id = models.CharField("merged into", max_length=64, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["entity_type", "endpoint", "local_id"],
                name="recommendations_one_snapshot_each",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["entity_type", "endpoint", "stash_box_id"],
                name="recommendations_upstream_id",
            ),
            models.Index(
                fields=["entity_type", "endpoint", "is_due", "id"],
                name="recommendations_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.local_id} at {self.endpoint}"


class FieldSwitch(models.Model):
    """Whether changes of a field are proposed; where there is no row, they are."""

    endpoint = models.CharField("stash-box", max_length=255)
    entity_type = models.CharField(max_length=16)
    field_name = models.CharField("field", max_length=40)
    is_enabled = models.BooleanField("proposed", default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["endpoint", "entity_type", "field_name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["endpoint", "entity_type", "field_name"],
                name="recommendations_one_switch_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.entity_type}.{self.field_name} of {self.endpoint}"


class EndpointPreference(models.Model):
    """In which order stash-boxes are believed, and which are not asked at all."""

    endpoint = models.CharField("stash-box", max_length=255, unique=True)
    position = models.PositiveIntegerField(
        null=True, blank=True, help_text="Lower ones are believed first."
    )
    is_disabled = models.BooleanField("not asked", default=False)

    class Meta:
        ordering: ClassVar = [models.F("position").asc(nulls_last=True), "endpoint"]

    def __str__(self) -> str:
        return self.endpoint
