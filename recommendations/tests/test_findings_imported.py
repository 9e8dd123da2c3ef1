"""What was decided before the import is not proposed again until it changes."""

import pytest

from recommendations import findings
from recommendations.findings import IMPORTED
from recommendations.models import Dismissal, Recommendation
from recommendations.tests.analyses import ListAnalyzer, finding

pytestmark = pytest.mark.django_db

FOLLOWING = ListAnalyzer(reopens=True)
STASHDB, OTHER = "https://stashdb.org/graphql", "https://theporndb.net/graphql"


def decided(status, target_id="7", endpoint="", **facts):
    return Recommendation.objects.create(
        type="list",
        target_type="scene",
        target_id=target_id,
        endpoint=endpoint,
        status=status,
        cause=IMPORTED,
        **facts,
    )


def dismissed(endpoint="", **facts):
    row = decided("dismissed", endpoint=endpoint)
    Dismissal.objects.create(
        type="list",
        target_type="scene",
        target_id="7",
        endpoint=endpoint,
        cause=IMPORTED,
        **facts,
    )
    return row


def record(cause, pass_id=1, analyzer=FOLLOWING):
    return findings.record(analyzer, [finding("7", cause)], pass_id=pass_id)


def test_a_resolved_one_stays_so_with_the_first_cause_and_comes_back_with_another():
    row = decided("resolved", resolution_action="merged", details={"was": "so"})

    assert record("first").created_count == 0
    row.refresh_from_db()
    assert (row.status, row.resolution_action) == ("resolved", "merged")
    assert (row.cause, row.details) == ("first", {"was": "so"})
    assert record("first").created_count == 0

    assert record("other").created_count == 1
    row.refresh_from_db()
    assert (row.status, row.details) == ("pending", {"cause": "other"})


def test_a_dismissed_one_stays_so_with_the_first_cause_and_comes_back_with_another():
    row = dismissed()

    record("first")
    record("first")
    row.refresh_from_db()
    assert (row.status, Dismissal.objects.get().cause) == ("dismissed", "first")

    assert record("other").created_count == 1
    row.refresh_from_db()
    assert (row.status, row.cause) == ("pending", "other")
    assert not Dismissal.objects.exists()


def test_one_dismissed_for_good_never_comes_back():
    row = dismissed(is_permanent=True)

    for cause in ("first", "other", "third"):
        record(cause)

    row.refresh_from_db()
    assert row.status == "dismissed"
    assert Dismissal.objects.exists()


@pytest.mark.parametrize("make", [lambda: decided("resolved"), dismissed])
@pytest.mark.parametrize(
    "look",
    [
        lambda: findings.clear("list", [finding("7").target]),
        lambda: findings.sweep("list", "", pass_id=1),
    ],
    ids=["cleared", "swept"],
)
def test_what_was_in_order_at_the_first_look_comes_back_when_it_is_found(make, look):
    row = make()
    assert look() == 0
    row.refresh_from_db()
    assert row.status != "pending"

    assert record("first", pass_id=2).created_count == 1

    row.refresh_from_db()
    assert row.status == "pending"


def test_a_sweep_leaves_what_this_pass_found_as_it_was_decided():
    row = decided("resolved")
    record("first", pass_id=5)

    assert findings.sweep("list", "", pass_id=5) == 0

    assert record("first", pass_id=6).created_count == 0
    row.refresh_from_db()
    assert (row.status, row.cause) == ("resolved", "first")


def test_another_stash_box_of_the_same_target_is_another_matter():
    here, there = (decided("resolved", endpoint=each) for each in (STASHDB, OTHER))
    waiting = decided("pending", "8", endpoint=OTHER)

    findings.clear("list", [finding("7", endpoint=STASHDB).target])
    findings.clear("list", [finding("8", endpoint=STASHDB).target])
    findings.sweep("list", STASHDB, pass_id=1)

    for row in (here, there, waiting):
        row.refresh_from_db()
    assert (here.cause, there.cause) == ("", IMPORTED)
    assert waiting.status == "pending"


def test_one_that_waits_is_brought_up_to_date_and_keeps_its_id():
    row = decided("pending", details={"old": 1}, confidence=0.9)
    Recommendation.objects.update(cause="")

    assert record("first").created_count == 0

    found = Recommendation.objects.get()
    assert (found.pk, found.status, found.cause) == (row.pk, "pending", "first")
    assert (found.details, found.confidence) == ({"cause": "first"}, 0.5)
