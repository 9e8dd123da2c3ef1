"""Finding people who are recognised in scenes and not tagged there in Stash."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.stash.library import StashId, now
from recognition.models import Correction, Fingerprint
from recommendations import decisions
from recommendations.decisions import Person
from recommendations.models import AnalysisRun, HighWaterMark, Recommendation
from recommendations.tests.analyses import ask, ended, work
from recommendations.tests.fingerprints import SOMEBODY, person, seen
from recommendations.tests.libraries import add_performer, add_scene

TYPE = "unidentified_scenes"
AT = "https://stashdb.org/graphql"
ELSEWHERE = "https://other.example/graphql"
ADA, BEA, CLEO = (f"stashdb.org:{name}" for name in ("ada", "bea", "cleo"))
State = AnalysisRun.State

pytestmark = pytest.mark.django_db(transaction=True)


def found():
    return list(Recommendation.objects.pending().order_by("pk"))


def find(**wanted):
    run = ended(ask(TYPE, **wanted))
    assert run.state == State.COMPLETED, run.error
    return found()


def old(row):
    row.updated_at = "2024-01-01T00:00:00Z"
    return row


def questions(server):
    return [each.operation for each in server.graphql_requests()]


def people_of(row):
    return [each["universal_id"] for each in row.details["people"]]


def test_who_is_recognised_and_not_tagged_is_recommended_by_scene(library):
    ada = add_performer(library, "Ada", ids=[(AT, "ada")])
    bea = add_performer(library, "Bea 🦊", ids=[(AT, "bea")])
    scene = add_scene(library, title="Scene " * 300, performers=[ada])
    cleo = person(CLEO, "Cleo", confidence=0.7)
    seen(scene.id, ADA, person(BEA, "Bea", confidence=0.95), cleo, SOMEBODY)

    (row,) = find()

    assert (row.target_type, row.target_id, row.endpoint) == ("scene", scene.id, "")
    assert row.confidence == 0.95
    assert row.details["scene_title"] == "Scene " * 300
    assert row.details["screenshot_path"] == f"/scene/{scene.id}/screenshot"
    assert row.details["people"] == [
        {
            "name": "Bea",
            "universal_id": BEA,
            "endpoint": AT,
            "stash_box_id": "bea",
            "local_performer_id": bea.id,
            "confidence": 0.95,
            "face_count": 2,
            "frame_count": 2,
            "timestamps": [3.5, 2.5],
        },
        {
            "name": "Cleo",
            "universal_id": CLEO,
            "endpoint": AT,
            "stash_box_id": "cleo",
            "local_performer_id": None,
            "confidence": 0.7,
            "face_count": 2,
            "frame_count": 2,
            "timestamps": [5.5, 4.5],
        },
    ]
    assert [each["universal_id"] for each in row.details["already_tagged"]] == [ADA]
    assert row.details["tagged_performers"] == [{"id": ada.id, "name": "Ada"}]
    assert (row.details["unknown_count"], row.details["uncertain_count"]) == (1, 0)


def test_a_scene_in_which_all_are_tagged_is_in_order(library):
    ada = add_performer(library, "Ada", ids=[(AT, "other"), (AT, "ada")])
    scene = add_scene(library, performers=[ada])
    seen(scene.id, ADA, SOMEBODY)

    assert find() == []


def test_uncertain_unknown_and_ignored_people_are_not_proposed(library):
    scene = add_scene(library)
    uncertain = person("", decision="uncertain")
    ignored = person("", decision="ignored")
    seen(scene.id, uncertain, SOMEBODY, ignored)

    assert find() == []


def test_a_name_that_the_owner_rejected_a_moment_ago_is_not_proposed(library):
    scene = add_scene(library)
    fingerprint = seen(scene.id, ADA)
    Correction.objects.create(
        kind="scene",
        stash_id=int(scene.id),
        verdict="reject",
        universal_id=ADA,
        vectors=b"",
        made_by="somebody",
        network_set="any",
    )
    Fingerprint.objects.filter(pk=fingerprint.pk).update(is_match_due=True)

    assert find() == []


def test_a_performer_without_ids_is_tagged_by_the_owners_word(library):
    ada = add_performer(library, "Ada")
    scene = add_scene(library, performers=[ada])
    other = add_scene(library)
    for each in (scene, other):
        seen(each.id, ADA)
    Correction.objects.create(
        kind="scene",
        stash_id=int(other.id),
        verdict="name",
        universal_id=ADA,
        local_performer_id=int(ada.id),
        vectors=b"",
        made_by="somebody",
        network_set="any",
    )

    (row,) = find()

    assert row.target_id == other.id
    assert row.details["people"][0]["local_performer_id"] == ada.id


def test_a_local_performer_is_tagged_by_their_own_id(library):
    ada = add_performer(library, "Ada")
    scene = add_scene(library, performers=[ada])
    other = add_scene(library)
    for each in (scene, other):
        seen(each.id, person(f"local:{ada.id}", "Ada"))

    (row,) = find()

    assert row.target_id == other.id
    assert row.details["people"][0]["local_performer_id"] == ada.id
    assert row.details["people"][0]["endpoint"] is None


def test_the_id_of_another_stash_box_is_somebody_else(library):
    other = add_performer(
        library, "Ada", ids=[("https://other.example/graphql", "ada")]
    )
    scene = add_scene(library, performers=[other])
    seen(scene.id, ADA)

    (row,) = find()

    assert row.details["people"][0]["local_performer_id"] is None


def test_a_scene_is_cleared_once_they_are_tagged_or_it_is_gone(library):
    ada = add_performer(library, "Ada", ids=[(AT, "ada")])
    scenes = [old(add_scene(library)) for _ in range(3)]
    for each in scenes:
        seen(each.id, ADA)
    ids = {row.target_id: row.pk for row in find()}
    scenes[0].performer_ids.append(ada.id)
    del library.scenes[scenes[1].id]

    (row,) = find()

    assert (row.target_id, row.pk) == (scenes[2].id, ids[scenes[2].id])


def test_a_performer_who_gets_the_id_is_tagged_from_then_on(library):
    ada = add_performer(library, "Ada")
    scene = old(add_scene(library, performers=[ada]))
    seen(scene.id, ADA)
    assert len(find()) == 1

    ada.stash_ids.append(StashId(AT, "ada", now()))

    assert find() == []


def test_a_tag_that_is_taken_away_is_seen_by_the_next_run(library):
    ada = add_performer(library, "Ada", ids=[(AT, "ada")])
    scene = old(add_scene(library, performers=[ada]))
    fingerprint = seen(scene.id, ADA)
    days_ago = timezone.now() - timedelta(days=3)
    Fingerprint.objects.filter(pk=fingerprint.pk).update(matched_at=days_ago)
    assert find() == []
    scene.performer_ids.clear()
    assert find() == []

    scene.updated_at = now()

    assert len(find()) == 1


def test_only_what_was_matched_since_is_looked_at_again_unless_all_is_asked_for(
    library, library_server
):
    scenes = [old(add_scene(library)) for _ in range(3)]
    days_ago = timezone.now() - timedelta(days=3)
    for each in scenes:
        fingerprint = seen(each.id, SOMEBODY)
        Fingerprint.objects.filter(pk=fingerprint.pk).update(matched_at=days_ago)
    find()
    seen(scenes[0].id, ADA)

    assert [row.target_id for row in find()] == [scenes[0].id]

    fingerprint = Fingerprint.objects.get(stash_id=scenes[1].id)
    row = person(BEA)
    row.fingerprint, row.number = fingerprint, 9
    row.save()
    assert len(find()) == 1
    assert len(find(is_full=True)) == 2


def test_scenes_that_are_looked_at_twice_do_not_pass_the_total(library):
    for _ in range(3):
        seen(add_scene(library).id, ADA)
    find()

    run = ended(ask(TYPE))

    # Recommended, matched a moment ago, and changed a moment ago.
    assert (run.done_count, run.total_count) == (9, 9)


def test_the_mark_stays_where_a_run_fails_and_what_was_found_stays(
    library, library_server
):
    for _ in range(101):
        seen(add_scene(library).id, ADA)
    run = work(ask(TYPE), seconds=0)
    count = len(found())
    library_server.go_down()

    ended(run)

    assert (run.state, run.error_code) == (State.FAILED, "stash_unreachable")
    assert (count, len(found())) == (100, 100)
    assert not HighWaterMark.objects.exists()


def test_it_goes_on_where_a_slice_ended(library):
    for _ in range(201):
        seen(add_scene(library).id, ADA)

    run = ended(ask(TYPE), seconds=0)

    assert (run.done_count, run.total_count) == (201, 201)
    assert len(found()) == 201
    assert run.slice_number >= 3


def test_a_dismissed_scene_comes_back_when_somebody_else_is_in_it(library):
    scene = add_scene(library)
    seen(scene.id, ADA)
    (row,) = find()
    decisions.dismiss(row, person=Person())
    assert find() == []

    seen(scene.id, ADA, BEA)

    assert [each.pk for each in find()] == [row.pk]
    assert people_of(found()[0]) == [ADA, BEA]


def test_a_scene_dismissed_for_good_is_not_even_asked_for(library, library_server):
    scene = add_scene(library)
    seen(scene.id, ADA)
    (row,) = find()
    decisions.dismiss(row, person=Person(), is_permanent=True)
    seen(scene.id, ADA, BEA)
    before = len(questions(library_server))

    assert find() == []

    # Pages of what Stash changed are read; nobody in it is looked up.
    asked = {*questions(library_server)[before:]}
    assert asked <= {"Version", "StashBoxConnections", "SceneRows"}


def test_a_look_that_was_forgotten_is_swept_by_a_full_run(library):
    scene = add_scene(library)
    seen(scene.id, ADA)
    assert len(find()) == 1
    Fingerprint.objects.all().delete()

    assert find() == []
