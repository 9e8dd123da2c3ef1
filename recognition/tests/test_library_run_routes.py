"""Runs through the library over REST, each by its id."""

import pytest

from recognition.models import LibraryRun
from recognition.tests.test_fingerprints_api import get, tell


def test_a_run_is_followed_and_ended_by_its_id(admin_client, stash):
    first = tell(admin_client, "rematch-library").json()["job_id"]
    LibraryRun.objects.filter(pk=first).update(total_count=4, done_count=1)
    second = tell(admin_client, "generate", {}).json()["job_id"]

    assert get(admin_client, f"runs/{first}").json()["progress_pct"] == 25
    newest_first = get(admin_client, "runs").json()
    assert newest_first["total"] == 2
    assert [each["id"] for each in newest_first["runs"]] == [second, first]
    (found,) = get(admin_client, "runs", kind="rematch").json()["runs"]
    assert (found["id"], found["status"]) == (first, "queued")

    stopped = tell(admin_client, f"runs/{first}/stop").json()

    assert stopped["status"] == "cancelled"
    assert LibraryRun.objects.get(pk=second).is_in_progress


@pytest.mark.parametrize("run_id", [7, 10**30])
def test_a_run_there_is_not_is_not_found(admin_client, run_id):
    for answer in (
        get(admin_client, f"runs/{run_id}"),
        tell(admin_client, f"runs/{run_id}/stop"),
    ):
        assert answer.status_code == 404
        assert answer.json()["code"] == "library_run_not_found"
