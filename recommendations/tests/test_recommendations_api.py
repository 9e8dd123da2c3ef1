"""Recommendations over REST: listed, counted, decided, and taken back."""

import pytest
from django.contrib.auth.models import Permission, User

from recommendations import decisions, findings
from recommendations.listing import Wanted, list_recommendations
from recommendations.models import ActionRecord, Dismissal, Recommendation
from recommendations.tests.analyses import ListAnalyzer, finding

pytestmark = pytest.mark.django_db

ROOT = "/recommendations"


@pytest.fixture
def analyzer(registered):
    analyzer = ListAnalyzer(reopens=True)
    registered(analyzer, ListAnalyzer(type="other"))
    return analyzer


@pytest.fixture
def rows(analyzer):
    """Three of one type, the last found last, and one of another."""
    found = [finding(name) for name in "123"]
    findings.record(analyzer, found, pass_id=1)
    findings.record(ListAnalyzer(type="other"), [finding("9")], pass_id=1)
    return [*Recommendation.objects.order_by("pk")]


def tell(client, path, body=None):
    return client.post(f"{ROOT}/{path}", body, content_type="application/json")


def listed(client, **query):
    return client.get(ROOT, query).json()


def test_an_empty_list_is_empty(admin_client):
    assert listed(admin_client) == {"recommendations": [], "total": 0}
    counts = admin_client.get(f"{ROOT}/counts").json()
    assert counts == {"counts": {}, "total_pending": 0}


def test_recommendations_are_listed_newest_first_page_by_page(admin_client, rows):
    first = listed(admin_client, type="list", limit=2)
    second = listed(admin_client, type="list", limit=2, offset=2)
    beyond = listed(admin_client, type="list", offset=10)

    shown = [
        [each["target_id"] for each in page["recommendations"]]
        for page in (first, second, beyond)
    ]
    assert shown == [["3", "2"], ["1"], []]
    assert {page["total"] for page in (first, second, beyond)} == {3}


def test_a_recommendation_is_told_whole(admin_client, rows):
    one = admin_client.get(f"{ROOT}/{rows[0].pk}").json()

    undecided = {"decided_by": None, "dismissal": None}
    assert one == listed(admin_client)["recommendations"][-1] | undecided
    assert (one["type"], one["status"], one["confidence"]) == ("list", "pending", 0.5)
    assert (one["target_type"], one["target_id"]) == ("scene", "1")
    assert one["details"] == {"cause": "first"}
    assert (one["endpoint"], one["resolution_action"]) == (None, None)
    assert one["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ({"status": "pending"}, ["9", "2", "1"]),
        ({"status": "resolved"}, ["3"]),
        ({"type": "other"}, ["9"]),
        ({"type": "list", "status": "pending"}, ["2", "1"]),
        ({"target_type": "scene", "type": "list"}, ["3", "2", "1"]),
        ({"target_type": "performer"}, []),
        ({"type": "nothing"}, []),
        ({"status": "", "type": ""}, ["9", "3", "2", "1"]),
    ],
)
def test_a_list_is_narrowed_down(admin_client, rows, query, targets):
    decisions.resolve(rows[2], "merged")

    answer = listed(admin_client, **query)

    assert [each["target_id"] for each in answer["recommendations"]] == targets
    assert answer["total"] == len(targets)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"offset": -1},
        {"offset": 10**30}, {"status": "strange"}, {"type": "x" * 41},
        {"type": "a\0b"},
    ],
    ids=str,
)  # fmt: skip
def test_a_list_out_of_bounds_is_refused(admin_client, rows, query):
    response = admin_client.get(ROOT, query)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", *query]


def test_they_are_counted_by_type_and_status(admin_client, rows):
    decisions.resolve(rows[0], "merged")

    answer = admin_client.get(f"{ROOT}/counts").json()

    assert answer["counts"] == {
        "list": {"pending": 2, "resolved": 1},
        "other": {"pending": 1},
    }
    assert answer["total_pending"] == 3


def test_lists_and_counts_leave_the_contents_of_other_rows_alone(
    rows, django_assert_num_queries
):
    with django_assert_num_queries(3) as asked:
        list_recommendations(Wanted(type="list"), limit=1, offset=1)

    touching = [query["sql"] for query in asked if "details" in query["sql"]]
    assert len(touching) == 1
    assert "OFFSET" not in touching[0]


@pytest.mark.parametrize("name", ["settings", "1.5", "-1", "0x1", "٣", "1" * 30])
def test_what_is_no_number_is_refused(admin_client, rows, name):
    assert admin_client.get(f"{ROOT}/{name}").status_code == 422
    assert tell(admin_client, f"{name}/dismiss").status_code == 422


