"""Requests and answers about runs and schedules, with the predecessor's names."""

from typing import Any

from rest_framework import serializers

from recommendations.api.requests import ObjectField
from recommendations.models import AnalysisRun, AnalysisSchedule
from recommendations.run_types import RunType
from recommendations.schedules import MAX_PRIORITY, interval_label

STATES = AnalysisRun.State.choices
MAX_LIMIT = 500


class AnalysisTypeAnswer(serializers.Serializer[Any]):
    """An analysis that can be run."""

    type = serializers.CharField()
    enabled = serializers.BooleanField(help_text="True: what is listed can be run.")
    display_name = serializers.CharField()
    description = serializers.CharField()


class AnalysisTypesAnswer(serializers.Serializer[Any]):
    types = AnalysisTypeAnswer(many=True)


class RunQuery(serializers.Serializer[Any]):
    """How much is to be looked at."""

    full = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Everything, and not only what changed since the last time.",
    )


class AnalysisStartedAnswer(serializers.Serializer[Any]):
    """A run; both names are its id, here and in the queue."""

    run_id = serializers.IntegerField()
    job_id = serializers.IntegerField()
    message = serializers.CharField()


class RunsQuery(serializers.Serializer[Any]):
    """Which runs, and how many."""

    type = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40
    )
    limit = serializers.IntegerField(default=20, min_value=1, max_value=MAX_LIMIT)


class AnalysisRunAnswer(serializers.Serializer[Any]):
    """One attempt at an analysis."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    status = serializers.ChoiceField(STATES)
    full = serializers.BooleanField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it ended, whichever way."
    )
    items_total = serializers.IntegerField()
    items_processed = serializers.IntegerField()
    items_found = serializers.IntegerField(help_text="Known ones among them.")
    recommendations_created = serializers.IntegerField()
    message = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)


class JobsQuery(RunsQuery):
    """Which runs of the queue, and how many."""

    status = serializers.ChoiceField(
        STATES, required=False, allow_blank=True, default=""
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_LIMIT)


class JobRequest(serializers.Serializer[Any]):
    """What is to be begun."""

    type = serializers.CharField(max_length=40)
    full = serializers.BooleanField(required=False, default=False)
    priority = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=MAX_PRIORITY,
        help_text="Lower ones begin earlier.",
    )
    triggered_by = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Deprecated and ignored: who asks is known.",
    )
    cursor = serializers.JSONField(
        required=False,
        allow_null=True,
        help_text="Deprecated and ignored: a retry goes on from where a run ended.",
    )


class JobStartedAnswer(serializers.Serializer[Any]):
    job_id = serializers.IntegerField()
    message = serializers.CharField()


class QueuedRunAnswer(serializers.Serializer[Any]):
    """A run as the queue shows it."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    status = serializers.ChoiceField(STATES)
    full = serializers.BooleanField()
    priority = serializers.IntegerField()
    cursor = ObjectField(allow_null=True, help_text="Where it goes on from.")
    items_total = serializers.IntegerField()
    items_processed = serializers.IntegerField()
    message = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    triggered_by = serializers.ChoiceField(AnalysisRun.Asker.choices)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class QueuedRunsAnswer(serializers.Serializer[Any]):
    jobs = QueuedRunAnswer(many=True)


class QueueStatusAnswer(serializers.Serializer[Any]):
    """What goes on."""

    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    running_jobs = QueuedRunAnswer(many=True)


class IntervalAnswer(serializers.Serializer[Any]):
    hours = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]


class QueueTypeAnswer(serializers.Serializer[Any]):
    """What the queue can begin."""

    type_id = serializers.CharField()
    display_name = serializers.CharField()
    description = serializers.CharField()
    resource = serializers.ChoiceField(["gpu", "network", "light"])
    default_priority = serializers.IntegerField()
    supports_incremental = serializers.BooleanField()
    schedulable = serializers.BooleanField()
    default_interval_hours = serializers.FloatField()
    allowed_intervals = IntervalAnswer(many=True)


class QueueTypesAnswer(serializers.Serializer[Any]):
    types = QueueTypeAnswer(many=True)


class ScheduleRequest(serializers.Serializer[Any]):
    """When a type is to start by itself; the interval is one of its own."""

    enabled = serializers.BooleanField()
    interval_hours = serializers.IntegerField()
    priority = serializers.IntegerField(required=False, allow_null=True, default=None)


class ScheduleAnswer(serializers.Serializer[Any]):
    """When a type starts by itself."""

    type = serializers.CharField()
    enabled = serializers.BooleanField()
    interval_hours = serializers.FloatField()
    priority = serializers.IntegerField()
    last_run_at = serializers.DateTimeField(allow_null=True)
    next_run_at = serializers.DateTimeField(allow_null=True)


class SchedulesAnswer(serializers.Serializer[Any]):
    schedules = ScheduleAnswer(many=True)


class QueueMessageAnswer(serializers.Serializer[Any]):
    message = serializers.CharField()


def run_answer(run: AnalysisRun) -> dict[str, Any]:
    """Return the body of AnalysisRunAnswer."""
    return {
        "id": run.pk,
        "type": run.type,
        "status": run.state,
        "full": run.is_full,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "items_total": run.total_count,
        "items_processed": run.done_count,
        "items_found": run.found_count,
        "recommendations_created": run.created_count,
        "message": run.note or None,
        "error_message": run.error or None,
        "error_code": run.error_code or None,
    }


def job_answer(run: AnalysisRun) -> dict[str, Any]:
    """Return the body of QueuedRunAnswer."""
    return {
        "id": run.pk,
        "type": run.type,
        "status": run.state,
        "full": run.is_full,
        "priority": run.priority,
        "cursor": run.cursor or None,
        "items_total": run.total_count,
        "items_processed": run.done_count,
        "message": run.note or None,
        "error_message": run.error or None,
        "error_code": run.error_code or None,
        "triggered_by": run.asked_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
    }


def analysis_type_answer(run_type: RunType) -> dict[str, Any]:
    """Return the body of AnalysisTypeAnswer."""
    return {
        "type": run_type.type,
        "enabled": True,
        "display_name": run_type.display_name,
        "description": run_type.description,
    }


def type_answer(run_type: RunType) -> dict[str, Any]:
    """Return the body of QueueTypeAnswer."""
    return {
        "type_id": run_type.type,
        "display_name": run_type.display_name,
        "description": run_type.description,
        "resource": run_type.resource,
        "default_priority": run_type.default_priority,
        "supports_incremental": run_type.is_incremental,
        "schedulable": True,
        "default_interval_hours": run_type.default_interval_hours,
        "allowed_intervals": [
            {"hours": hours, "label": interval_label(hours)}
            for hours in run_type.allowed_hours
        ],
    }


def schedule_answer(row: AnalysisSchedule) -> dict[str, Any]:
    """Return the body of ScheduleAnswer."""
    return {
        "type": row.type,
        "enabled": row.is_enabled,
        "interval_hours": row.interval_hours,
        "priority": row.priority,
        "last_run_at": row.last_run_at,
        "next_run_at": row.next_run_at,
    }
