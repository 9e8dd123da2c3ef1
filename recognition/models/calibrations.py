"""Curves from scores to probabilities that a library has adopted for itself."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class StoredCalibration(models.Model):
    """A choice of calibration for a mode; the active row of a mode is the one in force.

    LIBRARY: this curve. SHIPPED: somebody went back to what the installed version
    ships, which stands in no row. Rows are never changed but for `is_active`, so that
    they tell what was in force when.
    """

    class Origin(models.TextChoices):
        SHIPPED = "shipped"
        LIBRARY = "library"

    mode = models.CharField(max_length=16)
    origin = models.CharField(max_length=16, choices=Origin)
    scores = models.JSONField(default=list, help_text="Of the curve; empty: shipped.")
    probabilities = models.JSONField(default=list)
    known_score = models.FloatField(
        null=True, blank=True, help_text="From here on a person is named."
    )
    uncertain_score = models.FloatField(
        null=True, blank=True, help_text="From here on performers are proposed."
    )
    sample_size = models.PositiveIntegerField(
        "items evaluated", default=0, help_text="Scenes, images and galleries."
    )
    network_set = models.CharField(
        "networks", max_length=64, blank=True, help_text="It holds for these alone."
    )
    is_active = models.BooleanField("in force", default=False)
    adopted_at = models.DateTimeField(auto_now_add=True)
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="Nobody: a program with the API key.",
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["mode"],
                condition=models.Q(is_active=True),
                name="recognition_one_active_calibration_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.origin} calibration of {self.mode}"
