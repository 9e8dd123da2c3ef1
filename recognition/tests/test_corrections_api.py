"""What the owner says of people, and what every later match makes of it."""

import pytest
from django.contrib.auth.models import User

from recognition import corrections, registry, rematching
from recognition.exceptions import PersonNotFound
from recognition.models import Correction, Fingerprint
from recognition.numeric.people import MatchingMode
from recognition.signals import correction_changed
from recognition.tests.stash_world import KNOWN_SCENE, cast_of, post
from recognition.tests.test_rematching import (  # noqa: F401
    NEXT,
    _fresh_identities,
    identify,
    next_release,
)
from stashsense.api.authentication import api_key

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


@pytest.fixture
def scene(admin_client, stash):
    """The people of a scene as they are kept: two whom the release knows, first."""
    identify(admin_client)
    persons = kept(admin_client)["persons"]
    assert {name_of(each) for each in persons[:2]} == cast_of(
        stash.library, KNOWN_SCENE
    )
    return persons


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


# Undone, contradicted


def test_what_is_undone_holds_no_more_and_is_still_to_be_read(admin_client, scene):
    made = corrected(admin_client, "reject", universal_id=name_of(scene[0]))

    response = undo(admin_client, made["correction"])

    assert response.status_code == 200
    answer = response.json()
    assert answer["correction"]["undone_by"] == "admin"
    # Matched again from what is kept, in half precision.
    assert [name_of(each) for each in persons_of(answer)] == [*map(name_of, scene)]
    assert [each["faces"] for each in persons_of(answer)] == [
        each["faces"] for each in scene
    ]
    listed = admin_client.get(CORRECTIONS, {"kind": "scene", "stash_id": 1}).json()
    assert [each["id"] for each in listed["corrections"]] == [made["correction"]["id"]]
    again = undo(admin_client, made["correction"])
    assert (again.status_code, again.json()["code"]) == (409, "correction_undone")


def test_the_later_of_two_that_contradict_wins_and_says_so(admin_client, scene):
    somebody = anybody_else(released(), *map(name_of, scene)).universal_id
    named = corrected(admin_client, "name", universal_id=somebody)["correction"]
    (person,) = who_has(kept(admin_client)["persons"], where(scene[0]))

    rejected = corrected(
        admin_client, "reject", person=person["person_id"], universal_id=somebody
    )

    assert rejected["superseded"] == [named["id"]]
    first = Correction.objects.get(pk=named["id"])
    assert first.undone_at is not None
    assert first.superseded_by_id == rejected["correction"]["id"]
    assert somebody not in {name_of(each) for each in persons_of(rejected)}
    assert undo(admin_client, named).status_code == 409

    answer = undo(admin_client, rejected["correction"]).json()

    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert name_of(person) == somebody


def test_naming_who_was_rejected_or_ignored_undoes_that(admin_client, scene):
    name = name_of(scene[0])
    first = corrected(admin_client, "reject", universal_id=name)["correction"]
    (person,) = who_has(kept(admin_client)["persons"], where(scene[0]))
    number = person["person_id"]
    second = corrected(admin_client, "ignore", person=number)["correction"]
    (person,) = who_has(kept(admin_client)["persons"], where(scene[0]))

    answer = corrected(
        admin_client, "name", person=person["person_id"], universal_id=name
    )

    assert answer["superseded"] == [first["id"], second["id"]]
    (person,) = who_has(persons_of(answer), where(scene[0]))
    assert name_of(person) == name


def test_saying_the_same_twice_is_saying_it_once(admin_client, scene):
    name = name_of(scene[0])

    first = corrected(admin_client, "reject", universal_id=name)["correction"]
    (person,) = who_has(kept(admin_client)["persons"], where(scene[0]))
    second = corrected(
        admin_client, "reject", person=person["person_id"], universal_id=name
    )

    assert second["correction"]["id"] == first["id"]
    assert Correction.objects.count() == 1


# What is refused


@pytest.mark.parametrize(
    ("verdict", "whom", "status", "code"),
    [
        ("reject", {"universal_id": "stashdb.org:nobody"}, 404, "performer_not_found"),
        ("name", {"universal_id": "stashdb.org:nobody"}, 404, "performer_not_found"),
        ("name", {"local_performer_id": 987654}, 404, "performer_not_found"),
        ("name", {}, 422, "invalid_correction"),
        ("ignore", {"person": 99}, 404, "person_not_found"),
        ("ignore", {"stash_id": "99"}, 404, "person_not_found"),
    ],
)
def test_what_means_nobody_corrects_nothing(
    admin_client, scene, verdict, whom, status, code
):
    response = correct(admin_client, verdict, **whom)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Correction.objects.exists()
    assert kept(admin_client)["persons"] == scene


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "reject"},
        {"verdict": "perhaps"},
        {"kind": "film"},
        {"stash_id": "x"},
        {"person_id": -1},
        {"universal_id": "x" * 129},
    ],
)
def test_a_wrong_field_corrects_nothing(admin_client, db, body):
    asked = {"kind": "scene", "stash_id": 1, "person_id": 0, "verdict": "ignore"}

    response = post(admin_client, CORRECTIONS, **asked | body)

    assert response.status_code == 422
    assert not Correction.objects.exists()


