"""A performer has several ids: what the owner said of them holds under every one."""

import pytest

from demo.stash.library import StashId, now
from recognition import library_runs, local_faces, local_performers, rematching
from recognition.correction_binding import SeenMedia
from recognition.models import Correction, Fingerprint
from recognition.tests.corrections_world import (
    anybody_else,
    correct,
    corrected,
    kept,
    name_of,
    persons_of,
    released,
    see_known_scene,
    where,
    who_has,
)
from recognition.tests.library_world import ASKER, ended
from recognition.tests.local_world import add_performer, follow, switch, sync
from recognition.tests.stash_world import KNOWN_SCENE
from recognition.tests.test_library_runs import library  # noqa: F401
from recognition.tests.test_rematching import (  # noqa: F401
    NEXT,
    _fresh_identities,
    next_release,
)

LATER = "2026.03.09"
WHEN_LINKED = ["before", "run of re-matching", "run of local performers"]


@pytest.fixture
def scene(admin_client, library):  # noqa: F811
    """The people of a scene as they are kept: two whom the release knows, first."""
    return see_known_scene(admin_client, library)


def give_stash_ids(performer, *universal_ids):
    """Have Stash know the performer by these ids, and nobody else."""
    parts = [each.partition(":") for each in universal_ids]
    performer.stash_ids = [
        StashId(f"https://{domain}/graphql", bare_id, now())
        for domain, _, bare_id in parts
    ]


def add_known(stash, *universal_ids):
    """Add a performer of these ids to Stash, in place of whoever had one of them."""
    for row in [*stash.library.performers.values()]:
        have = {f"{one.endpoint.split('/')[2]}:{one.stash_id}" for one in row.stash_ids}
        if have & {*universal_ids}:
            row.stash_ids = []
    performer = add_performer(stash, "Two Ids")
    give_stash_ids(performer, *universal_ids)
    return performer


def proposed_to(person, persons):
    """Return whom those may be that have a face of the person."""
    return {
        match["universal_id"]
        for each in who_has(persons, where(person))
        for match in each["all_matches"]
    }


def number_of(person, persons):
    """Return the number that the person has among those, matched anew."""
    (now_there,) = who_has(persons, where(person))
    return now_there["person_id"]


@pytest.fixture
def local(admin_client, scene, library, next_release):  # noqa: F811
    """Somebody whom the release has lost, learnt from the scene as a local performer.

    Returns the person, the performer's row in Stash, and the id the release had.
    """
    lost = name_of(scene[0])
    performer = add_performer(library, "Anna Local")
    switch(True)
    media = SeenMedia.of(Fingerprint.objects.get(stash_id=KNOWN_SCENE))
    taken = {(face["frame"], face["box"]["x"]) for face in scene[0]["faces"]}
    local_faces.learn_person(
        int(performer.id),
        performer.name,
        [face for face in media.faces if (face.frame, face.box.x) in taken],
        network_set=media.network_set,
        source="person",
        source_id="0",
    )
    next_release(lambda owner: None if owner == lost else owner, without=[lost])
    follow()
    rematching.rematch_slice(seconds=5)
    (person,) = who_has(kept(admin_client)["persons"], where(scene[0]))
    assert name_of(person) == f"local:{performer.id}"
    yield person, performer, lost
    switch(False)
    follow()


@pytest.mark.parametrize("linked", WHEN_LINKED)
def test_a_local_performer_who_was_rejected_does_not_come_back_with_a_release(
    admin_client,
    local,
    library,  # noqa: F811
    next_release,  # noqa: F811
    linked,
):
    person, performer, universal_id = local
    for row in library.library.performers.values():
        row.stash_ids = []
    if linked == "before":
        give_stash_ids(performer, universal_id)
    corrected(
        admin_client,
        "reject",
        person=person["person_id"],
        universal_id=f"local:{performer.id}",
    )
    give_stash_ids(performer, universal_id)
    if linked == "run of local performers":
        sync()

    next_release(lambda owner: owner, LATER)
    follow()
    if linked == "run of re-matching":
        ended(library_runs.rematch_library(asker=ASKER))
    else:
        rematching.rematch_slice(seconds=5)

    assert released().find_row(universal_id) is not None
    again = kept(admin_client)
    assert again["database_version"] == LATER
    assert universal_id not in proposed_to(person, again["persons"])


def test_who_has_ids_at_two_endpoints_is_rejected_under_both(
    admin_client,
    scene,
    library,  # noqa: F811
    next_release,  # noqa: F811
):
    rejected = name_of(scene[0])
    other = anybody_else(released(), *map(name_of, scene)).universal_id
    performer = add_known(library, rejected, other)

    answer = corrected(admin_client, "reject", universal_id=rejected)
    next_release(lambda owner: other if owner == rejected else owner)
    rematching.rematch_slice(seconds=5)

    again = kept(admin_client)
    assert again["database_version"] == NEXT
    assert not proposed_to(scene[0], again["persons"]) & {rejected, other}
    assert answer["correction"]["local_performer_id"] == performer.id


def test_an_id_that_stash_lost_stays_rejected(
    admin_client,
    scene,
    library,  # noqa: F811
    next_release,  # noqa: F811
):
    rejected = name_of(scene[0])
    other = anybody_else(released(), *map(name_of, scene)).universal_id
    performer = add_known(library, rejected, other)
    corrected(admin_client, "reject", universal_id=rejected)
    performer.stash_ids = []

    next_release(lambda owner: other if owner == rejected else owner)
    ended(library_runs.rematch_library(asker=ASKER))

    assert other not in proposed_to(scene[0], kept(admin_client)["persons"])
    assert Correction.objects.get().other_ids == [f"local:{performer.id}", other]


def test_a_name_under_another_id_contradicts_the_rejection(
    admin_client,
    scene,
    library,  # noqa: F811
):
    rejected = name_of(scene[0])
    other = anybody_else(released(), *map(name_of, scene)).universal_id
    add_known(library, rejected, other)
    made = corrected(admin_client, "reject", universal_id=rejected)

    number = number_of(scene[0], persons_of(made))
    answer = corrected(admin_client, "name", person=number, universal_id=other)

    assert answer["superseded"] == [made["correction"]["id"]]
    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert name_of(person) == other


def test_rejecting_the_other_id_as_well_says_nothing_new(
    admin_client,
    scene,
    library,  # noqa: F811
):
    rejected = name_of(scene[0])
    other = anybody_else(released(), *map(name_of, scene)).universal_id
    add_known(library, rejected, other)
    made = corrected(admin_client, "reject", universal_id=rejected)

    number = number_of(scene[0], persons_of(made))
    answer = corrected(admin_client, "reject", person=number, universal_id=other)

    assert answer["correction"]["id"] == made["correction"]["id"]


def test_without_stash_a_rejection_holds_for_the_id_it_names(
    admin_client, scene, settings, monkeypatch
):
    rejected = name_of(scene[0])
    # Which is then left alone for a while, but not by other tests.
    monkeypatch.setattr(local_performers, "_quiet_until", 0.0)
    # Nobody listens there.
    settings.STASH_URL = "http://127.0.0.1:9"

    response = correct(admin_client, "reject", universal_id=rejected)

    assert response.status_code == 201
    assert Correction.objects.get().known_ids == {rejected}
    assert rejected not in proposed_to(scene[0], persons_of(response.json()))
