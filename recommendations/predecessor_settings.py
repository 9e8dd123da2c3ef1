"""Writing what the predecessor's users chose: settings, stash-boxes, fields, schedules.

What was chosen here, wherever it came from, is left as it is.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from recommendations import schedules
from recommendations.exceptions import UnknownAnalysis
from recommendations.models import AnalysisSchedule, EndpointPreference, FieldSwitch
from recommendations.predecessor_mapping import (
    LeftBehind,
    endpoint_of,
    json_of,
    nearest_hours,
    shown,
    switch_of,
    time_of,
)
from recommendations.predecessor_reader import Row, Source
from recommendations.predecessor_report import Part, Report
from recommendations.run_types import RunType, get_run_type
from stashsense.preferences.definitions import InvalidPreference, UnknownPreference
from stashsense.preferences.models import Preference
from stashsense.preferences.services import store_settings

PRIORITIES, DISABLED = "endpoint_priorities", "disabled_endpoints"
_PREFIX = "settings."
# Those it keeps beside the others, and which are settings here.
_BESIDE = ("scene_fp_min_count", "scene_fp_min_percentage")
_VALUE = ("key", "value")


def import_settings(source: Source, report: Report) -> None:
    """Store what was chosen of settings."""
    part = report.begin("settings")
    for row in source.rows("user_settings", _VALUE, order="key"):
        key = str(row["key"])
        if key in (PRIORITIES, DISABLED):
            continue
        what = shown(key, 60)
        if not key.startswith(_PREFIX) and key not in _BESIDE:
            part.leave(what, "there is no such setting here")
            continue
        try:
            _import_setting(key.removeprefix(_PREFIX), row["value"], part)
        except UnknownPreference:
            part.leave(what, "there is no such setting here")
        except (LeftBehind, InvalidPreference) as error:
            part.leave(what, error)


def import_endpoints(source: Source, report: Report) -> None:
    """Store in which order stash-boxes are believed, and which are not asked."""
    part = report.begin("stash-boxes")
    ordered = _endpoints(source, PRIORITIES, part)
    disabled = _endpoints(source, DISABLED, part)
    here = set(EndpointPreference.objects.values_list("endpoint", flat=True))
    last = EndpointPreference.objects.aggregate(last=Max("position"))["last"]
    # After those that somebody put in order here.
    first = 0 if last is None else last + 1
    rows = []
    for endpoint in dict.fromkeys([*ordered, *disabled]):
        if endpoint in here:
            part.here_count += 1
            continue
        place = first + ordered.index(endpoint) if endpoint in ordered else None
        rows.append(
            EndpointPreference(
                endpoint=endpoint, position=place, is_disabled=endpoint in disabled
            )
        )
    EndpointPreference.objects.bulk_create(rows)
    part.imported_count += len(rows)


def disabled_endpoints(source: Source) -> frozenset[str]:
    """Return the stash-boxes that the predecessor does not ask."""
    return frozenset(_endpoints(source, DISABLED, Part("")))


def import_switches(source: Source, report: Report) -> None:
    """Store of which fields changes are proposed."""
    part = report.begin("field switches")
    here = set(FieldSwitch.objects.values_list("endpoint", "entity_type", "field_name"))
    columns = ("endpoint", "entity_type", "field_name", "enabled")
    rows = []
    for row in source.rows("upstream_field_config", columns):
        try:
            switch = switch_of(row)
        except LeftBehind as error:
            named = (row[name] for name in ("entity_type", "field_name", "endpoint"))
            part.leave(" ".join(shown(each, 60) for each in named), error)
            continue
        key = (switch.endpoint, switch.entity_type, switch.field_name)
        if key in here:
            part.here_count += 1
            continue
        here.add(key)
        rows.append(
            FieldSwitch(
                endpoint=switch.endpoint,
                entity_type=switch.entity_type,
                field_name=switch.field_name,
                is_enabled=switch.is_enabled,
            )
        )
    FieldSwitch.objects.bulk_create(rows)
    part.imported_count += len(rows)


def import_schedules(source: Source, report: Report) -> None:
    """Store which runs start by themselves, with intervals that are allowed here."""
    part = report.begin("schedules")
    here = set(AnalysisSchedule.objects.values_list("type", flat=True))
    columns = (
        "type", "enabled", "interval_hours", "priority", "last_run_at", "next_run_at",
    )  # fmt: skip
    for row in source.rows("job_schedules", columns, order="type"):
        type = str(row["type"])
        if type in here:
            part.here_count += 1
            continue
        try:
            run_type = get_run_type(type)
        except UnknownAnalysis:
            part.leave(shown(type, 60), "there is no such type")
            continue
        _import_schedule(run_type, row, report.remarks.add)
        part.imported_count += 1


def _import_setting(key: str, raw: object, part: Part) -> None:
    value = json_of(raw)
    # Whatever is in the row: a setting that was set back is a choice, too.
    if Preference.objects.filter(key=key).exists():
        part.here_count += 1
        return
    store_settings({key: value}, user=None)
    part.imported_count += 1


def _endpoints(source: Source, key: str, part: Part) -> list[str]:
    """Return the stash-boxes that a setting lists, each once."""
    row = source.find("user_settings", _VALUE, {"key": key})
    if row is None:
        return []
    try:
        listed = json_of(row["value"])
        if not isinstance(listed, list):
            raise LeftBehind("it is no list")
    except LeftBehind as error:
        part.leave(key, error)
        return []
    found = []
    for place, raw in enumerate(listed, start=1):
        try:
            found.append(endpoint_of(raw))
        except LeftBehind as error:
            part.leave(f"{key}, place {place}", error)
    return list(dict.fromkeys(found))


def _import_schedule(
    run_type: RunType, row: Row, on_remark: Callable[[str], None]
) -> None:
    is_enabled = bool(row["enabled"])
    kept = schedules.set_schedule(
        run_type.type,
        is_enabled=is_enabled,
        interval_hours=_interval(run_type, row["interval_hours"], on_remark),
        priority=_priority(run_type, row["priority"], on_remark),
    )
    kept.last_run_at = time_of(row["last_run_at"])
    if is_enabled:
        kept.next_run_at = _next_run(kept, time_of(row["next_run_at"]))
    kept.save(update_fields=["last_run_at", "next_run_at"])


def _interval(
    run_type: RunType, raw: object, on_remark: Callable[[str], None]
) -> float:
    if raw in run_type.allowed_hours:
        return float(str(raw))
    if isinstance(raw, int | float) and math.isfinite(raw):
        nearest = nearest_hours(raw, run_type.allowed_hours)
        asked = f"every {raw:g} hours"
    else:
        nearest = int(run_type.default_interval_hours)
        asked = "at no interval that is a number"
    on_remark(
        f"schedule of {run_type.type}: it started {asked}, which is not allowed here; "
        f"every {nearest} hours is the nearest that is"
    )
    return nearest


def _priority(run_type: RunType, raw: object, on_remark: Callable[[str], None]) -> int:
    if isinstance(raw, int) and 0 <= raw <= schedules.MAX_PRIORITY:
        return raw
    if raw is not None:
        on_remark(
            f"schedule of {run_type.type}: its priority is not from 0 to "
            f"{schedules.MAX_PRIORITY}; it has {run_type.default_priority} now"
        )
    return run_type.default_priority


def _next_run(kept: AnalysisSchedule, planned: datetime | None) -> datetime | Any:
    """Return when it starts next: as planned, within an interval from now."""
    now = timezone.now()
    latest = now + timedelta(hours=kept.interval_hours)
    if planned is not None and now < planned < latest:
        return planned
    return latest
