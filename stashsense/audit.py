"""Who changed what over the API: a row for each request that was to change something.

One that failed is kept as well, with its status: it may have changed a part. What an
action did to Stash is in its own rows, with before and after; what people do in the
admin, in Django's.
"""

import logging
from typing import ClassVar

from django.conf import settings
from django.db import DatabaseError, models

logger = logging.getLogger(__name__)

# Of a library that is tidied every day, about a year; some 20 MB.
KEPT_ROWS = 100_000
_PRUNE_EVERY = 1000


class ApiChangeQuerySet(models.QuerySet["ApiChange"]):
    def keep(self, **values: object) -> None:
        """Keep what was done; the oldest are forgotten.

        What cannot be kept is logged: it has been done, and the answer must say so.
        """
        try:
            row = self.create(**values)
            if row.pk % _PRUNE_EVERY == 0:
                self.filter(pk__lte=row.pk - KEPT_ROWS).delete()
        except DatabaseError:
            logger.exception("What was asked for could not be kept")


class ApiChange(models.Model):
    """A request that was to change something, and how it was answered."""

    asked_at = models.DateTimeField(auto_now_add=True, db_index=True)
    caller = models.CharField(
        max_length=16, help_text="plugin, key, user, or nobody where everybody may."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    address = models.GenericIPAddressField(null=True, blank=True)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()
    request_id = models.CharField(max_length=64, help_text="As the log has it.")

    objects: ClassVar[ApiChangeQuerySet] = ApiChangeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "change over the API"
        verbose_name_plural = "changes over the API"
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
