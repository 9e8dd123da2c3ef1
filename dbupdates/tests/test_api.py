"""Releases and updates over REST, as the plugin and scripts use them."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import CHECK_INTERVAL
from dbupdates.services import import_release
from dbupdates.tests.conftest import IMPATIENT, names_in
from dbupdates.tests.updating import NEW, OLD, active_version
from stashsense.api.authentication import api_key
from stashsense.tests.signing import SigningClient


@pytest.fixture
def client():
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    return client


def work(answer):
    """Work at the run that an answer names; return its row."""
    run = UpdateRun.objects.get(job_id=answer.json()["job_id"])
    execute_run(run.pk, patience=IMPATIENT)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/database/check-update"),
        ("post", "/database/update"),
        ("get", "/database/update/status"),
        ("post", "/database/update/cancel"),
        ("get", "/database/releases"),
        ("post", "/database/releases/2026.01.01/activate"),
    ],
)
def test_strangers_are_sent_away(world, method, path):
    assert getattr(APIClient(), method)(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/database/update",
        "/database/update/cancel",
        "/database/releases/2026.01.01/activate",
    ],
)
def test_staff_who_may_not_operate_the_admin_may_look_and_not_change(world, path):
    client = APIClient()
    client.force_login(User.objects.create_user("viewer", is_staff=True))

    assert client.get("/database/releases").status_code == 200
    assert client.post(path).status_code == 403
    assert not UpdateRun.objects.exists()


def test_a_check_tells_of_the_newest_release(world, published, archive, client):
    answer = client.get("/database/check-update")

    assert answer.status_code == 200
    body = answer.json()
    checked_at = datetime.fromisoformat(body["checked_at"])
    next_check_at = datetime.fromisoformat(body["next_check_at"])
    assert next_check_at - checked_at == CHECK_INTERVAL
    times = {"checked_at": None, "next_check_at": None, "published_at": None}
    assert body | times == {
        "current_version": OLD,
        "latest_version": NEW,
        "update_available": True,
        "release_name": body["release_name"],
        "release_notes": body["release_notes"],
        "download_url": published.archive_url(NEW),
        "download_size_mb": round(archive.stat().st_size / 1e6),
        "published_at": None,
        "checked_at": None,
        "next_check_at": None,
        "error": None,
    }


def test_a_feed_that_fails_is_an_answer_with_an_error(world, published, client):
    published.faults.feed_status = 500

    answer = client.get("/database/check-update")

    assert answer.status_code == 200
    assert "status 500" in answer.json()["error"]
    assert answer.json()["update_available"] is False


def test_an_update_is_begun_followed_and_complete(world, published, client):
    begun = client.post("/database/update")
    assert begun.status_code == 200
    assert begun.json()["status"] == "started"
    assert len(begun.json()["job_id"]) == 12
    waiting = client.get("/database/update/status").json()
    assert (waiting["status"], waiting["phase"]) == ("downloading", "queued")

    work(begun)

    status = client.get("/database/update/status").json()
    assert status | {"phase_seconds": None} == {
        "status": "complete",
        "progress_pct": 100,
        "current_version": NEW,
        "target_version": NEW,
        "error": None,
        "error_code": None,
        "job_id": begun.json()["job_id"],
        "phase": "complete",
        "kind": "download",
        "asked_by": "api",
        "done_bytes": status["done_bytes"],
        "total_bytes": status["total_bytes"],
        "bytes_per_second": 0.0,
        "seconds_left": None,
        "phase_seconds": None,
        "workers_ready": 0,
        "worker_count": 0,
        "is_cancellable": False,
        "is_resumable": False,
        "started_at": status["started_at"],
        "ended_at": status["ended_at"],
    }
    assert client.get("/database/info").json()["version"] == NEW


def test_an_update_that_the_plugin_asked_for_says_so(world, published):
    plugin = SigningClient()

    begun = plugin.post("/database/update", {}, "application/json")

    assert begun.status_code == 200
    assert plugin.get("/database/update/status").json()["asked_by"] == "plugin"


def test_before_any_update_the_status_is_idle(world, client):
    status = client.get("/database/update/status").json()

    assert (status["status"], status["current_version"]) == ("idle", OLD)
    assert status["progress_pct"] == 0


def test_the_error_of_a_failed_update_does_not_survive_into_the_next(
    world, published, client
):
    published.corrupt(NEW, "faces.json")
    first = work(client.post("/database/update"))
    failed = client.get("/database/update/status").json()
    assert failed["status"] == "failed"
    assert "sha256" in failed["error"]

    client.post("/database/update", {"version": NEW}, format="json")

    assert client.get("/database/update/status").json()["error"] is None
    again = client.get(f"/database/update/status?job_id={first.job_id}").json()
    assert "sha256" in again["error"]


def test_the_latest_release_is_refused_as_400(world, published, client):
    work(client.post("/database/update"))

    answer = client.post("/database/update")

    assert (answer.status_code, answer.json()["code"]) == (400, "already_latest")


def test_an_update_in_progress_is_refused_as_409(world, published, client):
    client.post("/database/update")

    answer = client.post("/database/update")

    assert (answer.status_code, answer.json()["code"]) == (409, "update_in_progress")


def test_nothing_to_download_and_no_feed_are_503(world, simulator, settings, client):
    simulator.publish(NEW, None)
    answer = client.post("/database/update")
    assert (answer.status_code, answer.json()["code"]) == (503, "nothing_to_download")

    settings.RELEASE_FEED = "http://127.0.0.1:9/"
    answer = client.post("/database/update")
    assert (answer.status_code, answer.json()["code"]) == (503, "feed_unavailable")


@pytest.mark.parametrize("version", ["2099.01.01", "latest", "../x", "\x00", "", 7])
def test_a_version_that_is_none_is_not_found_or_invalid(
    world, published, client, version
):
    answer = client.post("/database/update", {"version": version}, format="json")

    assert answer.status_code in (404, 422)
    assert not UpdateRun.objects.exists()


def test_a_queued_update_is_cancelled_at_once(world, published, client):
    begun = client.post("/database/update").json()

    answer = client.post("/database/update/cancel")

    assert answer.status_code == 200
    assert answer.json() == {"job_id": begun["job_id"], "status": "cancelling"}
    status = client.get("/database/update/status").json()
    assert (status["status"], status["phase"]) == ("failed", "cancelled")
    assert status["error"] == "Cancelled."
    assert names_in(world.data_dir / "staging") == []


def test_without_an_update_there_is_nothing_to_cancel(world, client):
    assert client.post("/database/update/cancel").status_code == 404


def test_a_swap_is_not_cancelled(world, client):
    UpdateRun.objects.create(
        kind="activation", version=OLD, asked_by="api", phase=Phase.SWAPPING
    )

    answer = client.post("/database/update/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_cancel")


def test_releases_are_listed_and_an_older_one_is_activated(world, archive, client):
    import_release(archive)
    listed = client.get("/database/releases").json()["releases"]
    assert [(each["version"], each["status"]) for each in listed] == [
        (NEW, "staged"),
        (OLD, "active"),
    ]

    begun = client.post(f"/database/releases/{NEW}/activate")
    assert begun.status_code == 200
    work(begun)
    assert active_version() == NEW

    work(client.post(f"/database/releases/{OLD}/activate"))

    assert active_version() == OLD


def test_what_cannot_be_activated_is_told(world, published, client):
    answer = client.post(f"/database/releases/{OLD}/activate")
    assert (answer.status_code, answer.json()["code"]) == (400, "already_latest")
    client.get("/database/check-update")

    for version in (NEW, "2099.01.01", "x"):
        answer = client.post(f"/database/releases/{version}/activate")
        assert answer.status_code == 404, version

    assert not UpdateRun.objects.exists()
    assert DatabaseRelease.objects.get(version=OLD).is_active
