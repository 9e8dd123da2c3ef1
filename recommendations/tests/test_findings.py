"""What becomes of findings whose target was decided before."""

import pytest

from recommendations import decisions, findings
from recommendations.decisions import Person
from recommendations.models import Dismissal, Recommendation
from recommendations.tests.analyses import ListAnalyzer, finding

pytestmark = pytest.mark.django_db

NOBODY = Person()


def record(*found, pass_id=1, reopens=False):
    analyzer = ListAnalyzer(reopens=reopens)
    return findings.record(analyzer, found, pass_id=pass_id)


def row():
    return Recommendation.objects.get()


def test_the_same_finding_changes_nothing_but_its_pass():
    record(finding("1"))
    before = row()

    recorded = record(finding("1"), pass_id=2)

    after = row()
    assert (recorded.found_count, recorded.created_count) == (1, 0)
    assert (after.pk, after.updated_at) == (before.pk, before.updated_at)
    assert after.last_pass_id == 2


def test_a_pending_one_is_brought_up_to_date_under_its_id():
    record(finding("1"))
    before = row()

    record(finding("1", cause="second"))

    assert row().pk == before.pk
    assert row().details == {"cause": "second"}
    assert row().updated_at > before.updated_at


def test_the_same_target_at_two_endpoints_is_two_recommendations():
    record(finding("1", endpoint="https://a/"), finding("1", endpoint="https://b/"))

    assert Recommendation.objects.count() == 2


def test_a_resolved_one_is_opened_by_another_cause_alone():
    record(finding("1"))
    decisions.resolve(row(), "merged", {"into": 5})

    record(finding("1"))
    assert row().status == "resolved"
    recorded = record(finding("1", cause="second"))

    assert recorded.created_count == 1
    assert row().status == "pending"
    assert (row().resolution_action, row().resolved_at) == ("", None)


def test_one_whose_cause_had_gone_by_itself_is_opened_by_the_same_cause():
    record(finding("1"))
    findings.sweep("list", "", pass_id=2)
    assert row().status == "resolved"

    record(finding("1"), pass_id=3)

    assert row().status == "pending"


@pytest.mark.parametrize("is_permanent", [False, True])
def test_a_dismissal_is_for_good_where_nothing_comes_from_upstream(is_permanent):
    record(finding("1"))
    decisions.dismiss(row(), person=NOBODY, is_permanent=is_permanent)

    recorded = record(finding("1", cause="second"))

    assert recorded.created_count == 0
    assert row().status == "dismissed"


def test_a_soft_dismissal_lasts_until_upstream_changes_again():
    record(finding("1"), reopens=True)
    decisions.dismiss(row(), person=NOBODY)

    record(finding("1"), reopens=True)
    assert row().status == "dismissed"
    record(finding("1", cause="second"), reopens=True)

    assert row().status == "pending"
    assert not Dismissal.objects.exists()


def test_a_dismissal_for_good_outlives_every_change_upstream():
    record(finding("1"), reopens=True)
    decisions.dismiss(row(), person=NOBODY, is_permanent=True)

    record(finding("1", cause="second"), reopens=True)

    assert row().status == "dismissed"
    assert findings.dismissed_for_good("list", "scene", "") == {"1"}


def test_a_dismissal_without_a_row_keeps_one_from_being_made():
    Dismissal.objects.create(
        type="list", target_type="scene", target_id="1", is_permanent=True
    )

    record(finding("1"), finding("2"))

    assert row().target_id == "2"


def test_what_is_in_order_is_resolved_and_what_was_decided_left_alone():
    record(finding("1"), finding("2"))
    first, second = Recommendation.objects.order_by("pk")
    decisions.dismiss(first, person=NOBODY)

    findings.clear("list", [finding("1").target, finding("2").target])

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("dismissed", "resolved")


def test_what_is_in_order_at_one_endpoint_says_nothing_of_another():
    record(finding("1", endpoint="https://a/"), finding("1", endpoint="https://b/"))

    findings.clear("list", [finding("1", endpoint="https://a/").target])

    assert Recommendation.objects.pending().get().endpoint == "https://b/"


def test_a_sweep_is_of_one_endpoint():
    record(finding("1", endpoint="https://a/"), finding("1", endpoint="https://b/"))

    findings.sweep("list", "https://a/", pass_id=2)

    kept = Recommendation.objects.pending().get()
    assert kept.endpoint == "https://b/"


def test_thousands_of_findings_are_stored_and_found_again():
    many = [finding(str(number)) for number in range(1_000)]

    assert record(*many).created_count == 1_000
    assert record(*many, pass_id=2).created_count == 0
    assert Recommendation.objects.filter(last_pass_id=2).count() == 1_000
