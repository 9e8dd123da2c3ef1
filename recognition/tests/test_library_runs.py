"""Identifying the whole library, through a real web server and a stand-in Stash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django_q.models import OrmQ

from recognition import (
    attempts,
    jobs,
    library_runs,
    library_slices,
    registry,
    scenes,
    slice_at_work,
)
from recognition.api import identifying
from recognition.exceptions import LibraryRunInProgress
from recognition.library_slices import work_at_slice
from recognition.models import Fingerprint, IdentificationJob, LibraryRun
from recognition.recognition_service import RecognitionService
from recognition.tests.library_world import ask, background, ended, work
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE
from stashsense import stopping
from stashsense.api.authentication import api_key
from stashsense.slices import leases
from stashsense.tests import databases
from stashsense.tests.waiting import wait_until

State = LibraryRun.State

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def library(transactional_db, stash, live_server, settings, monkeypatch):
    """A library of two scenes; this process is the web process as well."""
    settings.RECOGNITION_URL = live_server.url
    settings.RECOGNITION_API_KEY = api_key()
    runner = jobs.JobRunner()
    monkeypatch.setattr(jobs, "_runner", runner)
    monkeypatch.setattr(slice_at_work, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(slice_at_work, "LONGEST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    yield stash
    runner.stop()


@pytest.fixture
def hanging(library):
    """A library whose videos never come."""
    library.faults.only_paths = "/scene"
    library.faults.hang = True
    return library


def break_video(stash, scene_id, tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video")
    stash.replace_video(scene_id, path)
    stash.library.scenes[scene_id].has_sprite = False


def counts(run):
    return {
        "total": run.total_count,
        "done": run.done_count,
        "succeeded": run.succeeded_count,
        "failed": run.failed_count,
        "skipped": run.skipped_count,
    }


def fingerprint(scene_id):
    return Fingerprint.objects.scenes().get(stash_id=scene_id)


def current_job():
    return IdentificationJob.objects.filter(state="running").first()


def test_every_scene_is_identified_and_the_next_run_passes_over_them(library):
    run = ended(ask())

    assert run.state == State.COMPLETE
    assert counts(run) == {
        "total": 2, "done": 2, "succeeded": 2, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert run.percent == 100
    kept = Fingerprint.objects.scenes().complete()
    assert {str(each.stash_id) for each in kept} == {KNOWN_SCENE, MIXED_SCENE}
    assert {each.frames_requested for each in kept} == {2}
    assert {each.attempt_count for each in kept} == {0}

    again = ended(ask())

    assert counts(again)["skipped"] == counts(again)["done"] == 2
    assert IdentificationJob.objects.count() == 2


def test_options_reach_the_scenes(library):
    ended(ask(num_frames=3, max_distance=0.25))

    kept = fingerprint(KNOWN_SCENE)
    assert (kept.frames_requested, kept.options["max_distance"]) == (3, 0.25)


def test_other_tasks_have_their_turn_between_two_slices(library, monkeypatch):
    monkeypatch.setattr(library_slices, "SLICE_SECONDS", 0.05)
    run = ask()
    numbers = []

    while OrmQ.objects.exists():
        # One slice is awaited at any moment, whatever was queued before.
        assert OrmQ.objects.count() == 1
        work(tasks=1)
        run.refresh_from_db()
        numbers.append(run.slice_number)
        assert run.held_until is None

    assert run.state == State.COMPLETE
    assert numbers == sorted(numbers)
    assert len({*numbers}) > 3
    assert IdentificationJob.objects.count() == 2


def test_a_scene_that_fails_twice_is_parked_and_the_rest_goes_on(library, tmp_path):
    break_video(library, KNOWN_SCENE, tmp_path)

    run = ended(ask())

    assert run.state == State.COMPLETE
    assert counts(run) == {
        "total": 2, "done": 2, "succeeded": 1, "failed": 1, "skipped": 0,
    }  # fmt: skip
    parked = fingerprint(KNOWN_SCENE)
    assert parked.is_parked
    assert parked.attempt_count == 2
    assert "Scene 1" in parked.error
    assert fingerprint(MIXED_SCENE).state == Fingerprint.State.COMPLETE

    again = ended(ask())

    assert counts(again)["skipped"] == 2
    assert fingerprint(KNOWN_SCENE).attempt_count == 2


def test_a_parked_scene_is_tried_again_once_that_is_asked_for(library, tmp_path):
    good = library.library.files[library.library.scenes[KNOWN_SCENE].file_ids[0]]
    break_video(library, KNOWN_SCENE, tmp_path)
    ended(ask())
    library.library.files[good.id] = good

    attempts.mark_for_refresh([int(KNOWN_SCENE)])
    run = ended(ask())

    assert counts(run)["succeeded"] == 1
    assert fingerprint(KNOWN_SCENE).state == Fingerprint.State.COMPLETE
    assert fingerprint(KNOWN_SCENE).error == ""


def test_a_scene_that_fails_once_is_seen_at_the_end_of_the_run(library, monkeypatch):
    """Its first job ends with an error that nobody foresaw."""
    failures = [OSError("once")]

    def fail_once(*args, **kwargs):
        if failures:
            raise failures.pop()
        return scenes.identify_scene(*args, **kwargs)

    monkeypatch.setattr(identifying, "identify_scene", fail_once)

    run = ended(ask())

    assert counts(run) == {
        "total": 2, "done": 2, "succeeded": 2, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert fingerprint(KNOWN_SCENE).attempt_count == 0


def test_a_scene_that_its_process_dies_of_is_parked(hanging):
    run = ask()
    with background():
        for _ in range(2):
            # What a worker that was killed leaves; the other scene waits as well.
            for scene_id in (KNOWN_SCENE, MIXED_SCENE):
                wait_until(
                    lambda scene_id=scene_id: (
                        (job := current_job()) and job.stash_id == scene_id
                    )
                )
                job = current_job()
                IdentificationJob.objects.filter(pk=job.pk).update(pid=2**22 + 1)
                wait_until(lambda job=job: current_job() != job)
                jobs._runner.cancel(job.job_id)

    run.refresh_from_db()
    assert run.state == State.COMPLETE
    assert counts(run)["failed"] == 2
    assert fingerprint(KNOWN_SCENE).is_parked
    assert "has ended" in fingerprint(KNOWN_SCENE).error


def test_a_stop_takes_effect_at_once_and_ends_the_scene_in_work(hanging, admin_client):
    run = ask()
    with background():
        wait_until(current_job)
        job = current_job()

        response = admin_client.post("/recommendations/fingerprints/stop")

        assert response.status_code == 200
        run.refresh_from_db()
        assert run.state == State.CANCELLED
        wait_until(lambda: not IdentificationJob.objects.in_progress().exists())
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not OrmQ.objects.exists()
    # As if it had never been begun.
    assert not Fingerprint.objects.exists()
    assert ask().state == State.QUEUED


def test_a_run_that_waits_in_the_queue_is_stopped_and_never_begun(library):
    run = ask()

    library_runs.stop_run(run)

    assert ended(run).state == State.CANCELLED
    assert not IdentificationJob.objects.exists()


def test_one_run_of_a_kind_goes_on_at_a_time(library):
    run = ask()

    with pytest.raises(LibraryRunInProgress, match=str(run)):
        ask()

    assert LibraryRun.objects.count() == OrmQ.objects.count() == 1


def test_a_second_delivery_does_nothing(hanging):
    run = ask()
    with background():
        wait_until(current_job)
        run.refresh_from_db()

        work_at_slice(run.pk, run.slice_number)
        work_at_slice(run.pk, run.slice_number - 1)

        assert IdentificationJob.objects.count() == 1
        library_runs.stop_run(run)


def killed_worker(run, live_server, stash, settings):
    """Begin a slice in another process, and kill that while it waits for a scene."""
    script = (
        "import sys; from stashsense import settings;"
        "settings.DATABASES['default']['NAME'] = sys.argv[1];"
        "import django; django.setup();"
        "from recognition.library_slices import work_at_slice;"
        "work_at_slice(int(sys.argv[2]), int(sys.argv[3]))"
    )
    name = settings.DATABASES["default"]["NAME"]
    worker = subprocess.Popen(
        [sys.executable, "-c", script, str(name), str(run.pk), str(run.slice_number)],
        cwd=ROOT,
        env=os.environ
        | databases.own_environment()
        | {
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
            "DATA_DIR": str(settings.DATA_DIR),
            "STASH_URL": stash.url,
            "RECOGNITION_URL": live_server.url,
            "RECOGNITION_API_KEY": api_key(),
        },
    )
    try:
        wait_until(lambda: LibraryRun.objects.exclude(current_job_id="").exists())
    finally:
        worker.kill()
        worker.wait()


def test_a_slice_whose_process_is_killed_is_gone_on_with(
    hanging, live_server, settings
):
    run = ask()
    OrmQ.objects.all().delete()
    killed_worker(run, live_server, hanging, settings)
    run.refresh_from_db()
    assert (run.state, run.current_scene_id) == (State.RUNNING, int(KNOWN_SCENE))
    assert fingerprint(KNOWN_SCENE).attempt_count == 1
    hanging.faults.hang = False

    # What each process of the background does when it starts; several start.
    library_runs.take_up_dead_runs()
    library_runs.take_up_dead_runs()

    assert ended(run).state == State.COMPLETE
    assert counts(run)["succeeded"] == 2
    # The job that was running is the one that was followed to its end.
    assert IdentificationJob.objects.count() == 2
    assert {each.attempt_count for each in Fingerprint.objects.all()} == {0}


def test_a_run_that_its_processes_die_of_ends(library):
    run = ask()
    for _ in range(library_slices.MAX_DEATHS):
        LibraryRun.objects.update(host="here", pid=2**22 + 1, state=State.RUNNING)
        library_runs.take_up_dead_runs()

    assert ended(run).state == State.FAILED
    assert "died 3 times" in run.error


def test_a_job_that_was_begun_and_not_written_is_taken_over(library, live_server):
    """The process died between asking for the job and writing its id."""
    run = ask()
    attempts.begin_attempt(Fingerprint.Kind.SCENE, int(KNOWN_SCENE))
    LibraryRun.objects.update(
        total_count=2,
        current_scene_id=int(KNOWN_SCENE),
        scene_started_at=run.created_at,
    )
    service = RecognitionService()
    service.start_job(int(KNOWN_SCENE), {"num_frames": 2})
    service.close()

    assert ended(run).state == State.COMPLETE
    jobs_of_scene = IdentificationJob.objects.filter(stash_id=KNOWN_SCENE)
    assert jobs_of_scene.count() == 1


def test_a_service_that_is_busy_or_changes_over_is_waited_for(library):
    serving = registry.state().serving
    registry.serve(None)
    run = ask()
    with background():
        wait_until(lambda: LibraryRun.objects.exclude(waiting_for="").exists())
        assert fingerprint(KNOWN_SCENE).attempt_count == 1
        registry.serve(serving)

    run.refresh_from_db()
    assert run.state == State.COMPLETE
    assert (run.waiting_for, run.waited_seconds) == ("", 0)
    assert counts(run)["succeeded"] == 2


def test_a_stash_that_is_away_is_waited_for(library):
    library.go_down()
    run = ask()
    with background():
        wait_until(lambda: LibraryRun.objects.exclude(waiting_for="").exists())
        library.come_back()

    run.refresh_from_db()
    assert (run.state, counts(run)["succeeded"]) == (State.COMPLETE, 2)


def test_a_stash_that_goes_down_in_the_middle_of_a_scene_is_no_fault_of_it(hanging):
    run = ask()
    with background():
        wait_until(current_job)
        hanging.go_down()
        wait_until(lambda: LibraryRun.objects.exclude(waiting_for="").exists())
        hanging.faults.hang = False
        hanging.come_back()

    run.refresh_from_db()
    assert (run.state, counts(run)["succeeded"]) == (State.COMPLETE, 2)
    assert counts(run)["failed"] == 0


def test_a_run_does_not_wait_for_ever(library, monkeypatch):
    monkeypatch.setattr(slice_at_work, "PATIENCE_SECONDS", 0.05)
    registry.serve(None)

    run = ended(ask())

    assert run.state == State.FAILED
    assert run.error_code == "library_run_stuck"
    assert "No release is active" in run.error
    # Nothing is held against the scene it was at.
    assert not Fingerprint.objects.exists()


def test_a_wrong_key_is_told_at_once(library, settings):
    settings.RECOGNITION_API_KEY = "wrong"

    run = ended(ask())

    assert run.state == State.FAILED
    assert "key is wrong" in run.error
    assert "wrong" not in run.error.replace("is wrong", "")
    assert not Fingerprint.objects.exists()


def test_a_service_that_is_down_is_named(library, settings, monkeypatch):
    monkeypatch.setattr(slice_at_work, "PATIENCE_SECONDS", 0.05)
    settings.RECOGNITION_URL = "http://127.0.0.1:9"

    run = ended(ask())

    assert run.state == State.FAILED
    assert "http://127.0.0.1:9 does not answer" in run.error


def test_a_service_that_keeps_its_results_elsewhere_is_told_of(library, monkeypatch):
    monkeypatch.setattr("recognition.scenes.fingerprints.keep_or_tell", _keeps_nothing)

    run = ended(ask())

    assert run.state == State.FAILED
    assert "another database" in run.error


def _keeps_nothing(*_args, **_kwargs):
    return ""


def test_a_stop_of_the_service_leaves_the_run_to_the_next_start(hanging, monkeypatch):
    run = ask()
    with background():
        wait_until(current_job)
        monkeypatch.setattr(stopping, "is_asked", lambda: True)

    run.refresh_from_db()
    assert run.is_in_progress
    assert run.held_until is None
    monkeypatch.setattr(stopping, "is_asked", lambda: False)
    hanging.faults.hang = False
    library_runs.take_up_dead_runs()

    assert ended(run).state == State.COMPLETE
    assert counts(run)["succeeded"] == 2
    assert run.death_count == 0


def test_a_scene_that_is_deleted_meanwhile_is_passed_over(library, monkeypatch):
    def delete_the_next(*args, **kwargs):
        library.library.scenes.pop(MIXED_SCENE, None)
        return scenes.identify_scene(*args, **kwargs)

    monkeypatch.setattr(identifying, "identify_scene", delete_the_next)

    run = ended(ask())

    assert run.state == State.COMPLETE
    assert counts(run) == {
        "total": 2, "done": 2, "succeeded": 1, "failed": 0, "skipped": 1,
    }  # fmt: skip
    assert not Fingerprint.objects.filter(stash_id=MIXED_SCENE).exists()


def test_what_other_networks_have_seen_is_looked_at_again_unless_unwanted(library):
    ended(ask())
    Fingerprint.objects.update(network_set="others")

    assert counts(ended(ask(refresh_outdated=False)))["skipped"] == 2
    assert counts(ended(ask()))["succeeded"] == 2
