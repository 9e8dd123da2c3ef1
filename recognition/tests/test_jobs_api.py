"""Scenes identified in the background: /identify/scene/jobs and /identify/jobs."""

import os
import socket
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from recognition import jobs, scenes
from recognition.models import Fingerprint, IdentificationJob
from recognition.tests.stash_world import KNOWN_SCENE, UNKNOWN_ID, cast_of, named, post
from stashsense.tests.waiting import wait_until

State = IdentificationJob.State


@pytest.fixture
def runner(monkeypatch):
    """The threads of jobs, which end with the test."""
    runner = jobs.JobRunner()
    monkeypatch.setattr(jobs, "_runner", runner)
    yield runner
    runner.stop()


@pytest.fixture
def client(transactional_db, stash, runner, admin_client):
    return admin_client


def start(client, scene_id=KNOWN_SCENE, **body):
    return post(client, "/identify/scene/jobs", scene_id=scene_id, **body)


def look(client, job, **query):
    return client.get(f"/identify/jobs/{job['job_id']}", query).json()


def ended(client, job):
    wait_until(lambda: look(client, job)["ended_at"] is not None)
    return look(client, job)


def test_a_job_tells_how_far_it_is_and_ends_with_the_answer(client, stash):
    response = start(client, num_frames=8)

    assert response.status_code == 202
    job = response.json()
    assert job["state"] in ("queued", "running")

    done = ended(client, job)
    assert done["state"] == "complete"
    assert (done["frames_done"], done["frames_asked"]) == (8, 8)
    assert named(done["result"]["persons"]) == cast_of(stash.library, KNOWN_SCENE)
    assert done["persons"] == done["result"]["persons"]
    assert Fingerprint.objects.scenes().count() == 1


def test_crops_are_kept_and_sent_when_asked_for(client):
    job = ended(client, start(client, num_frames=4).json())

    assert job["persons"][0]["crop"] is None
    with_crops = look(client, job, include_crops="true")
    assert with_crops["persons"][0]["crop"].startswith("data:image/jpeg;base64,")
    assert with_crops["result"]["persons"][0]["crop"]


def test_people_are_told_while_the_scene_is_looked_at(client, stash, monkeypatch):
    monkeypatch.setattr("recognition.watching.PEOPLE_SO_FAR_SECONDS", 0)
    seen = []
    render = jobs._Job.report

    def report(job, progress):
        render(job, progress)
        seen.append(IdentificationJob.objects.get().people)

    monkeypatch.setattr(jobs._Job, "report", report)

    ended(client, start(client, num_frames=8).json())

    told = [named(people) for people in seen]
    assert any(told)
    assert told[-1] <= cast_of(stash.library, KNOWN_SCENE)


def test_a_job_is_cancelled_while_stash_sends_nothing(client, stash):
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    job = start(client).json()
    wait_until(lambda: look(client, job)["state"] == "running")

    response = client.post(f"/identify/jobs/{job['job_id']}/cancel")

    assert response.status_code == 200
    assert ended(client, job)["state"] == "cancelled"
    assert not Fingerprint.objects.exists()


def test_a_cancel_by_another_process_is_seen(client, stash, monkeypatch):
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.1)
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    job = start(client).json()
    wait_until(lambda: look(client, job)["state"] == "running")

    IdentificationJob.objects.update(is_cancel_asked=True)

    assert ended(client, job)["state"] == "cancelled"


def test_a_job_that_waits_is_cancelled_at_once(client, stash, settings):
    settings.SCENE_SLOTS = 1
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    first = start(client).json()
    wait_until(lambda: look(client, first)["state"] == "running")
    second = start(client).json()

    answer = client.post(f"/identify/jobs/{second['job_id']}/cancel").json()

    assert answer["state"] == "cancelled"
    assert look(client, first)["state"] == "running"


