"""Finding performers whose faces a stash-box's performer has, over HTTP."""

import pytest

from demo.stash.library import Image, StashBox, StashId, now
from recommendations import decisions
from recommendations.decisions import Person
from recommendations.models import AnalysisRun, EndpointPreference, Recommendation
from recommendations.tests.analyses import ask, ended
from recommendations.tests.fingerprints import candidate, person, seen
from recommendations.tests.libraries import add_performer, add_scene
from stashsense.integrations import stashbox_connections

TYPE = "missing_stash_box_link"
AT = "https://stashdb.org/graphql"
X, Y = "stashdb.org:x", "stashdb.org:y"
State = AnalysisRun.State

pytestmark = pytest.mark.django_db(transaction=True)


def find(**wanted):
    run = ended(ask(TYPE, **wanted), seconds=0)
    assert run.state == State.COMPLETED, run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def film(library, performers, *people):
    scene = add_scene(library, performers=performers)
    seen(scene.id, *people)
    return scene


def picture(library, performers, *people):
    moment = now()
    number = str(max(map(int, library.images), default=0) + 1)
    library.images[number] = Image(number, moment, moment)
    library.images[number].performer_ids = [each.id for each in performers]
    seen(number, *people, kind="image")
    return library.images[number]


def test_a_performer_whose_scenes_show_one_person_may_be_linked(library):
    name = "Ünï 🦊 " * 200
    ada = add_performer(library, name)
    scenes = [film(library, [ada], person(X, "Ada Lux")) for _ in range(2)]

    (row,) = find()

    assert (row.target_type, row.target_id, row.endpoint) == ("performer", ada.id, AT)
    assert row.confidence == 0.675
    told = row.details
    assert (told["performer_id"], told["performer_name"]) == (ada.id, name)
    assert told["candidate"] == {
        "name": "Ada Lux",
        "universal_id": X,
        "endpoint": AT,
        "stash_box_id": "x",
    }
    assert told["evidence"] == {
        "support": 2.0,
        "share": 1.0,
        "certainty": 0.9,
        "rival": 0.0,
        "media_count": 2,
        "alone_count": 2,
        "contradicting_count": 0,
    }
    assert (told["scenes"], told["images"]) == ([each.id for each in scenes], [])
    assert told["name_agrees"] is False
    assert told["confidence"] == row.confidence


def test_images_are_evidence_as_scenes_are(library):
    ada = add_performer(library, "Ada")
    images = [picture(library, [ada], X) for _ in range(2)]

    (row,) = find()

    assert row.details["images"] == [each.id for each in images]


def test_an_equal_name_makes_one_scene_enough_and_an_alias_does_too(library):
    ada = add_performer(library, "Somebody", alias_list=["ADA  lux"])
    film(library, [ada], person(X, "Ada Lux"))

    (row,) = find()

    assert row.details["name_agrees"] is True
    assert row.confidence == 0.725


def test_a_name_alone_never_suffices(library):
    add_performer(library, "Ada Lux")
    film(library, [], person(X, "Ada Lux"))

    assert find() == []


def test_faces_that_contradict_each_other_drop_the_finding(library):
    ada = add_performer(library, "Ada")
    for _ in range(3):
        film(library, [ada], X)
    (before,) = find()
    for _ in range(2):
        film(library, [ada], Y)

    assert find() == []
    before.refresh_from_db()
    assert before.status == Recommendation.Status.RESOLVED


def test_an_id_that_another_performer_has_is_never_proposed(library):
    ada = add_performer(library, "Ada")
    add_performer(library, "Ada again", ids=[(AT, "x")])
    for _ in range(3):
        film(library, [ada], X)

    assert find() == []


def test_who_has_an_id_there_is_left_alone_and_one_elsewhere_does_not_matter(library):
    linked = add_performer(library, "Ada", ids=[(AT, "y")])
    elsewhere = add_performer(library, "Bea", ids=[("https://other.example/g", "b")])
    for _ in range(2):
        film(library, [linked], X)
        film(library, [elsewhere], "stashdb.org:z")

    assert [row.target_id for row in find()] == [elsewhere.id]


def test_boxes_that_stash_does_not_have_or_that_are_disabled_are_not_proposed(library):
    ada = add_performer(library, "Ada")
    for _ in range(2):
        film(library, [ada], "other.example:x")
    assert find() == []
    other = "https://other.example/graphql"
    library.stash_boxes.append(StashBox(other, "Other"))
    stashbox_connections.forget()
    assert [row.endpoint for row in find()] == [other]
    EndpointPreference.objects.create(endpoint=other, is_disabled=True)

    assert find() == []


def test_a_local_performers_own_faces_are_compared_with_the_release(library):
    ada = add_performer(library, "Ada")
    candidates = [
        candidate(f"local:{ada.id}", "Ada", score=20.0, distance=0.1),
        candidate(X, "Ada Lux", score=8.0, distance=0.3),
    ]
    far = [candidates[0], candidate(Y, "Somebody", score=1.0, distance=0.3)]
    for each in (candidates, candidates, far):
        film(library, [], person(f"local:{ada.id}", "Ada", candidates=each))

    (row,) = find()

    assert row.details["candidate"]["universal_id"] == X
    assert row.details["evidence"]["media_count"] == 2


def test_it_is_cleared_once_they_are_linked_and_keeps_its_id_until_then(library):
    ada = add_performer(library, "Ada")
    for _ in range(2):
        film(library, [ada], X)
    (before,) = find()
    film(library, [ada], X)
    (after,) = find()
    assert (after.pk, after.details["evidence"]["support"]) == (before.pk, 3.0)

    ada.stash_ids.append(StashId(AT, "x", now()))

    assert find() == []


def test_a_dismissed_one_comes_back_for_somebody_else_and_never_if_for_good(library):
    ada = add_performer(library, "Ada")
    scenes = [film(library, [ada], X) for _ in range(2)]
    (row,) = find()
    decisions.dismiss(row, person=Person())
    assert find() == []
    for each in scenes:
        seen(each.id, Y)
    assert [each.pk for each in find()] == [row.pk]
    row.refresh_from_db()
    decisions.dismiss(row, person=Person(), is_permanent=True)
    for each in scenes:
        seen(each.id, "stashdb.org:z")

    assert find() == []


def test_many_findings_are_stored_some_at_a_time(library, monkeypatch):
    monkeypatch.setattr(
        "recommendations.analyzers.missing_stash_box_link._FINDINGS_A_STEP", 2
    )
    for number in range(5):
        performer = add_performer(library, f"Performer {number}")
        for _ in range(2):
            film(library, [performer], f"stashdb.org:{number}")

    assert len(find()) == 5


def test_stash_going_down_fails_the_run_and_what_was_found_stays(
    library, library_server
):
    ada = add_performer(library, "Ada")
    for _ in range(2):
        film(library, [ada], X)
    (row,) = find()
    library_server.go_down()

    run = ended(ask(TYPE))

    assert (run.state, run.error_code) == (State.FAILED, "stash_unreachable")
    row.refresh_from_db()
    assert row.status == Recommendation.Status.PENDING
