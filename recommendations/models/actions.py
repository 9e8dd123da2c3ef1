"""Who changed what in Stash through us."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class ActionRecord(models.Model):
    """A change that was asked of Stash: what was there before, and what after.

    Written before Stash is asked; one that stays in state BEGUN was cut off, and what
    Stash did of it is not known.
    """

    class State(models.TextChoices):
        BEGUN = "begun"
        DONE = "done"
        FAILED = "failed"

    class Asker(models.TextChoices):
        ADMIN = "admin"
        API = "user", "API"
        PLUGIN = "plugin", "Stash plugin"
        COMMAND = "command"

    action = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State, default=State.BEGUN)
    asked_by = models.CharField(max_length=16, choices=Asker)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    recommendation = models.ForeignKey(
        "recommendations.Recommendation",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="actions",
    )
    target_type = models.CharField(max_length=20)
    target_id = models.CharField("target", max_length=400)
    is_destructive = models.BooleanField(default=False)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField("asked for", auto_now_add=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"{self.action} of {self.target_type} {self.target_id}"