def test_a_job_that_fails_tells_why(client, stash, tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video")
    stash.replace_video(KNOWN_SCENE, path)
    stash.library.scenes[KNOWN_SCENE].has_sprite = False

    job = ended(client, start(client, source="stream").json())

    assert (job["state"], job["code"]) == ("failed", "unreadable_video")
    assert job["error"]
    assert job["result"] is None


def test_a_stop_of_the_service_interrupts_jobs_and_they_say_so(client, stash, runner):
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    job = start(client).json()
    wait_until(lambda: look(client, job)["state"] == "running")

    runner.stop()

    assert look(client, job)["state"] == "interrupted"
    assert "Ask again" in look(client, job)["error"]


@pytest.mark.parametrize(
    "traces",
    [
        {"host": socket.gethostname(), "pid": 2**22 + 1},
        {"host": "elsewhere", "pid": 7},
        # A container was started anew, and the number is another process's.
        {"host": socket.gethostname(), "pid": os.getpid()},
    ],
)
def test_a_job_whose_process_has_gone_says_so(client, traces):
    job = IdentificationJob.objects.create(
        stash_id=KNOWN_SCENE, state=State.RUNNING, **traces
    )
    long_ago = timezone.now() - timedelta(days=1)
    IdentificationJob.objects.update(created_at=long_ago, heartbeat_at=long_ago)

    answer = look(client, {"job_id": job.job_id})

    assert answer["state"] == "interrupted"
    assert answer["ended_at"]


def test_ended_jobs_stay_as_they_are(client):
    job = ended(client, start(client, num_frames=2).json())

    assert client.post(f"/identify/jobs/{job['job_id']}/cancel").status_code == 200

    assert look(client, job)["state"] == "complete"


def test_old_jobs_are_forgotten(client, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT_JOBS", 1)
    first = ended(client, start(client, num_frames=1).json())
    second = ended(client, start(client, num_frames=1).json())

    third = start(client, num_frames=1).json()

    assert client.get(f"/identify/jobs/{first['job_id']}").status_code == 404
    assert client.get(f"/identify/jobs/{second['job_id']}").status_code == 200
    ended(client, third)


def test_what_cannot_begin_leaves_no_job(client, stash):
    assert start(client, UNKNOWN_ID).status_code == 404
    assert start(client, "x").status_code == 422
    assert not IdentificationJob.objects.exists()


def test_no_more_wait_than_there_is_room_for(client, stash, settings, monkeypatch):
    settings.SCENE_SLOTS = 1
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    monkeypatch.setattr(jobs, "_runner", runner := jobs.JobRunner(max_waiting=1))
    first = start(client).json()
    wait_until(lambda: look(client, first)["state"] == "running")
    start(client)

    response = start(client)

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert IdentificationJob.objects.count() == 2
    runner.stop()


def test_a_job_that_waits_for_its_turn_is_cancelled_at_once(client, stash, settings):
    scenes.scene_gate.cache_clear()
    settings.SCENE_SLOTS = 1
    with scenes.scene_gate().turn():
        job = start(client).json()
        wait_until(lambda: jobs._runner._running)

        client.post(f"/identify/jobs/{job['job_id']}/cancel")

        wait_until(lambda: not jobs._runner._running)
        assert look(client, job)["state"] == "cancelled"
    scenes.scene_gate.cache_clear()


def test_a_database_that_fails_once_does_not_end_the_jobs_to_come(
    client, settings, monkeypatch
):
    settings.SCENE_SLOTS = 1
    begin, failures = jobs._begin, [OperationalError("database is locked")]

    def fail_once(row):
        if failures:
            raise failures.pop()
        return begin(row)

    monkeypatch.setattr(jobs, "_begin", fail_once)
    start(client, num_frames=1)
    second = start(client, num_frames=1).json()

    assert ended(client, second)["state"] == "complete"


def test_a_running_job_that_nobody_writes_of_any_more_says_so(client):
    job = IdentificationJob.objects.create(
        stash_id=KNOWN_SCENE,
        state=State.RUNNING,
        host=socket.gethostname(),
        pid=os.getpid(),
    )
    silent = timezone.now() - 2 * jobs.SILENT_AFTER
    IdentificationJob.objects.update(heartbeat_at=silent)

    assert look(client, {"job_id": job.job_id})["state"] == "interrupted"
