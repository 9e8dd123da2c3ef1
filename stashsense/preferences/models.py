"""What users have chosen, a row for each setting they have touched."""

from django.conf import settings
from django.db import models

# The permission to change settings, in the admin and over REST.
CHANGE_PREFERENCE = "stashsense.change_preference"


class Preference(models.Model):
    """A setting that somebody changed, or set back to its default.

    The row of one that was set back stays: the environment's first value was taken
    over once, and is not to come back.
    """

    key = models.CharField(max_length=64, unique=True)
    value = models.JSONField(
        null=True, blank=True, help_text="Empty: the default decides."
    )
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="Nobody: a program with the API key, or the first start.",
    )

    class Meta:
        verbose_name = "setting"

    def __str__(self) -> str:
        return self.key
