"""Finding scenes of stash-boxes by fingerprints, over HTTP with stand-ins of both."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.stash.library import StashId, now
from recommendations import decisions, runs
from recommendations.decisions import Person
from recommendations.models import (
    AnalysisRun,
    EndpointPreference,
    HighWaterMark,
    Recommendation,
)
from recommendations.tests.analyses import ASKER, ask, ended, work
from recommendations.tests.boxes import (
    add_box_scene,
    add_box_studio,
    add_cast,
)
from recommendations.tests.libraries import add_file, add_scene
from stashsense.preferences.services import store_settings

TYPE = "scene_fingerprint_match"
State = AnalysisRun.State

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def found():
    return list(Recommendation.objects.pending().order_by("pk"))


def find(**wanted):
    run = ended(ask(TYPE, **wanted))
    assert run.state == State.COMPLETED, run.error
    return found()


def scene_of(library, *, oshash="a1", phash=0xFF00, seconds=3600.0, **facts):
    file = add_file(library, oshash=oshash, phash=phash, duration=seconds)
    return add_scene(library, files=[file], **facts)


def asked_scenes(server):
    """Return how many scenes each question was about."""
    return [
        len(request.variables["fingerprints"])
        for request in server.requests
        if request.operation == "ScenesByFingerprints"
    ]


def test_a_scene_with_all_fingerprints_is_found_and_sure(library, box):
    scene = scene_of(library, title="Unsere Szene 🦊")
    upstream = add_box_scene(
        box,
        ("OSHASH", "00000000000000a1", 3601, 4),
        ("PHASH", "000000000000ff00", 3598, 3),
        ("MD5", "a1" * 16, 3600, 9),
        title="Their scene",
        release_date="2024-02-03",
        duration=3600,
        studio_id=add_box_studio(box, "Studio").id,
    )
    add_cast(box, upstream, "Ada", "Bea " * 500)

    (match,) = find()

    assert match.target_id == f"{scene.id}|{box.endpoint}|{upstream.id}"
    assert (match.target_type, match.endpoint) == ("scene", box.endpoint)
    assert match.confidence == 1.0
    told = match.details
    assert (told["scene_id"], told["scene_title"]) == (scene.id, "Unsere Szene 🦊")
    assert (told["endpoint"], told["stash_id"]) == (box.endpoint, upstream.id)
    assert told["stashbox_scene_title"] == "Their scene"
    assert told["stashbox_studio"] == "Studio"
    assert told["stashbox_performers"] == ["Ada", "Bea " * 500]
    assert (told["stashbox_date"], told["stashbox_duration"]) == ("2024-02-03", 3600)
    assert (told["match_count"], told["total_local_fingerprints"]) == (2, 2)
    assert (told["match_percentage"], told["total_submissions"]) == (100.0, 7)
    assert told["is_exact"]
    assert told["durations_agree"]
    assert told["high_confidence"]


def test_a_near_phash_counts_less_the_further_it_is(library, box):
    scene_of(library)
    box.box.phash_distance = 16
    near = add_box_scene(box, ("PHASH", f"{0xFF00 ^ 0b1111:016x}", 3600, 1))
    add_box_scene(box, ("PHASH", f"{0xFF00 ^ 0x1FF:016x}", 3600, 1))

    (match,) = find()

    assert match.details["stash_id"] == near.id
    assert match.details["matching_fingerprints"][0]["distance"] == 4
    assert match.details["match_percentage"] == 37.5
    assert match.confidence == 0.375
    assert not match.details["is_exact"]
    assert not match.details["high_confidence"]


def test_other_durations_lower_the_confidence_and_are_never_sure(library, box):
    scene_of(library, seconds=3600.0)
    add_box_scene(box, ("OSHASH", "a1", 1800, 5), ("PHASH", "ff00", 1800, 5))

    (match,) = find()

    assert match.details["match_percentage"] == 100.0
    assert match.confidence == 0.7
    assert match.details["durations_agree"] is False
    assert not match.details["high_confidence"]


def test_unknown_durations_are_no_objection(library, box):
    scene_of(library)
    add_box_scene(box, ("OSHASH", "a1", 0, 5), ("PHASH", "ff00", 0, 5))

    (match,) = find()

    assert match.details["durations_agree"] is None
    assert match.confidence == 1.0
    assert match.details["high_confidence"]


def test_one_of_two_candidates_is_not_sure_until_the_other_is_dismissed(library, box):
    scene_of(library)
    for _ in range(2):
        add_box_scene(box, ("OSHASH", "a1", 3600, 5), ("PHASH", "ff00", 3600, 5))
    first, second = find()
    assert not first.details["high_confidence"]

    decisions.dismiss(first, person=Person(), is_permanent=True)
    (left,) = find(is_full=True)

    assert left.pk == second.pk
    assert left.details["high_confidence"]


def test_what_is_sure_is_set_by_the_owner(library, box):
    scene_of(library)
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    assert not find()[0].details["high_confidence"]

    chosen = {"scene_fp_min_count": 1, "scene_fp_min_percentage": 50.0}
    store_settings(chosen, user=None)

    assert find(is_full=True)[0].details["high_confidence"]


def test_forty_scenes_go_in_one_question_and_those_without_fingerprints_in_none(
    library, box
):
    for number in range(85):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    bare = add_scene(library)
    library.files[bare.file_ids[0]].fingerprints = {"md5": "a" * 32}
    add_box_scene(box, ("OSHASH", f"{85:x}", 3600, 5))

    assert len(find()) == 1

    assert asked_scenes(box) == [40, 40, 5]


def test_it_goes_on_where_a_slice_ended(library, box):
    for number in range(85):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    for number in (1, 50, 85):
        add_box_scene(box, ("OSHASH", f"{number:x}", 3600, 5))

    run = ended(ask(TYPE), seconds=0)

    assert (run.state, len(found())) == (State.COMPLETED, 3)
    assert asked_scenes(box) == [40, 40, 5]
    assert run.done_count == 85


def test_only_what_changed_is_asked_again_until_thirty_days_are_over(library, box):
    old = scene_of(library)
    old.updated_at = "2024-01-01T00:00:00Z"
    new = scene_of(library, oshash="b2", phash=None)
    assert find() == []
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    add_box_scene(box, ("OSHASH", "b2", 3600, 5))

    assert [each.details["scene_id"] for each in find()] == [new.id]

    mark = HighWaterMark.objects.get(type=TYPE, endpoint=box.endpoint)
    mark.facts["all_asked_at"] = (timezone.now() - timedelta(days=30)).isoformat()
    mark.save()
    assert {each.details["scene_id"] for each in find()} == {old.id, new.id}


def test_a_full_run_asks_for_all(library, box):
    scene_of(library).updated_at = "2024-01-01T00:00:00Z"
    find()
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    assert find() == []

    assert len(find(is_full=True)) == 1


def test_a_match_of_a_scene_that_was_linked_or_deleted_is_cleared(library, box):
    linked = scene_of(library)
    deleted = scene_of(library, oshash="b2", phash=None)
    for number in ("a1", "b2"):
        add_box_scene(box, ("OSHASH", number, 3600, 5))
    assert len(find()) == 2

    linked.stash_ids.append(StashId(box.endpoint, "somewhere", now()))
    del library.scenes[deleted.id]

    assert find() == []


def test_a_match_that_the_box_takes_back_is_cleared_and_comes_back_as_itself(
    library, box
):
    scene_of(library)
    upstream = add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    (before,) = find()
    upstream.deleted = True
    assert find() == []
    upstream.deleted = False

    (after,) = find()

    assert after.pk == before.pk


def test_a_disabled_box_is_not_asked_and_the_others_in_order(library, add_box):
    scene_of(library)
    box, other = add_box(), add_box("Other")
    for server in (box, other):
        add_box_scene(server, ("OSHASH", "a1", 3600, 5))
    EndpointPreference.objects.create(endpoint=other.endpoint, position=0)
    assert [each.endpoint for each in find()] == [other.endpoint, box.endpoint]
    Recommendation.objects.all().delete()
    EndpointPreference.objects.create(endpoint=box.endpoint, is_disabled=True)
    before = box.request_count

    assert [each.endpoint for each in find(is_full=True)] == [other.endpoint]

    assert box.request_count == before


def test_a_failed_batch_is_told_of_and_asked_again_by_the_next_run(library, box):
    for number in range(85):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    for number in (1, 50, 85):
        add_box_scene(box, ("OSHASH", f"{number:x}", 3600, 5))
    box.faults.statuses = [400]

    run = ended(ask(TYPE))

    assert run.state == State.COMPLETED
    assert "failed 1 times" in run.note
    assert len(found()) == 2
    assert not HighWaterMark.objects.exists()
    assert len(find()) == 3
    assert HighWaterMark.objects.get().endpoint == box.endpoint


def test_a_box_that_refuses_the_key_does_not_keep_the_others(library, add_box):
    scene_of(library)
    box, other = add_box(), add_box("Other")
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    add_box_scene(other, ("OSHASH", "a1", 3600, 5))
    EndpointPreference.objects.create(endpoint=box.endpoint, position=0)
    box.faults.status = 401

    run = ended(ask(TYPE))

    assert run.state == State.FAILED
    assert run.error_code == "stashbox_unauthorized"
    assert "given up" in run.note
    assert [each.endpoint for each in found()] == [other.endpoint]
    assert HighWaterMark.objects.get().endpoint == other.endpoint
    box.faults.status = None
    again = ended(runs.retry_run(run, asker=ASKER))
    assert (again.state, len(found())) == (State.COMPLETED, 2)
    assert asked_scenes(other) == [1]


def test_a_box_that_is_busy_fails_the_run_and_what_was_found_stays(library, box):
    for number in range(85):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    for number in (1, 85):
        add_box_scene(box, ("OSHASH", f"{number:x}", 3600, 5))
    run = ask(TYPE)
    while not found():
        work(run, seconds=0)
    box.faults.status, box.faults.retry_after = 429, "3600"

    ended(run)

    assert (run.state, run.error_code) == (State.FAILED, "stashbox_busy")
    assert len(found()) == 1


def test_a_box_that_fails_again_and_again_is_given_up(library, box):
    for number in range(205):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    box.faults.statuses = [400] * 3

    run = ended(ask(TYPE))

    assert (run.state, run.error_code) == (State.FAILED, "stashbox_error")
    assert len(asked_scenes(box)) == 3
    assert ended(runs.retry_run(run, asker=ASKER)).state == State.COMPLETED
    assert asked_scenes(box)[3:] == [40, 40, 40, 40, 40, 5]


def test_stash_going_down_fails_the_run_and_what_was_found_stays(
    library, library_server, box
):
    for number in range(85):
        scene_of(library, oshash=f"{number + 1:x}", phash=None)
    add_box_scene(box, ("OSHASH", "1", 3600, 5))
    run = ask(TYPE)
    while not found():
        work(run, seconds=0)
    library_server.go_down()

    ended(run)

    assert (run.state, run.error_code) == (State.FAILED, "stash_unreachable")
    assert len(found()) == 1
    assert not HighWaterMark.objects.exists()


def test_html_in_place_of_an_answer_fails_the_run_and_a_retry_helps(library, box):
    scene_of(library)
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    box.faults.body = b"<html>maintenance</html>"

    run = ended(ask(TYPE))

    assert (run.state, found()) == (State.FAILED, [])
    box.faults.body = None
    again = ended(runs.retry_run(run, asker=ASKER))
    assert (again.state, len(found())) == (State.COMPLETED, 1)


def test_without_a_stash_box_nothing_is_done(library):
    library.stash_boxes = []

    run = ended(ask(TYPE))

    assert (run.state, run.note) == (State.COMPLETED, "No stash-box may be asked.")


def test_a_resolved_match_stays_resolved(library, box):
    scene_of(library)
    add_box_scene(box, ("OSHASH", "a1", 3600, 5))
    (match,) = find()
    decisions.resolve(match, "accepted")

    assert find(is_full=True) == []
