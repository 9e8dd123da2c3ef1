"""Runs and schedules over REST: begun, followed, stopped, tried again, forgotten."""

import pytest
from django.contrib.auth.models import User

from recommendations.analyzers.base import Resource
from recommendations.models import AnalysisRun, AnalysisSchedule
from recommendations.tests.analyses import ListAnalyzer, ended, work
from stashsense.integrations.stash_errors import StashUnreachable

pytestmark = pytest.mark.django_db(transaction=True)

ANALYSIS = "/recommendations/analysis"


def fail(_):
    raise StashUnreachable("Stash cannot be reached.")


@pytest.fixture(autouse=True)
def _analyses(stash, registered):
    registered(
        ListAnalyzer(["1", "2"]),
        ListAnalyzer(["1", fail], type="failing", resource=Resource.NETWORK),
    )


def tell(client, path, body=None, method="post"):
    return getattr(client, method)(path, body, content_type="application/json")


def begin(client, type="list"):
    return AnalysisRun.objects.get(
        pk=tell(client, "/queue", {"type": type}).json()["job_id"]
    )


@pytest.mark.parametrize("body", ["[" * 100_000, '{"type":' * 100_000])
def test_a_body_nested_too_deeply_is_refused(admin_client, body):
    answer = admin_client.post("/queue", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"
    assert "nested too deeply" in answer.json()["detail"]


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF"])
def test_half_a_character_is_refused_and_a_whole_one_is_not(admin_client, half):
    def ask(text):
        body = f'{{"type": "{text}"}}'
        return admin_client.post("/queue", body, content_type="application/json")

    assert (ask(half).status_code, ask(half).json()["code"]) == (400, "parse_error")
    assert "There is no" in ask("\\ud83d\\ude00").json()["detail"]


def test_analyses_are_listed_with_what_they_look_for(admin_client):
    types = admin_client.get(f"{ANALYSIS}/types").json()["types"]

    assert [each["type"] for each in types] == ["list", "failing"]
    assert types[0] == {
        "type": "list",
        "enabled": True,
        "display_name": "List",
        "description": "Finds what a list says.",
    }


def test_a_run_is_begun_and_followed_under_the_id_it_is_answered_with(
    admin_client, admin_user
):
    begun = tell(admin_client, f"{ANALYSIS}/list/run?full=true").json()
    before = admin_client.get(f"{ANALYSIS}/runs/{begun['run_id']}").json()
    run = AnalysisRun.objects.get()
    ended(run)
    after = admin_client.get(f"{ANALYSIS}/runs/{begun['run_id']}").json()

    assert begun["run_id"] == begun["job_id"] == run.pk
    assert (run.is_full, run.asked_by, run.user) == (True, "user", admin_user)
    assert (before["status"], before["completed_at"]) == ("running", None)
    assert (after["status"], after["type"], after["full"]) == (
        ("completed", "list", True)
    )
    assert (after["items_total"], after["items_processed"]) == (2, 2)
    assert after["recommendations_created"] == 2
    assert after["completed_at"].endswith("Z")
    assert after["error_message"] is None
    assert admin_client.get(f"{ANALYSIS}/runs").json() == [after]
    job = admin_client.get(f"/queue/{begun['job_id']}").json()
    assert (job["status"], job["priority"], job["triggered_by"]) == (
        ("completed", 10, "user")
    )


def test_a_run_that_failed_says_why(admin_client):
    ended(begin(admin_client, "failing"))

    run = admin_client.get(f"{ANALYSIS}/runs", {"type": "failing"}).json()[0]

    assert (run["status"], run["error_code"]) == ("failed", "stash_unreachable")
    assert run["error_message"] == "Stash cannot be reached."


def test_a_second_run_an_unknown_type_and_no_stash_are_refused(admin_client, settings):
    begin(admin_client)

    second = tell(admin_client, f"{ANALYSIS}/list/run")
    unknown = tell(admin_client, f"{ANALYSIS}/nonsense/run")
    no_analysis = tell(admin_client, f"{ANALYSIS}/database_update/run")
    settings.STASH_URL = ""
    without = tell(admin_client, f"{ANALYSIS}/failing/run")

    codes = [each.status_code for each in (second, unknown, no_analysis, without)]
    assert codes == [409, 400, 400, 400]
    assert without.json()["code"] == "stash_not_configured"
    assert AnalysisRun.objects.count() == 1


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"limit": "x"}])
@pytest.mark.parametrize("path", [f"{ANALYSIS}/runs", "/queue"])
def test_how_many_are_listed_is_bounded(admin_client, path, query):
    assert admin_client.get(path, query).status_code == 422


def test_the_queue_tells_what_goes_on_and_what_was(admin_client, registered):
    registered(*(ListAnalyzer(type=name, resource=Resource.GPU) for name in "ab"))
    first, second = begin(admin_client, "a"), begin(admin_client, "b")

    status = admin_client.get("/queue/status").json()
    assert (status["queued"], status["running"]) == (1, 1)
    assert [job["id"] for job in status["running_jobs"]] == [first.pk]

    ended(first)
    jobs = admin_client.get("/queue").json()["jobs"]
    done = admin_client.get("/queue", {"status": "completed", "limit": 1}).json()
    of_b = admin_client.get("/queue", {"type": "b"}).json()
    assert [(job["id"], job["status"]) for job in jobs] == [
        (second.pk, "running"),
        (first.pk, "completed"),
    ]
    assert [job["id"] for job in done["jobs"]] == [first.pk]
    assert [job["id"] for job in of_b["jobs"]] == [second.pk]
    assert admin_client.get("/queue", {"status": "pausing"}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": 5, "priority": "high"},
        {"type": "list", "priority": -1},
        {"type": "list", "priority": 1001},
        {"type": "list", "full": "perhaps"},
        {"type": "list" * 20},
        ["list"],
    ],
    ids=str,
)
def test_a_strange_wish_begins_nothing(admin_client, body):
    assert tell(admin_client, "/queue", body).status_code == 422
    assert not AnalysisRun.objects.exists()


