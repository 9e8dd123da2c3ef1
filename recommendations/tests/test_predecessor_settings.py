"""What people chose at the predecessor: what of it comes along, and how."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations import schedules
from recommendations.models import AnalysisSchedule, EndpointPreference, FieldSwitch
from recommendations.predecessor import import_predecessor
from recommendations.tests.analyses import ListAnalyzer
from recommendations.tests.predecessor import OTHER, STASHDB, counts, left
from stashsense.preferences import services, values
from stashsense.preferences.models import Preference

pytestmark = pytest.mark.django_db


def test_chosen_settings_come_along_and_are_checked(predecessor):
    predecessor.set("settings.num_frames", 45)
    predecessor.set("settings.gpu_enabled", "no")
    predecessor.set("settings.stash_api_rate", 500)
    predecessor.set("settings.detection_size", 333)
    predecessor.set("settings.face_candidates", None)
    predecessor.set("settings.no_such", 1)
    predecessor.set("scene_fp_min_count", 3)
    predecessor.set("scene_fp_min_percentage", 80)
    predecessor.set("normalize_enum_display", True)
    predecessor.add("user_settings", key="settings.tattoo_signal_enabled", value="{")

    report = import_predecessor(predecessor.path)

    assert counts(report, "settings") == (4, 0, 6)
    assert left(report, "settings") == [
        "normalize_enum_display: there is no such setting here",
        "settings.detection_size: detection_size must be a multiple of 32, not 333.",
        "settings.face_candidates: face_candidates must be a number.",
        "settings.no_such: there is no such setting here",
        "settings.stash_api_rate: stash_api_rate must be between 0.5 and 50.0, not "
        "500.",
        "settings.tattoo_signal_enabled: it is no JSON",
    ]
    assert values.value_of("num_frames") == 45
    assert values.value_of("gpu_enabled") is False
    assert values.value_of("scene_fp_min_count") == 3
    assert values.value_of("scene_fp_min_percentage") == 80.0
    assert Preference.objects.count() == 4


def test_a_setting_that_was_touched_here_stays(predecessor):
    services.store_settings({"num_frames": 90}, user=None)
    services.store_settings({"face_candidates": 50}, user=None)
    services.reset_setting("face_candidates", user=None)
    predecessor.set("settings.num_frames", 45)
    predecessor.set("settings.face_candidates", 30)

    report = import_predecessor(predecessor.path)

    assert counts(report, "settings") == (0, 2, 0)
    assert values.value_of("num_frames") == 90
    assert not values.setting("face_candidates").is_override


def test_stash_boxes_keep_their_order_after_those_ordered_here(predecessor):
    third = "http://localhost:9998/graphql"
    EndpointPreference.objects.create(endpoint=third, position=4)
    predecessor.set("endpoint_priorities", [OTHER, third, STASHDB, OTHER])
    predecessor.set("disabled_endpoints", [STASHDB, "https://off.example/graphql", 7])

    report = import_predecessor(predecessor.path)

    rows = EndpointPreference.objects.values_list("endpoint", "position", "is_disabled")
    assert list(rows) == [
        (third, 4, False),
        (OTHER, 5, False),
        (STASHDB, 7, True),
        ("https://off.example/graphql", None, True),
    ]
    assert counts(report, "stash-boxes") == (3, 1, 1)
    assert left(report, "stash-boxes") == [
        "disabled_endpoints, place 3: it does not say which stash-box it is about"
    ]


@pytest.mark.parametrize(
    "listed", ['"https://stashdb.org"', "null", "[", '["\\ud800"]', "[1e999]"]
)
def test_lists_of_stash_boxes_that_are_none_are_left_behind(predecessor, listed):
    predecessor.add("user_settings", key="endpoint_priorities", value=listed)

    report = import_predecessor(predecessor.path)

    assert counts(report, "stash-boxes") == (0, 0, 1)
    assert not EndpointPreference.objects.exists()


def test_field_switches_come_along_for_fields_there_are(predecessor):
    FieldSwitch.objects.create(
        endpoint=STASHDB, entity_type="tag", field_name="name", is_enabled=True
    )
    for entity_type, field_name, endpoint in [
        ("performer", "hair_color", STASHDB),
        ("tag", "name", STASHDB),
        ("tag", "hair_color", STASHDB),
        ("gallery", "title", STASHDB),
        ("scene", "title", "stashdb.org"),
        ("scene", "title", f"https://{'x' * 300}"),
    ]:
        predecessor.add(
            "upstream_field_config",
            endpoint=endpoint,
            entity_type=entity_type,
            field_name=field_name,
            enabled=0,
        )

    report = import_predecessor(predecessor.path)

    rows = FieldSwitch.objects.values_list("entity_type", "field_name", "is_enabled")
    assert list(rows) == [("performer", "hair_color", False), ("tag", "name", True)]
    assert counts(report, "field switches") == (1, 1, 4)
    reasons = sorted(
        line.rpartition(": ")[2] for line in left(report, "field switches")
    )
    assert reasons == [
        "a tag has no such field",
        "it does not say which stash-box it is about",
        "its address of a stash-box has 308 characters, and 255 can be kept",
        "there is nothing of such a kind",
    ]


def moment(text):
    return text.strftime("%Y-%m-%d %H:%M:%S")


def test_schedules_come_along_with_intervals_that_are_allowed(predecessor, registered):
    now = timezone.now().replace(microsecond=0)
    registered(*(ListAnalyzer(type=f"list{each}") for each in range(4)))
    planned, passed = now + timedelta(hours=3), now - timedelta(hours=3)
    far = now + timedelta(days=900)
    for type, enabled, hours, priority, next_run_at in [
        ("list0", 1, 72.0, 7, planned),
        ("list1", 1, 100.0, None, passed),
        ("list2", 0, -1.0, 5000, planned),
        ("list3", 1, "often", 50, far),
        ("database_update", 1, 6.0, 10, None),
        ("fingerprint_x", 1, 24.0, 10, None),
    ]:
        predecessor.add(
            "job_schedules",
            type=type,
            enabled=enabled,
            interval_hours=hours,
            priority=priority,
            last_run_at=moment(passed),
            next_run_at=next_run_at and moment(next_run_at),
        )

    report = import_predecessor(predecessor.path)

    rows: dict[str, Any] = {row.type: row for row in AnalysisSchedule.objects.all()}
    facts = {
        type: (row.is_enabled, row.interval_hours, row.priority)
        for type, row in rows.items()
    }
    assert facts == {
        "database_update": (True, 6, 10),
        "list0": (True, 72, 7),
        "list1": (True, 72, 50),
        "list2": (False, 24, 50),
        "list3": (True, 168, 50),
    }
    assert rows["list0"].next_run_at == planned
    assert rows["list0"].last_run_at == passed
    assert rows["list1"].next_run_at >= now + timedelta(hours=72)
    assert rows["list2"].next_run_at is None
    assert rows["list3"].next_run_at < far
    assert rows["database_update"].next_run_at >= now + timedelta(hours=6)
    assert left(report, "schedules") == ["fingerprint_x: there is no such type"]
    remarks = [line.partition(";")[0] for line in report.remarks]
    assert remarks == [
        "schedule of list1: it started every 100 hours, which is not allowed here",
        "schedule of list2: it started every -1 hours, which is not allowed here",
        "schedule of list2: its priority is not from 0 to 1000",
        "schedule of list3: it started at no interval that is a number, which is not "
        "allowed here",
    ]


def test_a_schedule_that_is_set_here_stays(predecessor):
    schedules.set_schedule("database_update", is_enabled=False, interval_hours=12)
    predecessor.add(
        "job_schedules", type="database_update", enabled=1, interval_hours=24
    )

    report = import_predecessor(predecessor.path)

    assert counts(report, "schedules") == (0, 1, 0)
    row = AnalysisSchedule.objects.get()
    assert (row.is_enabled, row.interval_hours) == (False, 12)
