"""Moving over: what comes along, what stays behind, and what is here stays."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations import decisions, findings, schedules
from recommendations.analyzers.base import FREQUENT_HOURS
from recommendations.exceptions import PredecessorUnreadable
from recommendations.models import (
    AnalysisSchedule,
    Dismissal,
    EndpointPreference,
    FieldSwitch,
    Recommendation,
    UpstreamSnapshot,
)
from recommendations.predecessor import import_predecessor, rehearse_import
from recommendations.tests.analyses import ListAnalyzer, finding
from recommendations.tests.predecessor import OTHER, STASHDB, Predecessor
from stashsense.preferences import services, values
from stashsense.preferences.models import Preference

pytestmark = pytest.mark.django_db

MODELS = (
    AnalysisSchedule, Dismissal, EndpointPreference, FieldSwitch, Preference,
    Recommendation, UpstreamSnapshot,
)  # fmt: skip


@pytest.fixture
def predecessor(tmp_path):
    return Predecessor(tmp_path / "stash_sense.db")


def everything():
    """Return every row that an import could change."""
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in MODELS
    }


def part(report, name):
    return next(each for each in report.parts if each.name == name)


def counts(report, name):
    found = part(report, name)
    return found.imported_count, found.here_count, found.left.count


def left(report, name):
    return list(part(report, name).left)


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

    rows = {row.type: row for row in AnalysisSchedule.objects.all()}
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
    assert 12 in FREQUENT_HOURS


def test_recommendations_come_along_under_the_identities_of_here(predecessor):
    match = {"endpoint": OTHER, "high_confidence": True}
    predecessor.add_recommendation(
        "1",
        details={"suggested_keeper_id": "1", "name": "名 ü"},
        confidence=1.0,
        created_at="2025-01-02 03:04:05",
        updated_at="2025-02-03T04:05:06",
    )
    predecessor.add_recommendation("20:3", type="duplicate_scenes", target_type="scene")
    predecessor.add_upstream("4")
    predecessor.add_recommendation(
        f"5|{OTHER}|abc",
        type="scene_fingerprint_match",
        target_type="scene",
        details=match,
    )
    predecessor.add_recommendation(
        f"6|{OTHER}|abc", type="scene_fingerprint_match", target_type="scene"
    )

    report = import_predecessor(predecessor.path)

    assert counts(report, "recommendations") == (5, 0, 0)
    rows = Recommendation.objects.order_by("pk")
    assert [(row.target_id, row.endpoint, row.status, row.cause) for row in rows] == [
        ("1", "", "pending", ""),
        ("3:20", "", "pending", ""),
        ("4", STASHDB, "pending", ""),
        (f"5|{OTHER}|abc", OTHER, "pending", ""),
        (f"6|{OTHER}|abc", OTHER, "pending", ""),
    ]
    first = rows[0]
    assert first.details == {"suggested_keeper_id": "1", "name": "名 ü"}
    assert first.confidence == 1.0
    assert first.created_at.isoformat() == "2025-01-02T03:04:05+00:00"
    assert first.updated_at.isoformat() == "2025-02-03T04:05:06+00:00"


def test_what_was_decided_is_not_proposed_again_until_it_changes(predecessor):
    predecessor.add_upstream("1", status="resolved", resolution_action="accepted")
    predecessor.add_upstream("2", status="dismissed")
    predecessor.dismiss("2", type="upstream_performer_changes", reason="no")
    predecessor.add_upstream(
        "3",
        status="resolved",
        resolution_action="auto_resolved",
        resolved_at="2025-01-01",
    )
    import_predecessor(predecessor.path)
    analyzer = ListAnalyzer(type="upstream_performer_changes", reopens=True)

    def look(cause):
        found = [finding(each, cause, STASHDB) for each in ("1", "2", "3")]
        for each in found:
            object.__setattr__(each.target, "target_type", "performer")
        findings.record(analyzer, found, pass_id=1)
        rows = Recommendation.objects.order_by("target_id")
        return [row.status for row in rows]

    assert look("now") == ["resolved", "dismissed", "pending"]
    assert look("now") == ["resolved", "dismissed", "pending"]
    assert look("later") == ["pending", "pending", "pending"]
    assert Recommendation.objects.count() == 3


def test_dismissals_come_along_with_and_without_a_recommendation(predecessor):
    predecessor.add_upstream("1", status="dismissed")
    predecessor.dismiss(
        "1",
        type="upstream_performer_changes",
        permanent=1,
        reason="never",
        dismissed_at="2025-01-02 03:04:05",
    )
    predecessor.dismiss("2", type="upstream_performer_changes", permanent=1)
    predecessor.dismiss("3", type="upstream_performer_changes", permanent=0)
    predecessor.dismiss("4")
    predecessor.add_recommendation("5", status="dismissed")
    predecessor.add_recommendation("6", status="resolved", resolution_action="merged")
    predecessor.dismiss("6")
    # Waiting although dismissed: nobody is to be asked again.
    predecessor.add_recommendation("8")
    predecessor.dismiss("8")

    report = import_predecessor(predecessor.path)

    rows = Dismissal.objects.order_by("target_id")
    assert [(row.target_id, row.endpoint, row.is_permanent) for row in rows] == [
        ("1", STASHDB, True),
        ("2", "", True),
        ("4", "", False),
        ("5", "", False),
        ("6", "", False),
        ("8", "", False),
    ]
    assert rows[0].reason == "never"
    assert rows[0].dismissed_at.isoformat() == "2025-01-02T03:04:05+00:00"
    assert counts(report, "dismissals") == (5, 0, 1)
    assert left(report, "dismissals") == [
        "upstream_performer_changes of performer 3: it does not say which stash-box it "
        "is about"
    ]
    assert dict(Recommendation.objects.values_list("target_id", "status")) == {
        "1": "dismissed",
        "5": "dismissed",
        "6": "resolved",
        "8": "dismissed",
    }
    assert findings.dismissed_for_good(
        "upstream_performer_changes", "performer", STASHDB
    ) == {"1", "2"}
    assert findings.dismissed_for_good(
        "upstream_performer_changes", "performer", OTHER
    ) == {"2"}


def test_what_was_closed_with_its_stash_box_is_no_dismissal(predecessor):
    predecessor.set("disabled_endpoints", [OTHER])
    for target_id, endpoint in [("1", OTHER), ("2", OTHER), ("3", STASHDB)]:
        predecessor.add_recommendation(
            target_id,
            type="scene_fingerprint_match",
            target_type="scene",
            status="dismissed",
            details={"endpoint": endpoint},
        )
    predecessor.dismiss("2", type="scene_fingerprint_match", target_type="scene")

    report = import_predecessor(predecessor.path)

    assert left(report, "recommendations") == [
        "scene_fingerprint_match of scene 1 (row 1): it was closed with its stash-box, "
        "which nobody decided of it"
    ]
    kept = Dismissal.objects.values_list("target_id", flat=True)
    assert sorted(kept) == ["2", "3"]


STRANGE = [
    ({"type": "duplicate_galleries"}, "there is no such type"),
    ({"target_type": "scene"}, "its type is about something else"),
    ({"status": "odd"}, "there is no state odd"),
    ({"details": "{"}, "it is no JSON"),
    ({"details": '{"a": NaN}'}, "it is no JSON"),
    ({"details": '{"a": 1e999}'}, "it is no JSON"),
    ({"details": '"\\ud800"'}, "it is no JSON"),
    ({"details": "[" * 100_000}, "it is no JSON"),
    ({"details": b"{}"}, "it is no JSON"),
    ({"details": '{"a": "\\u0000"}'}, "it holds a character that cannot be kept"),
    ({"details": "[1]"}, "its details are no JSON object"),
    ({"target_id": ""}, "it is about nothing"),
    ({"target_id": "名" * 401}, "its id has 401 characters, and 400 can be kept"),
    ({"target_id": b"7"}, "it is about something that is no text"),
    (
        {"type": "upstream_performer_changes", "details": "{}"},
        "it does not say which stash-box it is about",
    ),
    (
        {"type": "duplicate_scenes", "target_type": "scene", "target_id": "1:two"},
        "it is not about two scenes",
    ),
]


@pytest.mark.parametrize(("facts", "reason"), STRANGE, ids=range(len(STRANGE)))
def test_what_cannot_be_kept_is_left_behind_with_the_reason(predecessor, facts, reason):
    predecessor.add_recommendation(**({"target_id": "9"} | facts))
    predecessor.add_recommendation("名" * 400)

    report = import_predecessor(predecessor.path)

    assert counts(report, "recommendations") == (1, 0, 1)
    (line,) = left(report, "recommendations")
    assert line.endswith(f"(row 1): {reason}") or len(line) > 120
    assert line.endswith(f": {reason}")
    assert Recommendation.objects.get().target_id == "名" * 400


def test_what_is_wrong_beside_the_matter_is_left_out_and_told(predecessor):
    predecessor.add_recommendation(
        "7",
        status="resolved",
        confidence=7,
        resolution_action="a" * 200,
        resolution_details="{",
        resolved_at="yesterday",
        created_at="0001-01-01T00:00:00+14:00",
    )

    report = import_predecessor(predecessor.path)

    row = Recommendation.objects.get()
    assert (row.confidence, row.resolution_details, row.resolved_at) == (None, {}, None)
    assert row.resolution_action == "a" * 64
    assert row.created_at.year >= 2026
    assert list(report.remarks) == [
        "duplicate_performer of performer 7: came along without its confidence, which "
        "is not 0 to 1",
        "duplicate_performer of performer 7: came along without the details of its "
        "resolution: no JSON",
    ]


def test_two_orders_of_one_pair_are_one(predecessor):
    for target_id in ("3:20", "20:3"):
        predecessor.add_recommendation(
            target_id, type="duplicate_scenes", target_type="scene"
        )

    report = import_predecessor(predecessor.path)

    assert counts(report, "recommendations") == (1, 0, 1)
    assert Recommendation.objects.get().target_id == "3:20"


def test_snapshots_come_along_as_what_the_library_was_agreed_with(predecessor):
    UpstreamSnapshot.objects.create(
        entity_type="tag", local_id=9, endpoint=STASHDB, stash_box_id="z", seen={"a": 1}
    )
    for entity_type, local_id, stash_box_id, fetched_at, data in [
        ("performer", "7", "old", "2025-01-01", {"name": "Before"}),
        ("performer", "7", "new", "2025-02-01", {"name": "名"}),
        ("tag", "9", "y", "2025-01-01", {"name": "Tag"}),
        ("studio", "3", "s", "2025-01-01", {"name": "Studio"}),
        ("scene", "x", "t", "2025-01-01", {"title": "T"}),
        ("scene", str(2**63), "u", "2025-01-01", {"title": "T"}),
        ("scene", "4", "v", "2025-01-01", {}),
        ("scene", "5", "w" * 65, "2025-01-01", {"title": "T"}),
        ("group", "5", "w", "2025-01-01", {"title": "T"}),
    ]:
        predecessor.add(
            "upstream_snapshots",
            entity_type=entity_type,
            local_entity_id=local_id,
            endpoint=STASHDB,
            stash_box_id=stash_box_id,
            upstream_data=data,
            fetched_at=fetched_at,
        )
    for type, version in [("performer", 4), ("studio", 4)]:
        predecessor.add(
            "analysis_watermarks",
            type=f"upstream_{type}_changes:{STASHDB}",
            logic_version=version,
        )

    report = import_predecessor(predecessor.path)

    assert counts(report, "snapshots") == (1, 1, 7)
    row = UpstreamSnapshot.objects.get(entity_type="performer")
    assert (row.local_id, row.endpoint, row.stash_box_id) == (7, STASHDB, "new")
    assert (row.base, row.seen, row.upstream_updated_at) == ({"name": "名"}, None, None)
    assert UpstreamSnapshot.objects.get(entity_type="tag").base is None
    reasons = dict(line.split(": ") for line in left(report, "snapshots"))
    assert reasons["performer 7"] == "it is there twice"
    assert reasons["studio 3"].startswith("it was kept in an older way")


def fill(predecessor):
    predecessor.set("settings.num_frames", 45)
    predecessor.set("endpoint_priorities", [OTHER, STASHDB])
    predecessor.add(
        "upstream_field_config",
        endpoint=STASHDB,
        entity_type="tag",
        field_name="name",
        enabled=0,
    )
    predecessor.add(
        "job_schedules", type="database_update", enabled=1, interval_hours=24
    )
    predecessor.add_recommendation("1")
    predecessor.add_recommendation("2", status="resolved")
    predecessor.add_recommendation("3", status="dismissed")
    predecessor.dismiss("3", permanent=1)
    predecessor.add_upstream("4")
    predecessor.add(
        "upstream_snapshots",
        entity_type="tag",
        local_entity_id="9",
        endpoint=STASHDB,
        stash_box_id="y",
        upstream_data={"name": "Tag"},
    )


def test_a_second_import_changes_nothing(predecessor):
    fill(predecessor)
    first = import_predecessor(predecessor.path)
    before = everything()

    second = import_predecessor(predecessor.path)

    assert everything() == before
    assert first.imported_count == 11
    assert second.imported_count == 0
    assert sum(each.here_count for each in second.parts) == 11


def test_what_was_changed_here_since_stays(predecessor):
    fill(predecessor)
    import_predecessor(predecessor.path)
    rows = {row.target_id: row for row in Recommendation.objects.all()}
    decisions.resolve(rows["1"], "merged")
    decisions.restore(rows["3"])
    decisions.dismiss(rows["4"], person=decisions.Person(), is_permanent=True)
    services.reset_setting("num_frames", user=None)
    EndpointPreference.objects.update(is_disabled=True)
    FieldSwitch.objects.update(is_enabled=True)
    schedules.set_schedule("database_update", is_enabled=False, interval_hours=6)
    UpstreamSnapshot.objects.update(base=None, seen={"name": "Tag"})
    before = everything()

    import_predecessor(predecessor.path)

    assert everything() == before


def test_what_was_found_here_before_stays_as_it_was_decided_here(predecessor):
    Recommendation.objects.create(
        type="duplicate_performer", target_type="performer", target_id="3", cause="c"
    )
    Dismissal.objects.create(
        type="duplicate_performer", target_type="performer", target_id="1"
    )
    fill(predecessor)

    report = import_predecessor(predecessor.path)

    assert counts(report, "dismissals") == (0, 1, 0)
    assert counts(report, "recommendations") == (2, 2, 0)
    assert Recommendation.objects.get(target_id="3").status == "pending"
    assert Dismissal.objects.get().target_id == "1"


def test_a_rehearsal_reports_the_same_and_changes_nothing(predecessor):
    fill(predecessor)
    before = everything()

    rehearsed = rehearse_import(predecessor.path)

    assert everything() == before
    assert values.value_of("num_frames") != 45
    assert rehearsed == import_predecessor(predecessor.path)


def test_a_failure_in_the_middle_leaves_nothing_of_it(predecessor, monkeypatch):
    fill(predecessor)
    content = bytearray(predecessor.path.read_bytes())
    page = content.index(b"Tag") // 4096
    content[page * 4096 : page * 4096 + 4096] = b"\xff" * 4096
    predecessor.path.write_bytes(content)
    before = everything()

    with pytest.raises(PredecessorUnreadable, match="malformed"):
        import_predecessor(predecessor.path)

    assert everything() == before


def test_other_tables_are_counted_and_told_of_with_the_reason(predecessor):
    predecessor.add("scene_fingerprints", id=1, stash_scene_id="7")
    predecessor.add("job_queue", id=1, type="x", status="queued")
    predecessor.run('CREATE TABLE "odd ""table" (x)')

    report = import_predecessor(predecessor.path)

    told = {each.table: (each.row_count, each.reason) for each in report.untouched}
    assert [*told] == [
        "analysis_runs",
        "analysis_watermarks",
        "job_queue",
        'odd "table',
        "scene_fingerprints",
    ]
    assert told["scene_fingerprints"][0] == 1
    assert "looked at anew" in told["scene_fingerprints"][1]
    assert told['odd "table'] == (0, "a table that is not known here")


def test_an_older_version_comes_along_as_far_as_it_goes(tmp_path):
    schema = """
        CREATE TABLE schema_version (version INTEGER);
        CREATE TABLE recommendations (id INTEGER PRIMARY KEY, type, status,
            target_type, target_id, details);
        CREATE TABLE dismissed_targets (type, target_type, target_id);
    """
    predecessor = Predecessor(tmp_path / "old.db", version=2, schema=schema)
    predecessor.add_recommendation("1", status="pending")
    predecessor.dismiss("2")

    report = import_predecessor(predecessor.path)

    assert report.version == 2
    assert report.imported_count == 2
    assert Recommendation.objects.get().target_id == "1"
    assert Dismissal.objects.get().is_permanent is False


def test_many_rows_are_told_of_in_so_many_lines(predecessor):
    with predecessor.connected() as connection:
        connection.executemany(
            "INSERT INTO recommendations (type, target_type, target_id, details)"
            " VALUES (?, 'performer', ?, ?)",
            [("duplicate_performer", str(n), json.dumps({"n": n})) for n in range(500)]
            + [("unknown", str(n), "{}") for n in range(1500)],
        )

    report = import_predecessor(predecessor.path)

    assert counts(report, "recommendations") == (500, 0, 1500)
    assert len(left(report, "recommendations")) == 1001
    assert left(report, "recommendations")[-1] == "and 500 more"
    found = Recommendation.objects.values_list("target_id", "details")
    assert {target_id: details["n"] for target_id, details in found} == {
        str(n): n for n in range(500)
    }