def test_staff_who_may_not_operate_read_and_correct_nothing(client, scene):
    client.force_login(User.objects.create_user("reader", is_staff=True))

    assert correct(client, "ignore").status_code == 403
    assert post(client, f"{CORRECTIONS}/1/undo").status_code == 403
    assert client.get(CORRECTIONS).json() == {"total": 0, "corrections": []}


def test_a_program_is_told_by_api(admin_client, client, scene):
    client.defaults["HTTP_X_API_KEY"] = api_key()

    answer = corrected(client, "ignore")

    assert answer["correction"]["made_by"] == "api"


def test_corrections_are_listed_by_pages_the_latest_first(admin_client, scene):
    corrected(admin_client, "ignore")
    corrected(admin_client, "name", universal_id=name_of(scene[0]))
    first, last = Correction.objects.order_by("pk")

    page = admin_client.get(CORRECTIONS, {"limit": 1}).json()
    rest = admin_client.get(CORRECTIONS, {"limit": 1, "offset": 1}).json()

    assert page["total"] == 2
    assert [each["id"] for each in page["corrections"]] == [last.pk]
    assert [each["id"] for each in rest["corrections"]] == [first.pk]
    assert admin_client.get(CORRECTIONS, {"kind": "image"}).json()["total"] == 0
    assert admin_client.get(CORRECTIONS, {"kind": "film"}).status_code == 422


# In effect


def test_where_nothing_is_served_the_next_match_heeds_it(
    admin_client, scene, small_recognizer, served
):
    serving = registry.state().serving
    registry.serve(None)

    answer = correct(admin_client, "reject", universal_id=name_of(scene[0])).json()

    assert answer["is_in_effect"] is False
    assert persons_of(answer) == scene
    registry.serve(serving)
    assert rematching.rematch_slice(seconds=5).matched_count == 1
    assert name_of(scene[0]) not in {
        name_of(each) for each in kept(admin_client)["persons"]
    }
    assert rematching.rematch_slice(seconds=5).matched_count == 0


def test_who_was_made_anew_meanwhile_cannot_be_corrected_unseen(admin_client, scene):
    person = corrections.get_person("scene", int(KNOWN_SCENE), 0)
    identify(admin_client)

    with pytest.raises(PersonNotFound):
        corrections.ignore(person, by="admin")

    assert not Correction.objects.exists()


def test_what_is_said_while_a_scene_is_looked_at_is_heeded_later(
    admin_client, scene, monkeypatch
):
    """The look began before it was said, and is kept after."""
    from recognition import fingerprints

    keep = fingerprints.keep

    def keep_a_little_later(*args, **kwargs):
        corrected(admin_client, "reject", universal_id=name_of(scene[0]))
        return keep(*args, **kwargs)

    monkeypatch.setattr(fingerprints, "keep", keep_a_little_later)
    identify(admin_client)

    assert Fingerprint.objects.get().is_match_due
    rematching.rematch_slice(seconds=5)

    assert name_of(scene[0]) not in {
        name_of(each) for each in kept(admin_client)["persons"]
    }


def test_others_hear_of_corrections_once_they_are_committed(
    admin_client, scene, django_capture_on_commit_callbacks
):
    heard = []

    def hear(correction, **_):
        heard.append((correction.verdict, correction.is_active))

    correction_changed.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            made = corrected(admin_client, "ignore")["correction"]
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            undo(admin_client, made)
    finally:
        correction_changed.disconnect(hear)

    assert heard == [("ignore", True), ("ignore", False)]


def test_the_truth_is_what_the_owner_said_of_each_face(admin_client, scene):
    somebody = anybody_else(released(), *map(name_of, scene)).universal_id
    corrected(admin_client, "name", universal_id=somebody)
    first = Fingerprint.objects.get().people.get(universal_id=somebody)
    other = next(
        each for each in Fingerprint.objects.get().people.all() if each.pk != first.pk
    )
    rejected = corrections.reject(other, name_of(scene[0]), by="admin")

    truth = corrections.truth_of(Fingerprint.objects.get())

    (person,) = truth.decided
    assert person.owners_name is not None
    assert (person.owners_name.universal_id, [*person.faces]) == (
        somebody,
        first.faces,
    )
    assert [*truth.bound[rejected.pk]] == other.faces
    row = released().find_row(name_of(scene[0]))
    assert {face for face, rows in enumerate(truth.forbidden) if row in rows} == {
        *other.faces
    }
