"""What the owner says of people, and what every later match makes of it."""

import pytest

from recognition import rematching
from recognition.numeric.people import MatchingMode
from recognition.tests.corrections_world import (
    GALLERY,
    anybody_else,
    corrected,
    kept,
    name_of,
    persons_of,
    released,
    see_known_scene,
    where,
    who_has,
)
from recognition.tests.stash_world import KNOWN_SCENE, post
from recognition.tests.test_rematching import (  # noqa: F401
    NEXT,
    _fresh_identities,
    next_release,
)


@pytest.fixture
def scene(admin_client, stash):
    """The people of a scene as they are kept: two whom the release knows, first."""
    return see_known_scene(admin_client, stash)


# Not this person


def test_who_was_rejected_is_not_proposed_to_the_person_any_more(admin_client, scene):
    rejected = name_of(scene[0])

    answer = corrected(admin_client, "reject", universal_id=rejected)

    (person,) = who_has(persons_of(answer), where(scene[0]))
    proposed = {each["universal_id"] for each in person["all_matches"]}
    assert rejected not in proposed
    assert answer["correction"]["made_by"] == "admin"
    assert answer["correction"]["name"]
    assert kept(admin_client) == answer["fingerprint"]


@pytest.mark.parametrize("mode", MatchingMode)
def test_a_rejection_holds_in_every_mode_when_the_scene_is_seen_anew(
    admin_client, scene, mode
):
    rejected = name_of(scene[0])
    corrected(admin_client, "reject", universal_id=rejected)

    # Other frames than before, in part.
    answer = post(
        admin_client,
        "/identify/scene",
        scene_id=KNOWN_SCENE,
        num_frames=9,
        matching_mode=mode.value,
    ).json()

    assert len(answer["persons"]) >= 2
    for person in answer["persons"]:
        assert rejected not in {m["universal_id"] for m in person["all_matches"]}
    assert kept(admin_client)["frames_analyzed"] == 9
    assert rejected not in {name_of(each) for each in kept(admin_client)["persons"]}


def test_a_rejection_of_one_person_leaves_another_their_name(admin_client, scene):
    other = name_of(scene[1])

    answer = corrected(admin_client, "reject", universal_id=other)

    (person,) = who_has(persons_of(answer), where(scene[1]))
    assert name_of(person) == other


def test_a_rejection_holds_with_a_new_release(
    admin_client,
    scene,
    next_release,  # noqa: F811
):
    rejected = name_of(scene[0])
    corrected(admin_client, "reject", universal_id=rejected)
    next_release(lambda owner: owner)

    rematching.rematch_slice(seconds=5)

    assert kept(admin_client)["database_version"] == NEXT
    assert rejected not in {name_of(each) for each in kept(admin_client)["persons"]}


# This is


def test_a_person_is_whom_the_owner_names(admin_client, scene):
    somebody = anybody_else(released(), *map(name_of, scene))

    answer = corrected(admin_client, "name", universal_id=somebody.universal_id)

    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert name_of(person) == somebody.universal_id
    assert (person["decision"], person["best_match"]["confidence"]) == ("known", 1.0)
    assert where(person) == where(scene[0])


def test_who_has_been_named_is_nobody_else(admin_client, scene):
    """The other person loses the name that the owner gave to this one."""
    taken = name_of(scene[1])

    answer = corrected(admin_client, "name", universal_id=taken)

    names = [name_of(each) for each in persons_of(answer)]
    assert names.count(taken) == 1
    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert name_of(person) == taken


def test_two_people_with_one_name_are_one(admin_client, scene):
    somebody = anybody_else(released(), *map(name_of, scene)).universal_id
    corrected(admin_client, "name", universal_id=somebody)
    second = next(
        each["person_id"]
        for each in kept(admin_client)["persons"]
        if where(each) == where(scene[1])
    )

    answer = corrected(admin_client, "name", person=second, universal_id=somebody)

    (person,) = [each for each in persons_of(answer) if name_of(each) == somebody]
    assert where(person) == where(scene[0]) | where(scene[1])
    assert answer["superseded"] == []


def test_a_name_holds_when_the_scene_is_seen_anew(admin_client, scene):
    somebody = anybody_else(released(), *map(name_of, scene))
    corrected(admin_client, "name", universal_id=somebody.universal_id)

    answer = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=9
    ).json()

    (person,) = [
        each for each in answer["persons"] if name_of(each) == somebody.universal_id
    ]
    assert person["best_match"]["name"] == somebody.name
    assert len(person["faces"]) >= len(scene[0]["faces"])
    assert name_of(scene[0]) not in {name_of(each) for each in answer["persons"]}


