"""GET .../people/{person_id}/crop: the faces of those that are kept, cut out again."""

import io

import pytest
from django.contrib.auth.models import User
from PIL import Image

from recognition import people_crops
from recognition.models import Fingerprint, FingerprintPerson
from recognition.tests.people_world import grouped
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, UNKNOWN_ID, post

FINGERPRINTS = "/recommendations/fingerprints"


@pytest.fixture(autouse=True)
def _own_crops(settings, tmp_path, request):
    """Nothing that another test cut out is there."""
    request.getfixturevalue("stash")
    settings.DATA_DIR = tmp_path


def look(client, kind, stash_id, **body):
    asked = {f"{kind}_id": stash_id, **body}
    return post(client, f"/identify/{kind}", **asked).json()


def crop(client, kind, stash_id, person_id):
    path = f"{FINGERPRINTS}/{kind}/{stash_id}/people/{person_id}/crop"
    # As a browser asks for what is in an <img>.
    return client.get(path, headers={"Accept": "image/png"})


def people(client, kind, stash_id):
    answer = client.get(f"{FINGERPRINTS}/{kind}/{stash_id}").json()
    return [each["person_id"] for each in answer["persons"]]


@pytest.mark.parametrize(
    ("kind", "stash_id", "how"),
    [
        ("scene", KNOWN_SCENE, {"num_frames": 4, "source": "stream"}),
        ("scene", KNOWN_SCENE, {"num_frames": 4, "source": "sprites"}),
        ("image", "1", {}),
        ("gallery", "1", {}),
    ],
)
def test_everybody_who_is_kept_is_shown(admin_client, kind, stash_id, how):
    look(admin_client, kind, stash_id, **how)
    numbers = people(admin_client, kind, stash_id)

    answers = [crop(admin_client, kind, stash_id, number) for number in numbers]

    assert numbers
    assert {each.headers["Content-Type"] for each in answers} == {"image/jpeg"}
    for each in answers:
        picture = Image.open(io.BytesIO(each.content))
        assert min(picture.size) > 5
        assert max(picture.size) <= people_crops.MAX_CROP_SIDE_PX
    assert len({each.content for each in answers}) == len(numbers)


def test_what_was_cut_out_needs_no_stash_again(admin_client, stash):
    look(admin_client, "image", "1")
    first = crop(admin_client, "image", "1", 0)
    asked = len(stash.requests)

    second = crop(admin_client, "image", "1", 0)

    assert second.content == first.content
    assert "private" in second.headers["Cache-Control"]
    assert len(stash.requests) == asked


def test_an_unknown_persons_picture_is_cut_out_once_for_both_routes(
    admin_client, stash
):
    look(admin_client, "scene", MIXED_SCENE, num_frames=4)
    grouped()
    stranger = FingerprintPerson.objects.get(decision="unknown")
    first = crop(admin_client, "scene", MIXED_SCENE, stranger.number)
    asked = len(stash.requests)

    group = stranger.group_member.group_id
    second = admin_client.get(f"/identify/unknown/{group}/crop")

    assert second.content == first.content
    assert len(stash.requests) == asked


def test_who_is_not_kept_is_not_found(admin_client):
    look(admin_client, "image", "1")

    for path, code in [
        (("image", "1", 99), "person_not_found"),
        (("image", "2", 0), "fingerprint_not_found"),
        (("scene", "1", 0), "fingerprint_not_found"),
        (("studio", "1", 0), "fingerprint_not_found"),
        (("image", 10**30, 0), "fingerprint_not_found"),
    ]:
        answer = crop(admin_client, *path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert crop(admin_client, "image", "x", 0).status_code == 404


def test_what_cannot_be_cut_out_any_more_is_told(admin_client, stash, settings):
    look(admin_client, "image", "1")
    person = FingerprintPerson.objects.all()[0]
    moved = Fingerprint.objects.get()
    moved.stash_id = int(UNKNOWN_ID)
    moved.save()
    gone = crop(admin_client, "image", UNKNOWN_ID, person.number)
    FingerprintPerson.objects.update(faces=[])
    faceless = crop(admin_client, "image", UNKNOWN_ID, person.number)

    assert (gone.status_code, gone.json()["code"]) == (404, "stash_not_found")
    assert (faceless.status_code, faceless.json()["code"]) == (404, "crop_unavailable")


def test_without_stash_the_reason_is_answered(admin_client, settings):
    look(admin_client, "image", "1")
    settings.STASH_URL = "http://127.0.0.1:9"

    response = crop(admin_client, "image", "1", 0)

    assert response.status_code == 503
    assert response.json()["code"] == "stash_unreachable"


def test_faces_are_shown_to_those_alone_who_may_look(client, admin_client):
    look(admin_client, "image", "1")

    assert crop(client, "image", "1", 0).status_code == 401
    client.force_login(User.objects.create_user("reader", is_staff=True))
    assert crop(client, "image", "1", 0).status_code == 200
