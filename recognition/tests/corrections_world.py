"""The owner's word as tests send it, and what is kept then."""

from recognition import registry
from recognition.tests.stash_world import KNOWN_SCENE, cast_of, post
from recognition.tests.test_rematching import identify

CORRECTIONS = "/identify/corrections"
GALLERY = "1"


def correct(client, verdict, *, kind="scene", stash_id=KNOWN_SCENE, person=0, **whom):
    return post(
        client,
        CORRECTIONS,
        kind=kind,
        stash_id=int(stash_id),
        person_id=person,
        verdict=verdict,
        **whom,
    )


def corrected(client, verdict, **rest):
    response = correct(client, verdict, **rest)
    assert response.status_code == 201, response.content
    answer = response.json()
    assert answer["is_in_effect"]
    return answer


def undo(client, correction):
    return post(client, f"{CORRECTIONS}/{correction['id']}/undo")


def kept(client, kind="scene", stash_id=KNOWN_SCENE):
    return client.get(f"/recommendations/fingerprints/{kind}/{stash_id}").json()


def persons_of(answer):
    return answer["fingerprint"]["persons"]


def name_of(person):
    return person["best_match"]["universal_id"] if person["best_match"] else None


def where(person):
    return {
        (face["frame"], face["box"]["x"], face["box"]["y"]) for face in person["faces"]
    }


def who_has(persons, faces):
    """Return the people who have any of these faces."""
    return [person for person in persons if where(person) & faces]


def anybody_else(client_release, *universal_ids):
    return next(
        performer
        for row in range(client_release.performer_count)
        if (performer := client_release.performer(row)).universal_id
        not in universal_ids
    )


def released():
    return registry.recognizer().database.release


def see_known_scene(client, stash):
    """Return the people of a scene as kept: two whom the release knows, first."""
    identify(client)
    persons = kept(client)["persons"]
    assert {name_of(each) for each in persons[:2]} == cast_of(
        stash.library, KNOWN_SCENE
    )
    return persons
