"""Deciding about a recommendation, also when two people do at once."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations import decisions, findings
from recommendations.decisions import Person, claimed
from recommendations.exceptions import (
    RecommendationClaimed,
    RecommendationClosed,
    RecommendationNotFound,
)
from recommendations.models import Dismissal, Recommendation
from recommendations.tests.analyses import ListAnalyzer, finding

pytestmark = pytest.mark.django_db

NOBODY = Person()


@pytest.fixture
def analyzer(registered):
    analyzer = ListAnalyzer()
    registered(analyzer)
    return analyzer


@pytest.fixture
def row(analyzer):
    findings.record(analyzer, [finding("1")], pass_id=1)
    return Recommendation.objects.get()


def test_what_is_done_is_resolved_and_its_analysis_is_told(row, analyzer):
    decisions.resolve(row, "merged", {"into": 5})

    row.refresh_from_db()
    assert (row.status, row.resolution_action) == ("resolved", "merged")
    assert row.resolution_details == {"into": 5}
    assert row.resolved_at is not None
    assert analyzer.decisions == [(row.pk, "resolved")]


def test_what_was_decided_is_not_decided_twice(row):
    decisions.resolve(row, "merged")

    with pytest.raises(RecommendationClosed, match="resolved before by merged"):
        decisions.resolve(row, "deleted")
    with pytest.raises(RecommendationClosed):
        decisions.dismiss(row, person=NOBODY)
    with pytest.raises(RecommendationClosed), decisions.claimed(row):
        pass

    row.refresh_from_db()
    assert row.resolution_action == "merged"


def test_of_two_who_act_one_wins_and_the_other_is_told(row):
    with decisions.claimed(row):
        with pytest.raises(RecommendationClaimed), decisions.claimed(row):
            pass
        with pytest.raises(RecommendationClaimed):
            decisions.dismiss(row, person=NOBODY)
        with pytest.raises(RecommendationClaimed):
            decisions.resolve_by_hand(row, "merged elsewhere")
        decisions.resolve(row, "merged")

    with pytest.raises(RecommendationClosed), decisions.claimed(row):
        pass


def test_who_fails_lets_the_next_one_try(row):
    with pytest.raises(ZeroDivisionError), decisions.claimed(row):
        raise ZeroDivisionError

    with decisions.claimed(row):
        pass
    row.refresh_from_db()
    assert (row.status, row.claimed_until) == ("pending", None)


def test_a_claim_of_a_process_that_died_ends_by_itself(row):
    past = timezone.now() - timedelta(seconds=1)
    Recommendation.objects.update(claimed_until=past)

    with decisions.claimed(row):
        decisions.resolve(row, "merged")

    row.refresh_from_db()
    assert row.status == "resolved"


def test_an_analysis_that_sees_it_done_first_does_not_disturb_who_did_it(row):
    with decisions.claimed(row):
        findings.sweep("list", "", pass_id=2)
        decisions.resolve(row, "merged")

    row.refresh_from_db()
    assert row.resolution_action == "merged"


def test_a_dismissal_becomes_one_for_good_and_stays_that(row):
    decisions.dismiss(row, person=NOBODY, reason="not mine")
    decisions.dismiss(row, person=NOBODY, is_permanent=True)
    decisions.dismiss(row, person=NOBODY)

    kept = Dismissal.objects.get()
    assert (kept.is_permanent, kept.reason) == (True, "not mine")


def test_a_dismissal_is_taken_back(row):
    decisions.dismiss(row, person=NOBODY, is_permanent=True)

    decisions.restore(row)

    assert row.status == "pending"
    assert not Dismissal.objects.exists()


def test_all_of_a_type_are_dismissed_but_for_what_somebody_acts_on(row, analyzer):
    findings.record(analyzer, [finding("2"), finding("3")], pass_id=1)
    with decisions.claimed(row):
        count = decisions.dismiss_all("list", person=NOBODY, is_permanent=False)

    assert count == 2
    assert Recommendation.objects.pending().get() == row
    assert decisions.dismiss_all("other", person=NOBODY, is_permanent=False) == 0


def test_all_are_dismissed_for_good_also_what_a_dismissal_is_kept_of(row, analyzer):
    findings.record(analyzer, [finding(f"n{n}") for n in range(450)], pass_id=1)
    identity = {"type": "list", "target_type": "scene", "target_id": "1"}
    Dismissal.objects.create(**identity, reason="kept")

    count = decisions.dismiss_all("list", person=NOBODY, is_permanent=True)

    assert count == 451 == len(analyzer.decisions)
    assert Dismissal.objects.filter(is_permanent=True).count() == 451
    assert Dismissal.objects.get(**identity).reason == "kept"
    assert not Recommendation.objects.pending().exists()


def test_what_was_dismissed_before_it_was_found_is_allowed_again(row):
    kept = Dismissal.objects.create(type="list", target_type="scene", target_id="7")

    decisions.allow_again(kept)

    assert not Dismissal.objects.exists()
    row.refresh_from_db()
    assert row.status == "pending"


def test_an_unknown_one_is_not_found(db):
    with pytest.raises(RecommendationNotFound, match="12"):
        decisions.get_recommendation(12)


def test_who_was_too_slow_takes_nothing_from_whoever_acts_since(row):
    slow, quick = (Recommendation.objects.get() for _ in range(2))

    with ExitStack() as acting:
        with claimed(slow):
            long_ago = timezone.now() - timedelta(seconds=1)
            Recommendation.objects.update(claimed_until=long_ago)
            acting.enter_context(claimed(quick))
            decisions.hold_on(slow)

        with pytest.raises(RecommendationClaimed), claimed(row):
            pass

    assert Recommendation.objects.get().claimed_until is None