@pytest.mark.parametrize("verb", ["resolve", "dismiss", "dismiss-upstream", "restore"])
def test_an_unknown_one_is_not_found(admin_client, rows, verb):
    unknown = 10**17
    response = tell(admin_client, f"{unknown}/{verb}", {"action": "done"})

    assert response.status_code == 404
    assert response.json()["code"] == "recommendation_not_found"
    assert admin_client.get(f"{ROOT}/{unknown}").status_code == 404


def test_a_recommendation_tells_who_decided_and_why(admin_client, rows):
    body = {"reason": "It is right so.", "permanent": True}
    tell(admin_client, f"{rows[0].pk}/dismiss-upstream", body)
    tell(admin_client, f"{rows[1].pk}/resolve", {"action": "by hand"})
    for place, state in ((2, "failed"), (2, "done")):
        ActionRecord.objects.create(
            action="merge-performers",
            asked_by="plugin",
            recommendation=rows[place],
            state=state,
        )
    decisions.resolve(rows[2], "merge-performers")

    dismissed, resolved, acted = (
        admin_client.get(f"{ROOT}/{row.pk}").json() for row in rows[:3]
    )

    assert dismissed["decided_by"] == "admin"
    assert dismissed["dismissal"].pop("dismissed_at").endswith("Z")
    assert dismissed["dismissal"] == body
    assert (resolved["decided_by"], resolved["dismissal"]) == (None, None)
    assert acted["decided_by"] == "plugin"


