"""Moving over as a whole: all or nothing, again, and what is here stays."""

import json

import pytest

from recommendations import decisions, schedules
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
from recommendations.tests.predecessor import (
    OTHER,
    STASHDB,
    Predecessor,
    counts,
    left,
)
from stashsense.preferences import services, values
from stashsense.preferences.models import Preference

pytestmark = pytest.mark.django_db

MODELS = (
    AnalysisSchedule, Dismissal, EndpointPreference, FieldSwitch, Preference,
    Recommendation, UpstreamSnapshot,
)  # fmt: skip


def everything():
    """Return every row that an import could change."""
    return {
        model.__name__: list(model.objects.order_by("pk").values()) for model in MODELS
    }


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