def test_a_name_that_the_release_lost_stays(
    admin_client,
    scene,
    next_release,  # noqa: F811
):
    named = name_of(scene[0])
    corrected(admin_client, "name", universal_id=named)
    name = scene[0]["best_match"]["name"]
    next_release(lambda owner: None if owner == named else owner, without=[named])

    rematching.rematch_slice(seconds=5)
    answer = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6
    ).json()

    assert released().find_row(named) is None
    for persons in (kept(admin_client)["persons"], answer["persons"]):
        (person,) = [each for each in persons if name_of(each) == named]
        assert person["best_match"]["name"] == name
        assert person["best_match"]["distance"] is None


def test_a_performer_of_this_stash_alone_is_named_by_the_local_id(
    admin_client, scene, stash
):
    local_id, performer = next(
        (int(id), each)
        for id, each in stash.library.performers.items()
        if not each.stash_ids or id == max(stash.library.performers, key=int)
    )
    performer.stash_ids = []

    answer = corrected(admin_client, "name", local_performer_id=local_id)

    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert person["best_match"]["name"] == performer.name
    assert person["best_match"]["universal_id"] == f"local:{local_id}"
    told = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6
    ).json()
    best = [each["best_match"] for each in told["persons"] if each["best_match"]]
    assert str(local_id) in {each["local_performer_id"] for each in best}


def test_a_local_performer_whom_the_release_knows_has_its_id(
    admin_client, scene, stash
):
    known = name_of(scene[1])

    answer = corrected(admin_client, "name", local_performer_id=1)

    correction = answer["correction"]
    assert correction["local_performer_id"] == "1"
    assert correction["universal_id"] in {known, name_of(scene[0])}


# Nobody I want to know


def test_who_is_ignored_has_no_name_and_stays_so(admin_client, scene):
    answer = corrected(admin_client, "ignore")

    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert (person["decision"], person["all_matches"]) == ("ignored", [])
    told = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=9
    ).json()
    assert "ignored" in {each["decision"] for each in told["persons"]}
    assert name_of(scene[0]) not in {name_of(each) for each in told["persons"]}


# Images and galleries


def test_faces_of_an_image_are_corrected(admin_client, stash):
    post(admin_client, "/identify/image", image_id="1")
    (before,) = kept(admin_client, "image", "1")["persons"]
    rejected = name_of(before)
    somebody = anybody_else(released(), rejected).universal_id

    image = {"kind": "image", "stash_id": "1"}
    corrected(admin_client, "reject", universal_id=rejected, **image)
    (face,) = post(admin_client, "/identify/image", image_id="1").json()["faces"]
    assert rejected not in {each["universal_id"] for each in face["matches"]}

    corrected(admin_client, "name", universal_id=somebody, **image)
    (face,) = post(admin_client, "/identify/image", image_id="1").json()["faces"]
    assert [each["universal_id"] for each in face["matches"]] == [somebody]

    corrected(admin_client, "ignore", **image)
    (face,) = post(admin_client, "/identify/image", image_id="1").json()["faces"]
    assert face["matches"] == []


def test_people_of_a_gallery_are_corrected(admin_client, stash):
    gallery = {"kind": "gallery", "stash_id": GALLERY}
    told = post(admin_client, "/identify/gallery", gallery_id=GALLERY).json()
    persons = kept(admin_client, "gallery", GALLERY)["persons"]
    named = {name_of(each) for each in persons} - {None}
    rejected = name_of(persons[0])
    somebody = anybody_else(released(), *named)

    corrected(admin_client, "reject", universal_id=rejected, **gallery)
    answer = post(admin_client, "/identify/gallery", gallery_id=GALLERY).json()
    assert {p["universal_id"] for p in answer["performers"]} == named - {rejected}

    (person,) = who_has(
        kept(admin_client, "gallery", GALLERY)["persons"], where(persons[0])
    )
    number = person["person_id"]
    corrected(
        admin_client, "name", person=number, universal_id=somebody.universal_id,
        **gallery,
    )  # fmt: skip
    answer = post(admin_client, "/identify/gallery", gallery_id=GALLERY).json()
    (found,) = [
        each
        for each in answer["performers"]
        if each["universal_id"] == somebody.universal_id
    ]
    (before,) = [p for p in told["performers"] if p["universal_id"] == rejected]
    assert set(found["image_ids"]) == set(before["image_ids"])
    assert found["best_distance"] is None


def test_people_of_a_gallery_are_found_again_when_images_came_and_went(
    admin_client, stash
):
    post(admin_client, "/identify/gallery", gallery_id=GALLERY)
    before = kept(admin_client, "gallery", GALLERY)
    rejected = name_of(before["persons"][0])
    corrected(
        admin_client, "reject", kind="gallery", stash_id=GALLERY, universal_id=rejected
    )
    # What numbers the images is another now.
    stash.library.images[before["image_ids"][0]].gallery_ids = []

    answer = post(admin_client, "/identify/gallery", gallery_id=GALLERY).json()

    assert rejected not in {each["universal_id"] for each in answer["performers"]}
