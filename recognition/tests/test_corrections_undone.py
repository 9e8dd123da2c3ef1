"""What the owner says is undone, contradicted, refused, listed, and told to others."""

import pytest
from django.contrib.auth.models import User

from recognition import corrections, registry, rematching
from recognition.exceptions import PersonNotFound
from recognition.models import Correction, Fingerprint
from recognition.signals import correction_changed
from recognition.tests.corrections_world import (
    CORRECTIONS,
    anybody_else,
    correct,
    corrected,
    kept,
    name_of,
    persons_of,
    released,
    see_known_scene,
    undo,
    where,
    who_has,
)
from recognition.tests.stash_world import KNOWN_SCENE, post
from recognition.tests.test_rematching import (  # noqa: F401
    _fresh_identities,
    identify,
)
from stashsense.api.authentication import api_key
from stashsense.tests.signing import SigningClient


@pytest.fixture
def scene(admin_client, stash):
    """The people of a scene as they are kept: two whom the release knows, first."""
    return see_known_scene(admin_client, stash)


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


def test_the_plugin_is_told_by_its_own_name(admin_client, scene):
    plugin = SigningClient()

    made = corrected(plugin, "ignore")["correction"]
    undone = undo(plugin, made).json()["correction"]

    assert (made["made_by"], undone["undone_by"]) == ("plugin", "plugin")


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