def test_what_is_done_is_resolved_once(admin_client, rows, analyzer):
    body = {"action": "merged", "details": {"into": "5"}}
    done = tell(admin_client, f"{rows[0].pk}/resolve", body)
    again = tell(admin_client, f"{rows[0].pk}/resolve", {"action": "deleted"})
    dismissed = tell(admin_client, f"{rows[0].pk}/dismiss")

    assert (done.status_code, done.json()) == (200, {"success": True})
    assert (again.status_code, dismissed.status_code) == (409, 409)
    assert again.json()["code"] == "recommendation_closed"
    row = Recommendation.objects.get(pk=rows[0].pk)
    assert (row.status, row.resolution_action) == ("resolved", "merged")
    assert row.resolution_details == {"into": "5"}
    assert analyzer.decisions == [(row.pk, "resolved")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": ""},
        {"action": "auto_resolved"},
        {"action": "x" * 65},
        {"action": "done", "details": "text"},
        {"action": "done", "details": {"a": "\0"}},
        {"action": "done", "details": {"a": "x" * 70_000}},
        ["done"],
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_strange_resolution_is_refused(admin_client, rows, body):
    response = tell(admin_client, f"{rows[0].pk}/resolve", body)

    assert response.status_code == 422
    assert Recommendation.objects.get(pk=rows[0].pk).status == "pending"


def test_a_dismissal_needs_no_body_and_keeps_a_reason(admin_client, rows, admin_user):
    bare = tell(admin_client, f"{rows[0].pk}/dismiss")
    told = tell(admin_client, f"{rows[1].pk}/dismiss", {"reason": "Ünknown 名前"})

    assert (bare.status_code, told.status_code) == (200, 200)
    kept = Dismissal.objects.get(target_id="2")
    assert (kept.reason, kept.user, kept.is_permanent) == (
        ("Ünknown 名前", admin_user, False)
    )
    assert Recommendation.objects.filter(status="dismissed").count() == 2


def test_a_dismissal_is_upgraded_to_one_for_good(admin_client, rows):
    path = f"{rows[0].pk}/dismiss-upstream"
    soft = tell(admin_client, path)
    for_good = tell(admin_client, path, {"permanent": True})
    stays = tell(admin_client, path, {"permanent": False})

    answers = [each.json()["permanent"] for each in (soft, for_good, stays)]
    assert answers == [False, True, True]
    assert Dismissal.objects.get().is_permanent


def test_a_dismissal_is_taken_back(admin_client, rows):
    tell(admin_client, f"{rows[0].pk}/dismiss-upstream", {"permanent": True})

    response = tell(admin_client, f"{rows[0].pk}/restore")

    assert response.json() == {"success": True, "status": "pending"}
    assert not Dismissal.objects.exists()


def test_what_was_resolved_is_not_taken_back(admin_client, rows):
    tell(admin_client, f"{rows[0].pk}/resolve", {"action": "merged"})

    response = tell(admin_client, f"{rows[0].pk}/restore")

    assert response.status_code == 409
    assert Recommendation.objects.get(pk=rows[0].pk).status == "resolved"


def test_all_of_a_type_are_dismissed_but_for_what_somebody_acts_on(
    admin_client, rows, analyzer
):
    batch = {"type": "list", "permanent": True}
    with decisions.claimed(rows[0]):
        response = tell(admin_client, "actions/batch-dismiss", batch)

    assert response.json() == {"success": True, "dismissed_count": 2}
    assert [row.target_id for row in Recommendation.objects.pending()] == ["9", "1"]
    assert Dismissal.objects.filter(is_permanent=True).count() == 2
    assert len(analyzer.decisions) == 2
    none = tell(admin_client, "actions/batch-dismiss", {"type": "nothing"})
    assert none.json()["dismissed_count"] == 0


def test_some_are_dismissed_and_of_the_others_it_is_told_why_not(
    admin_client, rows, analyzer
):
    decisions.resolve(rows[0], "merged")
    ids = [row.pk for row in rows]
    unknown = 10**17

    with decisions.claimed(rows[1]):
        response = tell(
            admin_client, "actions/batch-dismiss", {"ids": [*ids, ids[2], unknown]}
        )

    answer = response.json()
    assert (answer["success"], answer["dismissed_count"]) == (True, 2)
    assert answer["dismissed"] == ids[2:]
    assert [
        (each["recommendation_id"], each["code"]) for each in answer["not_dismissed"]
    ] == [
        (ids[0], "recommendation_closed"),
        (ids[1], "recommendation_claimed"),
        (unknown, "recommendation_not_found"),
    ]
    assert all(each["detail"] for each in answer["not_dismissed"])
    assert [row.pk for row in Recommendation.objects.pending()] == [ids[1]]
    assert (rows[2].pk, "dismissed") in analyzer.decisions


def test_what_changed_since_it_was_listed_is_not_dismissed_with_others(
    admin_client, rows
):
    first, second = rows[:2]
    listing = listed(admin_client)["recommendations"]
    seen_at = max(each["updated_at"] for each in listing)
    second.details = {"cause": "other"}
    second.save()

    answer = tell(
        admin_client,
        "actions/batch-dismiss",
        {"ids": [first.pk, second.pk], "seen_at": seen_at, "permanent": True},
    ).json()

    assert answer["dismissed"] == [first.pk]
    (left,) = answer["not_dismissed"]
    assert left["code"] == "recommendation_changed"
    assert Dismissal.objects.get().is_permanent


@pytest.mark.parametrize(
    "body",
    [
        {}, {"ids": []}, {"ids": [0]}, {"ids": ["x"]}, {"ids": 1}, {"ids": [10**30]},
        {"ids": [1] * 501}, {"type": "list", "ids": [1]}, {"ids": [1], "seen_at": "x"},
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_a_batch_that_does_not_say_what_is_meant_dismisses_nothing(
    admin_client, rows, body
):
    response = tell(admin_client, "actions/batch-dismiss", body)

    assert response.status_code == 422
    assert Recommendation.objects.pending().count() == 4


def test_deciding_wants_a_key_or_the_permission(client, rows):
    path = f"{rows[0].pk}/dismiss"
    reader = User.objects.create_user("reader", is_staff=True)
    assert tell(client, path).status_code == 401
    client.force_login(reader)
    refused = tell(client, path).status_code
    reads = client.get(ROOT).status_code

    permission = Permission.objects.get(codename="act_on_recommendations")
    reader.user_permissions.add(permission)
    client.force_login(User.objects.get(pk=reader.pk))
    allowed = tell(client, path).status_code

    assert (refused, reads, allowed) == (403, 200, 200)


def test_what_somebody_acts_on_is_not_resolved_meanwhile(admin_client, rows):
    with decisions.claimed(rows[0]):
        answer = tell(admin_client, f"{rows[0].pk}/resolve", {"action": "done"})

    assert (answer.status_code, answer.json()["code"]) == (
        409,
        "recommendation_claimed",
    )
    rows[0].refresh_from_db()
    assert (rows[0].status, rows[0].claimed_until) == ("pending", None)
    answer = tell(admin_client, f"{rows[0].pk}/resolve", {"action": "done"})
    assert answer.status_code == 200


def test_what_an_analysis_saw_done_may_be_called_done(admin_client, rows, analyzer):
    targets = [finding(rows[0].target_id).target]
    assert findings.clear(analyzer.type, targets) == 1

    answer = tell(admin_client, f"{rows[0].pk}/resolve", {"action": "done"})

    assert answer.status_code == 200
    rows[0].refresh_from_db()
    assert rows[0].resolution_action == "done"
