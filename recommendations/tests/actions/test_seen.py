"""Acting on what somebody saw, while a run finds more."""

import pytest

from recommendations import findings
from recommendations.analyzers.base import Finding, Target
from recommendations.analyzers.upstream_performers import UpstreamPerformers
from recommendations.models import Recommendation
from recommendations.tests.actions.world import BOX, done, mutations, refused, told_of

pytestmark = pytest.mark.django_db


def found(*values):
    """Have a run find these changes, and return the recommendation."""
    changes = [
        {"field": field, "upstream_value": value, "previous_upstream_value": None}
        for field, value in values
    ]
    one = Finding(
        target=Target("performer", "1", BOX),
        details={"endpoint": BOX, "changes": changes},
        cause=str(values),
    )
    findings.record(UpstreamPerformers(), [one], pass_id=1)
    return Recommendation.objects.get()


def test_an_action_from_an_older_page_is_refused_and_one_from_the_new_is_done(
    api, stash, library
):
    seen_at = found(("eye_color", "Brown")).updated_at.isoformat()
    row = found(("eye_color", "Brown"), ("country", "US"))
    body = {
        "performer_id": "1",
        "fields": {"eye_color": "Brown"},
        "recommendation_id": row.pk,
    }

    refused(
        api, "update-performer", 409, "recommendation_changed", **body, seen_at=seen_at
    )
    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")

    done(api, "update-performer", **body, seen_at=row.updated_at.isoformat())
    assert told_of(row) == ("resolved", "update-performer")


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("dismiss", {}),
        ("dismiss-upstream", {"permanent": True}),
        ("resolve", {"action": "kept"}),
    ],
)
def test_a_decision_from_an_older_page_is_refused(api, route, body):
    seen_at = found(("eye_color", "Brown")).updated_at.isoformat()
    row = found(("eye_color", "Brown"), ("country", "US"))

    response = api.post(
        f"/recommendations/{row.pk}/{route}",
        {**body, "seen_at": seen_at},
        content_type="application/json",
    )

    assert (response.status_code, response.json()["code"]) == (
        409,
        "recommendation_changed",
    )
    assert told_of(row) == ("pending", "")
