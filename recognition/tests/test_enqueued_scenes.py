"""Scenes that a hook of Stash tells of: queued at once, identified a while later."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from recognition import enqueued_scenes, library_runs, tasks
from recognition.models import EnqueuedScene, Fingerprint, LibraryRun
from recognition.tests.library_world import ask, background, ended, work
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, UNKNOWN_ID
from recognition.tests.test_library_runs import (  # noqa: F401
    break_video,
    hanging,
    library,
)
from stashsense.tests.waiting import wait_until

PATH = "/recommendations/fingerprints/enqueue"
Kind, State = LibraryRun.Kind, LibraryRun.State


def tell(client, *scene_ids):
    body = {"scene_ids": scene_ids}
    return client.post(PATH, body, content_type="application/json")


def let_them_be_due():
    EnqueuedScene.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def runs():
    return LibraryRun.objects.filter(kind=Kind.ENQUEUED).order_by("pk")


def begun():
    """Do what the schedule does once the scenes are due; return the run of it."""
    let_them_be_due()
    Schedule.objects.filter(func=enqueued_scenes.BEGIN_TASK).delete()
    tasks.identify_enqueued()
    return runs().last()


def kept():
    rows = Fingerprint.objects.scenes().complete()
    return {str(each.stash_id) for each in rows}


def test_a_scene_is_queued_without_asking_stash(admin_client, stash):
    began = timezone.now()

    response = tell(admin_client, 1)

    assert response.status_code == 202
    assert response.json() == {"waiting_scenes": 1}
    assert stash.requests == []
    assert EnqueuedScene.objects.get().due_at >= began + enqueued_scenes.SETTLE
    schedule = Schedule.objects.get(func=enqueued_scenes.BEGIN_TASK)
    assert schedule.next_run == EnqueuedScene.objects.get().due_at
    assert not OrmQ.objects.exists()
    status = admin_client.get("/recommendations/fingerprints/status").json()
    assert (status["enqueued_scenes"], status["generation_running"]) == (1, False)


def test_what_waits_waits_no_longer_for_being_told_of_again(admin_client, stash):
    tell(admin_client, 1, 2, 2)
    due = [*EnqueuedScene.objects.values_list("stash_id", "due_at")]

    response = tell(admin_client, 2, 1)

    assert response.json() == {"waiting_scenes": 2}
    assert [*EnqueuedScene.objects.values_list("stash_id", "due_at")] == due
    assert Schedule.objects.filter(func=enqueued_scenes.BEGIN_TASK).count() == 1


def test_thousands_of_scenes_begin_one_run(admin_client, stash):
    for first in range(1, 4001, 20):
        tell(admin_client, *range(first, first + 20))

    assert EnqueuedScene.objects.count() == 4000
    assert Schedule.objects.filter(func=enqueued_scenes.BEGIN_TASK).count() == 1
    begun()
    tasks.identify_enqueued()
    tasks.look_after_library()
    assert runs().count() == 1


def test_nothing_begins_before_a_scene_is_due(admin_client, stash):
    tell(admin_client, 1)

    tasks.identify_enqueued()
    tasks.look_after_library()

    assert not LibraryRun.objects.exists()


def test_scenes_are_identified_once_they_are_due_and_no_others(admin_client, library):  # noqa: F811
    tell(admin_client, MIXED_SCENE)

    run = ended(begun())

    assert (run.state, run.kind, run.asked_by) == (State.COMPLETE, "enqueued", "hook")
    assert (run.total_count, run.done_count, run.succeeded_count) == (1, 1, 1)
    assert kept() == {MIXED_SCENE}
    assert not EnqueuedScene.objects.exists()
    assert begun() == run


def test_what_is_gone_or_known_is_dropped_without_a_word(admin_client, library):  # noqa: F811
    ended(ask())
    tell(admin_client, KNOWN_SCENE, UNKNOWN_ID)

    run = ended(begun())

    assert (run.state, run.error) == (State.COMPLETE, "")
    assert (run.done_count, run.failed_count) == (0, 0)
    assert not EnqueuedScene.objects.exists()
    assert not Fingerprint.objects.filter(stash_id=UNKNOWN_ID).exists()


def test_a_scene_that_fails_is_tried_again_later_and_then_parked(
    admin_client,
    library,  # noqa: F811
    tmp_path,
):
    break_video(library, KNOWN_SCENE, tmp_path)
    tell(admin_client, KNOWN_SCENE)

    first = ended(begun())
    assert (first.state, first.failed_count) == (State.COMPLETE, 1)
    assert EnqueuedScene.objects.get().due_at > timezone.now()

    second, third = ended(begun()), ended(begun())

    assert (second.failed_count, third.failed_count) == (1, 0)
    assert Fingerprint.objects.get().is_parked
    assert not EnqueuedScene.objects.exists()


def test_what_is_told_of_meanwhile_is_taken_up_by_the_run(admin_client, library):  # noqa: F811
    tell(admin_client, KNOWN_SCENE)
    run = begun()
    tell(admin_client, MIXED_SCENE)
    let_them_be_due()

    ended(run)

    assert kept() == {KNOWN_SCENE, MIXED_SCENE}
    assert runs().count() == 1


def test_the_library_goes_on_beside_them(admin_client, library):  # noqa: F811
    whole = ask()
    tell(admin_client, MIXED_SCENE)
    begun()

    work()

    whole.refresh_from_db()
    assert (whole.state, whole.done_count) == (State.COMPLETE, 2)
    assert runs().get().state == State.COMPLETE
    assert kept() == {KNOWN_SCENE, MIXED_SCENE}
    assert not EnqueuedScene.objects.exists()


def test_a_lost_schedule_and_a_lost_task_are_made_up_for(admin_client, library):  # noqa: F811
    """Whatever died with its process, the rows are still there."""
    tell(admin_client, KNOWN_SCENE)
    let_them_be_due()
    Schedule.objects.filter(func=enqueued_scenes.BEGIN_TASK).delete()
    tasks.look_after_library()
    OrmQ.objects.all().delete()

    library_runs.take_up_dead_runs()
    work()

    assert kept() == {KNOWN_SCENE}


def test_stopping_has_scenes_wait_no_more(admin_client, hanging):  # noqa: F811
    tell(admin_client, KNOWN_SCENE, MIXED_SCENE)
    run = begun()
    with background():
        wait_until(lambda: runs().get().current_job_id)
        stop = admin_client.post("/recommendations/fingerprints/stop")

    assert stop.status_code == 200
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert not EnqueuedScene.objects.exists()
    assert admin_client.post("/recommendations/fingerprints/stop").status_code == 404


def test_what_failed_is_begun_again_when_somebody_tells_of_more(admin_client, stash):
    tell(admin_client, 1)
    library_runs.end_run(begun(), State.FAILED, error="Stash is away.")
    EnqueuedScene.objects.update(enqueued_at=timezone.now() - timedelta(minutes=1))

    assert begun().state == State.FAILED
    tell(admin_client, 2)

    assert begun().state == State.QUEUED


@pytest.mark.parametrize(
    "body", [{}, [1], {"scene_ids": 1}, {"scene_ids": ["x"]}, {"scene_ids": [0]}]
)
def test_what_are_no_scenes_queues_nothing(admin_client, stash, body):
    response = admin_client.post(PATH, body, content_type="application/json")

    assert response.status_code == 422
    assert not EnqueuedScene.objects.exists()


def test_without_a_stash_or_the_permission_nothing_is_queued(
    admin_client, client, settings
):
    settings.STASH_URL = ""
    refused = tell(admin_client, 1)
    client.force_login(User.objects.create_user("reader", is_staff=True))

    assert (refused.status_code, refused.json()["code"]) == (
        400,
        "stash_not_configured",
    )
    assert tell(client, 1).status_code == 403
    assert not EnqueuedScene.objects.exists()
