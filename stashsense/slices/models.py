"""The part of a run's row by which processes agree on who works at it."""

from typing import Any

from django.db import models


class SlicedRun(models.Model):
    """A run that is worked at in slices, each a task of the background.

    The row says which slice is awaited; a task of another one was overtaken and does
    nothing. Who works at a slice holds a lease in the row and renews it. The manager of
    a subclass has `in_progress()`: the runs that have not ended.
    """

    # Of the state that a run is in from its first slice on.
    RUNNING = "running"

    slice_number = models.PositiveIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField("process id", null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    death_count = models.PositiveSmallIntegerField(
        "deaths", default=0, help_text="Processes that died at it without getting on."
    )
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField("asked for", auto_now_add=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    heartbeat_at = models.DateTimeField("last heard of", auto_now_add=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def own_rows(self) -> Any:
        """The row, as long as the run goes on and this slice of it is awaited."""
        return self.rows_in_progress.filter(slice_number=self.slice_number)

    @property
    def rows_in_progress(self) -> Any:
        """The row, as long as the run has not ended."""
        rows: Any = type(self)._default_manager
        return rows.in_progress().filter(pk=self.pk)
