"""What the owner said of people is the truth that an evaluation measures by."""

import pytest

from recognition.evaluations import Kind
from recognition.models import Fingerprint
from recognition.tests.corrections_world import anybody_else, corrected, released
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, cast_of, post
from recognition.tests.test_evaluation import (  # noqa: F401
    evaluate,
    identified,
    latest_report,
    mode_of,
    tag,
)
from recognition.tests.test_library_runs import library  # noqa: F401


@pytest.fixture
def scenes(identified):  # noqa: F811
    """Two scenes that were identified, with all tagged whom the release knows."""
    for scene_id in (KNOWN_SCENE, MIXED_SCENE):
        tag(identified, "scenes", scene_id, cast_of(identified.library, scene_id))
    return identified


def person_of(universal_id, scene_id=KNOWN_SCENE):
    """Return the number of who has that name in what is kept."""
    people = Fingerprint.objects.get(kind="scene", stash_id=scene_id).people
    return people.get(universal_id=universal_id).number


def strict(client):
    return mode_of(latest_report(client))["strict"]


def disagreements(client):
    return client.get("/identify/evaluation/disagreements").json()["disagreements"]


def undo(client, answer):
    return post(client, f"/identify/corrections/{answer['correction']['id']}/undo")


def test_who_was_named_is_there_though_nobody_tagged_them(scenes, admin_client):
    named, tagged = sorted(cast_of(scenes.library, KNOWN_SCENE))
    tag(scenes, "scenes", KNOWN_SCENE, [tagged])
    evaluate(kinds=(Kind.SCENE,))
    before = strict(admin_client)
    assert [each["verdict"] for each in disagreements(admin_client)] == [None]

    made = corrected(admin_client, "name", person=person_of(named), universal_id=named)

    after = strict(admin_client)
    assert after["precision"]["count"] == before["precision"]["count"] + 1
    assert after["precision"]["total"] == before["precision"]["total"]
    assert after["recall"]["total"] == before["recall"]["total"] + 1
    assert [each["verdict"] for each in disagreements(admin_client)] == ["tag_missing"]
    undo(admin_client, made)
    assert strict(admin_client) == before


@pytest.mark.parametrize("verdict", ["reject", "name", "ignore"])
def test_a_name_that_the_owner_did_not_let_stand_is_wrong_though_it_is_tagged(
    scenes, admin_client, verdict
):
    """Rejected, or somebody else, or nobody to be named."""
    cast = cast_of(scenes.library, KNOWN_SCENE)
    wrong = min(cast)
    whom = {
        "reject": {"universal_id": wrong},
        "name": {"universal_id": anybody_else(released(), *cast).universal_id},
        "ignore": {},
    }[verdict]
    evaluate(kinds=(Kind.SCENE,))
    before = strict(admin_client)

    corrected(admin_client, verdict, person=person_of(wrong), **whom)

    after = strict(admin_client)
    assert after["precision"]["total"] == before["precision"]["total"]
    assert after["precision"]["count"] == before["precision"]["count"] - 1
    # It is no matter of tags.
    assert mode_of(latest_report(admin_client))["disputed_count"] == 0


def test_what_was_said_holds_when_the_scene_was_looked_at_anew(scenes, admin_client):
    wrong = min(cast_of(scenes.library, KNOWN_SCENE))
    corrected(admin_client, "ignore", person=person_of(wrong))
    post(admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=9)

    evaluate(kinds=(Kind.SCENE,))

    precision = strict(admin_client)["precision"]
    assert precision["count"] == precision["total"] - 1


def test_a_performer_of_this_stash_alone_cannot_be_missed(scenes, admin_client):
    named = min(cast_of(scenes.library, KNOWN_SCENE))
    performer = scenes.library.performers[max(scenes.library.performers, key=int)]
    performer.stash_ids = []
    evaluate(kinds=(Kind.SCENE,))
    before = strict(admin_client)

    corrected(
        admin_client,
        "name",
        person=person_of(named),
        local_performer_id=int(performer.id),
    )

    assert strict(admin_client)["recall"]["total"] == before["recall"]["total"]
