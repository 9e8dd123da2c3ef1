"""What the predecessor found and people decided: what comes along, and under what."""

import pytest

from recommendations import findings
from recommendations.models import Dismissal, Recommendation, UpstreamSnapshot
from recommendations.predecessor import import_predecessor
from recommendations.tests.analyses import ListAnalyzer, finding
from recommendations.tests.predecessor import OTHER, STASHDB, counts, left

pytestmark = pytest.mark.django_db


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


def test_a_group_of_performers_is_named_by_its_oldest_as_our_analysis_names_it(
    predecessor,
):
    """The predecessor named it by whom to keep, who is another one from day to day."""
    details = {"endpoint": STASHDB, "performers": [{"id": "12"}, {"id": "7"}]}
    predecessor.add_recommendation("12", status="dismissed", details=details)
    predecessor.dismiss("12", permanent=1)

    import_predecessor(predecessor.path)

    row, mark = Recommendation.objects.get(), Dismissal.objects.get()
    assert (row.target_id, row.endpoint) == ("7", STASHDB)
    assert (mark.target_id, mark.endpoint) == ("7", STASHDB)