def test_a_cursor_of_somebody_elses_making_is_not_gone_on_from(admin_client):
    body = {"type": "list", "cursor": {"place": "x"}, "triggered_by": "schedule"}

    tell(admin_client, "/queue", body)

    run = ended(AnalysisRun.objects.get())
    assert (run.state, run.asked_by) == ("completed", "user")


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [("delete", "", "Job cancelled"), ("post", "/stop", "Stop requested")],
)
def test_a_run_is_stopped_at_once(admin_client, method, path, message):
    run = begin(admin_client)

    response = tell(admin_client, f"/queue/{run.pk}{path}", method=method)
    again = tell(admin_client, f"/queue/{run.pk}{path}", method=method)

    assert (response.status_code, response.json()) == (200, {"message": message})
    assert again.json() == {"message": "It was cancelled already."}
    assert admin_client.get(f"/queue/{run.pk}").json()["status"] == "cancelled"


def test_a_stopped_run_is_tried_again_from_where_it_ended(admin_client):
    run = begin(admin_client)
    work(run, seconds=0)
    tell(admin_client, f"/queue/{run.pk}/stop")

    retried = tell(admin_client, f"/queue/{run.pk}/retry").json()["job_id"]

    job = admin_client.get(f"/queue/{retried}").json()
    assert (job["status"], job["cursor"]) == ("running", {"place": 1})
    refused = tell(admin_client, f"/queue/{retried}/retry")
    assert (refused.status_code, refused.json()["code"]) == (400, "analysis_not_ended")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("delete", ""), ("post", "/stop"), ("post", "/retry")],
)
def test_an_unknown_run_is_not_found_and_no_number_is_refused(
    admin_client, method, path
):
    unknown = tell(admin_client, f"/queue/12345{path}", method=method)
    strange = tell(admin_client, f"/queue/xyz{path}", method=method)

    assert (unknown.status_code, strange.status_code) == (404, 422)


def test_what_has_ended_is_forgotten(admin_client):
    kept, gone = begin(admin_client), begin(admin_client, "failing")
    ended(gone)

    response = tell(admin_client, "/queue/history", method="delete")

    assert response.json() == {"message": "Cleared 1 job(s) from history"}
    assert AnalysisRun.objects.get() == kept


def test_types_tell_what_a_schedule_may_be(admin_client):
    types = admin_client.get("/queue/types").json()["types"]

    by_name = {each["type_id"]: each for each in types}
    assert {*by_name} == {
        "list",
        "failing",
        "fingerprint_generation",
        "database_update",
    }
    assert by_name["failing"]["resource"] == "network"
    intervals = by_name["database_update"]["allowed_intervals"]
    assert intervals[0] == {"hours": 6, "label": "Every 6 hours"}
    assert intervals[2] == {"hours": 24, "label": "Every day"}
    assert intervals[-1] == {"hours": 336, "label": "Every 14 days"}


def test_a_schedule_is_stored_and_shown(admin_client):
    body = {"enabled": True, "interval_hours": 48, "priority": 7}

    stored = tell(admin_client, "/queue/schedules/list", body, "put")

    assert stored.json() == {"message": "list starts by itself every 48 hours."}
    rows = admin_client.get("/queue/schedules").json()["schedules"]
    assert [row["type"] for row in rows] == sorted(row["type"] for row in rows)
    [row] = [row for row in rows if row["enabled"]]
    assert (row["type"], row["interval_hours"], row["priority"]) == ("list", 48, 7)
    assert row["next_run_at"] is not None
    assert row["last_run_at"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": True},
        {"enabled": True, "interval_hours": -1},
        {"enabled": True, "interval_hours": 23},
        {"enabled": True, "interval_hours": 23.5},
        {"enabled": True, "interval_hours": 10**400},
        {"enabled": True, "interval_hours": "nan"},
        {"enabled": None, "interval_hours": 24},
        {"enabled": True, "interval_hours": 24, "priority": -1},
        {"enabled": True, "interval_hours": 24, "priority": 10**30},
    ],
    ids=lambda body: str(body)[:50],
)
def test_a_schedule_that_cannot_be_is_refused(admin_client, body):
    response = tell(admin_client, "/queue/schedules/list", body, "put")

    assert response.status_code == 422
    assert not AnalysisSchedule.objects.exists()


def test_an_unknown_type_has_no_schedule(admin_client):
    body = {"enabled": True, "interval_hours": 24}

    response = tell(admin_client, "/queue/schedules/other", body, "put")

    assert (response.status_code, response.json()["code"]) == (404, "unknown_schedule")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", f"{ANALYSIS}/list/run"),
        ("post", "/queue"),
        ("put", "/queue/schedules/list"),
        ("delete", "/queue/history"),
        ("delete", "/queue/1"),
        ("post", "/queue/1/stop"),
        ("post", "/queue/1/retry"),
    ],
)
def test_operating_wants_the_permission(client, method, path):
    client.force_login(User.objects.create_user("reader", is_staff=True))

    assert tell(client, path, {"type": "list"}, method).status_code == 403
    assert client.get("/queue").status_code == 200
    assert not AnalysisRun.objects.exists()
