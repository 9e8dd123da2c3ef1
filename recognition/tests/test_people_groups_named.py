"""A stranger of two scenes is named, and stays so until that is undone."""

from dataclasses import replace

import pytest

from recognition import registry, rematching
from recognition.models import Correction, Fingerprint, GroupDecision
from recognition.tests.corrections_world import anybody_else, released
from recognition.tests.people_world import grouped
from recognition.tests.stash_world import MIXED_SCENE, named, post
from recognition.tests.test_rematching import (  # noqa: F401
    NEXT,
    _fresh_identities,
    next_release,
)

UNKNOWN = "/identify/unknown"
OTHER_SCENE = "77"
SCENES = (MIXED_SCENE, OTHER_SCENE)


def names(client):
    """Return who is told to be in each of the scenes."""
    return [
        named(
            client.get(f"/recommendations/fingerprints/scene/{each}").json()["persons"]
        )
        for each in SCENES
    ]


def decisions(client, scene_id=MIXED_SCENE):
    kept = client.get(f"/recommendations/fingerprints/scene/{scene_id}").json()
    return {person["decision"] for person in kept["persons"]}


def identify(client):
    for scene_id in SCENES:
        response = post(client, "/identify/scene", scene_id=scene_id, num_frames=6)
        assert response.status_code == 200


def recurrent(client, **query):
    return client.get(UNKNOWN, query).json()["groups"]


def tell(client, group, verb, **body):
    response = post(client, f"{UNKNOWN}/{group['group_id']}/{verb}", **body)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.fixture
def cast(admin_client, stash):
    """Whom the release knows of the two scenes, in which a stranger is as well."""
    scenes = stash.library.scenes
    scenes[OTHER_SCENE] = replace(scenes[MIXED_SCENE], id=OTHER_SCENE)
    identify(admin_client)
    grouped()
    known, others = names(admin_client)
    assert known == others
    return known


@pytest.fixture
def stranger(admin_client, cast):
    """The group of the stranger."""
    (group,) = recurrent(admin_client)
    assert group["media_count"] == 2
    return group


@pytest.fixture
def somebody(cast):
    """A performer of the release who is in neither scene."""
    return anybody_else(released(), *cast)


def test_who_is_named_has_the_name_in_both_scenes_through_all_matches_until_undone(
    admin_client,
    cast,
    stranger,
    somebody,
    next_release,  # noqa: F811
):
    whom = somebody.universal_id
    answer = tell(admin_client, stranger, "name", universal_id=whom)

    assert (answer["state"], answer["name"]) == ("named", somebody.name)
    assert names(admin_client) == [cast | {whom}] * 2
    assert recurrent(admin_client) == []

    identify(admin_client)
    grouped()
    assert names(admin_client) == [cast | {whom}] * 2
    next_release(lambda owner: owner)
    rematching.rematch_slice(seconds=5)
    grouped()
    assert names(admin_client) == [cast | {whom}] * 2
    versions = Fingerprint.objects.values_list("release_version", flat=True)
    assert {*versions} == {NEXT}

    assert tell(admin_client, stranger, "undo")["undone"] == "name"

    assert names(admin_client) == [cast] * 2
    grouped()
    (again,) = recurrent(admin_client)
    assert again == stranger
    assert not Correction.objects.active().exists()


def test_a_name_that_is_undone_at_once_leaves_no_trace_in_any_scene(
    admin_client, cast, stranger, somebody
):
    tell(admin_client, stranger, "name", universal_id=somebody.universal_id)

    tell(admin_client, stranger, "undo")

    # Without the background: the members are who they were.
    assert recurrent(admin_client) == [stranger]
    assert names(admin_client) == [cast] * 2


def test_the_later_of_two_names_counts_and_the_first_comes_back(
    admin_client, cast, stranger, somebody
):
    other = anybody_else(released(), somebody.universal_id, *cast)
    first, second = somebody.universal_id, other.universal_id
    tell(admin_client, stranger, "name", universal_id=first)
    rematching.rematch([*_with_faces()], registry.recognizer().database)

    tell(admin_client, stranger, "name", universal_id=second)

    assert names(admin_client) == [cast | {second}] * 2
    tell(admin_client, stranger, "undo")
    assert names(admin_client) == [cast | {first}] * 2
    tell(admin_client, stranger, "undo")
    assert names(admin_client) == [cast] * 2


def test_what_was_said_of_one_scene_since_stays_when_the_groups_name_is_undone(
    admin_client, cast, stranger, somebody
):
    tell(admin_client, stranger, "name", universal_id=somebody.universal_id)
    person = Fingerprint.objects.get(stash_id=MIXED_SCENE).people.get(
        universal_id=somebody.universal_id
    )
    own = post(
        admin_client,
        "/identify/corrections",
        kind="scene",
        stash_id=int(MIXED_SCENE),
        person_id=person.number,
        verdict="ignore",
    ).json()

    tell(admin_client, stranger, "undo")

    assert "ignored" in decisions(admin_client)
    assert "ignored" not in decisions(admin_client, OTHER_SCENE)
    post(admin_client, f"/identify/corrections/{own['correction']['id']}/undo")
    assert names(admin_client) == [cast] * 2


def test_a_performer_of_this_stash_is_told_by_the_local_id(
    admin_client, stash, cast, stranger
):
    performer = stash.library.performers[max(stash.library.performers, key=int)]
    performer.stash_ids = []

    answer = tell(admin_client, stranger, "name", local_performer_id=int(performer.id))

    assert answer["local_performer_id"] == performer.id
    assert answer["name"] == performer.name
    assert names(admin_client) == [cast | {f"local:{performer.id}"}] * 2


def test_a_name_without_an_id_is_the_groups_alone(admin_client, cast, stranger):
    answer = tell(admin_client, stranger, "name", name="Anna")

    assert (answer["state"], answer["name"]) == ("named", "Anna")
    assert names(admin_client) == [cast] * 2
    assert recurrent(admin_client, state="named")[0]["member_count"] == 2
    assert not Correction.objects.exists()


def test_who_is_ignored_is_so_in_both_scenes_until_that_is_undone(
    admin_client, stranger
):
    tell(admin_client, stranger, "ignore")

    identify(admin_client)
    for scene_id in SCENES:
        assert "ignored" in decisions(admin_client, scene_id)
    tell(admin_client, stranger, "undo")
    for scene_id in SCENES:
        assert "ignored" not in decisions(admin_client, scene_id)
    grouped()
    assert recurrent(admin_client) == [stranger]


@pytest.mark.parametrize(
    "whom", [{"universal_id": "stashdb.org:nobody"}, {"local_performer_id": 987654}]
)
def test_a_performer_whom_nobody_has_names_no_group(admin_client, stranger, whom):
    response = post(admin_client, f"{UNKNOWN}/{stranger['group_id']}/name", **whom)

    assert (response.status_code, response.json()["code"]) == (
        404,
        "performer_not_found",
    )
    assert recurrent(admin_client) == [stranger]
    assert not GroupDecision.objects.exists()


def test_where_nothing_is_served_the_next_match_gives_the_name(
    admin_client, cast, stranger, somebody
):
    serving = registry.state().serving
    registry.serve(None)

    tell(admin_client, stranger, "name", universal_id=somebody.universal_id)

    registry.serve(serving)
    assert names(admin_client) == [cast] * 2
    rematching.rematch_slice(seconds=5)
    assert names(admin_client) == [cast | {somebody.universal_id}] * 2


def _with_faces():
    return Fingerprint.objects.select_related("packed")
