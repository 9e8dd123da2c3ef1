"""Who is named after a performer of this Stash alone is told in other pictures, too."""

import time

import pytest

from recognition import local_faces, registry
from recognition.models import Correction, LocalFace, LocalPerformer
from recognition.people_grouping import group_waiting
from recognition.tests.local_world import (
    add_image,
    add_performer,
    follow,
    names_in,
    portrait,
    switch,
)
from recognition.tests.stash_world import post

CORRECTIONS = "/identify/corrections"
PROMISED_SECONDS = 1.0


@pytest.fixture
def anna(transactional_db, stash, tmp_path):
    """A performer without stash ids, and two images of her that nobody tagged."""
    performer = add_performer(stash, "Anna Local")
    performer.images = [
        add_image(stash, tmp_path, portrait(1, take=take)).id for take in (0, 1)
    ]
    return performer


@pytest.fixture
def on(anna):
    switch(True)
    yield
    switch(False)
    registry.follow_local()


def see(client, image_id):
    """Identify an image of Stash; return whom its only face is taken for."""
    response = post(client, "/identify/image", image_id=image_id)
    assert response.status_code == 200, response.content
    (face,) = response.json()["faces"]
    return face["matches"][0]["universal_id"] if face["matches"] else None


def say(client, image_id, verdict="name", **whom):
    response = post(
        client,
        CORRECTIONS,
        kind="image",
        stash_id=int(image_id),
        person_id=0,
        verdict=verdict,
        **whom,
    )
    assert response.status_code == 201, response.content
    return response.json()["correction"]


def undo(client, correction):
    response = post(client, f"{CORRECTIONS}/{correction['id']}/undo")
    assert response.status_code == 200


def test_who_was_named_is_told_in_another_image_within_a_second(admin_client, on, anna):
    first, second = anna.images
    assert [see(admin_client, each) for each in (first, second)] == [None, None]

    say(admin_client, first, local_performer_id=int(anna.id))
    began = time.monotonic()
    follow()
    told = see(admin_client, second)

    assert time.monotonic() - began < PROMISED_SECONDS
    assert told == f"local:{anna.id}"
    assert LocalFace.objects.get().source == "person"


def test_once_it_is_undone_nobody_is_told_by_it(admin_client, on, anna):
    first, second = anna.images
    see(admin_client, first)
    correction = say(admin_client, first, local_performer_id=int(anna.id))
    follow()

    undo(admin_client, correction)
    follow()

    assert see(admin_client, second) is None
    assert see(admin_client, first) is None
    assert not LocalFace.objects.exists()


def test_what_a_later_word_contradicts_is_forgotten_until_that_is_undone(
    admin_client, on, anna
):
    first, second = anna.images
    see(admin_client, first)
    say(admin_client, first, local_performer_id=int(anna.id))

    ignored = say(admin_client, first, verdict="ignore")
    follow()

    assert see(admin_client, second) is None
    undo(admin_client, ignored)
    follow()
    assert see(admin_client, second) == f"local:{anna.id}"


def test_a_group_that_is_named_teaches_all_of_its_people(admin_client, on, anna):
    for each in anna.images:
        see(admin_client, each)
    assert group_waiting()
    (group,) = admin_client.get("/identify/unknown").json()["groups"]
    path = f"/identify/unknown/{group['group_id']}"

    post(admin_client, f"{path}/name", local_performer_id=int(anna.id))
    follow()

    assert LocalFace.objects.count() == 2
    assert names_in(admin_client, portrait(1, take=2)) == [f"local:{anna.id}"]
    post(admin_client, f"{path}/undo")
    follow()
    assert names_in(admin_client, portrait(1, take=2)) == [None]


def test_with_the_feature_off_nothing_is_learnt(admin_client, anna):
    first, second = anna.images
    see(admin_client, first)

    correction = say(admin_client, first, local_performer_id=int(anna.id))
    undo(admin_client, correction)

    assert see(admin_client, second) is None
    assert not LocalPerformer.objects.exists()


@pytest.mark.parametrize("by_group", [False, True])
def test_of_a_performer_of_the_release_nothing_is_learnt(
    admin_client, stash, on, anna, by_group
):
    """Also if it is told by the id in Stash, with a name."""
    known = next(
        each
        for each in stash.library.performers.values()
        if any(_is_released(one) for one in each.stash_ids)
    )
    for each in anna.images:
        see(admin_client, each)

    if by_group:
        assert group_waiting()
        (group,) = admin_client.get("/identify/unknown").json()["groups"]
        post(
            admin_client,
            f"/identify/unknown/{group['group_id']}/name",
            local_performer_id=int(known.id),
            name=known.name,
        )
    else:
        say(admin_client, anna.images[0], local_performer_id=int(known.id))

    correction = Correction.objects.latest("pk")
    assert correction.local_performer_id == int(known.id)
    assert not correction.universal_id.startswith("local:")
    assert not LocalFace.objects.exists()
    assert local_faces.current_revision(correction.network_set) == ""


def _is_released(stash_id):
    release = registry.recognizer().database.release
    universal_id = f"{stash_id.endpoint.split('/')[2]}:{stash_id.stash_id}"
    return release.find_row(universal_id) is not None
