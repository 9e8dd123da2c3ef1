"""POST /identify/image and /identify/gallery, against a stand-in Stash."""

import pytest

from recognition.models import Fingerprint
from recognition.tests.stash_world import UNKNOWN_ID, post
from recognition.tests.test_calibrations_rematched import STRICT, adopt

KNOWN_IMAGE, GROUP_IMAGE, STRANGER_IMAGE = "1", "2", "3"
GALLERY = "1"


def image(client, image_id=KNOWN_IMAGE, **body):
    return post(client, "/identify/image", image_id=image_id, **body)


def gallery(client, gallery_id=GALLERY, **body):
    return post(client, "/identify/gallery", gallery_id=gallery_id, **body)


def best_ids(answer):
    return [
        face["matches"][0]["universal_id"] if face["matches"] else None
        for face in answer["faces"]
    ]


def image_ids_of(stash, gallery_id):
    return [each.id for each in stash.library.images_of(gallery_id)]


# Images


def standalone(stash, place):
    """Return the id of an image that is in no gallery."""
    alone = [i for i, each in stash.library.images.items() if not each.gallery_ids]
    return alone[place]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_people_of_an_image_are_named(admin_client, stash, place):
    image_id = standalone(stash, place)

    response = image(admin_client, image_id)

    assert response.status_code == 200
    answer = response.json()
    assert sorted(best_ids(answer), key=str) == sorted(
        stash.library.image_answers[image_id], key=str
    )
    assert answer["face_count"] == len(answer["faces"])
    assert (answer["image_width"], answer["image_height"]) == (480, 360)


def test_who_is_tagged_is_told_of_an_image(admin_client, stash):
    image_id = standalone(stash, 0)

    (face,) = image(admin_client, image_id, include_crops=True).json()["faces"]

    assert face["matches"][0]["already_tagged"] is True
    assert [face["matches"][0]["local_performer_id"]] == (
        stash.library.images[image_id].performer_ids
    )
    assert face["crop"].startswith("data:image/jpeg;base64,")


def test_what_was_seen_in_an_image_is_kept(admin_client, stash):
    image_id = standalone(stash, 1)

    image(admin_client, image_id)

    fingerprint = Fingerprint.objects.get(kind="image", stash_id=int(image_id))
    assert (fingerprint.face_count, fingerprint.people.count()) == (2, 2)


def test_an_image_that_is_not_there_is_not_found(admin_client, stash):
    assert image(admin_client, UNKNOWN_ID).status_code == 404
    assert image(admin_client, "x").status_code == 422
    assert not Fingerprint.objects.exists()


def test_an_image_without_a_picture_is_told(admin_client, stash):
    image_id = standalone(stash, 0)
    file_id = stash.library.images[image_id].file_ids[0]
    stash.library.files[file_id].name = "gone.jpg"

    response = image(admin_client, image_id)

    assert response.status_code in (400, 404)
    assert response.json()["detail"]


# Galleries


def test_the_people_of_a_gallery_are_named_once(admin_client, stash):
    response = gallery(admin_client)

    assert response.status_code == 200
    answer = response.json()
    ids = image_ids_of(stash, GALLERY)
    assert (answer["total_images"], answer["images_processed"]) == (len(ids), len(ids))
    seen = {
        universal_id
        for image_id in ids
        for universal_id in stash.library.image_answers[image_id]
        if universal_id is not None
    }
    assert {one["universal_id"] for one in answer["performers"]} == seen
    for one in answer["performers"]:
        assert one["image_count"] == len(one["image_ids"])
        for image_id in one["image_ids"]:
            assert one["universal_id"] in stash.library.image_answers[image_id]
        assert one["best_distance"] <= one["avg_distance"]
    assert answer["unknown_count"] >= 1
    assert answer["errors"] == []


def test_an_image_that_cannot_be_read_costs_itself_alone(admin_client, stash):
    first, *others = image_ids_of(stash, GALLERY)
    file_id = stash.library.images[first].file_ids[0]
    stash.library.files[file_id].name = "gone.jpg"

    answer = gallery(admin_client).json()

    assert answer["total_images"] == len(others) + 1
    assert answer["images_processed"] == len(others)
    (error,) = answer["errors"]
    assert error.startswith(f"Image {first}: ")
    assert answer["performers"]


def test_images_are_fetched_side_by_side_over_few_connections(admin_client, stash):
    gallery(admin_client)

    assert stash.connection_count <= 6
    assert len(stash.media_requests()) == len(image_ids_of(stash, GALLERY))


def test_an_empty_gallery_has_nobody(admin_client, stash):
    for each in stash.library.images.values():
        each.gallery_ids = []

    answer = gallery(admin_client).json()

    assert (answer["total_images"], answer["performers"]) == (0, [])


def test_a_gallery_that_is_not_there_is_not_found(admin_client, stash):
    assert gallery(admin_client, UNKNOWN_ID).status_code == 404
    assert gallery(admin_client, "x").status_code == 422


def test_crops_of_a_gallery_are_sent_when_asked_for(admin_client, stash):
    plain = gallery(admin_client).json()["performers"][0]
    asked = gallery(admin_client, include_crops=True).json()["performers"][0]

    assert plain["crop"] is None
    assert asked["crop"].startswith("data:image/jpeg;base64,")


# Who is corrected


def kept(client, kind, stash_id):
    answer = client.get(f"/recommendations/fingerprints/{kind}/{stash_id}").json()
    return {person["person_id"]: person for person in answer["persons"]}, answer


def test_everybody_of_a_gallery_has_the_number_of_what_is_kept(admin_client, stash):
    answer = gallery(admin_client).json()
    people, whole = kept(admin_client, "gallery", GALLERY)

    for decision, name in [
        ("known", "performers"),
        ("uncertain", "uncertain"),
        ("unknown", "unknown"),
    ]:
        ids = {one["person_id"] for one in answer[name]}
        assert ids == {
            number for number, one in people.items() if one["decision"] == decision
        }
        for one in answer[name]:
            faces = people[one["person_id"]]["faces"]
            seen_on = {whole["image_ids"][face["frame"]] for face in faces}
            assert {*one["image_ids"]} == seen_on
    assert answer["unknown_count"] == len(answer["unknown"]) >= 1
    assert {one["crop"] for one in answer["unknown"]} == {None}


def test_candidates_of_a_gallerys_people_are_told(admin_client, stash):
    answer = gallery(admin_client).json()
    people, _ = kept(admin_client, "gallery", GALLERY)

    for one in [*answer["performers"], *answer["uncertain"]]:
        told = [each["universal_id"] for each in one["candidates"]]
        assert told[0] == one["universal_id"]
        matches = people[one["person_id"]]["all_matches"]
        assert told == [each["universal_id"] for each in matches]


def test_somebody_uncertain_in_a_gallery_is_told_with_candidates_and_face(
    admin_client, stash
):
    adopt(STRICT)

    answer = gallery(admin_client, include_crops=True).json()

    assert answer["performers"] == []
    assert answer["uncertain"]
    for one in answer["uncertain"]:
        assert one["candidates"]
        assert one["image_count"] == len(one["image_ids"]) > 0
        assert one["crop"].startswith("data:image/jpeg;base64,")


def test_a_performer_of_a_gallery_is_rejected_by_number(admin_client, stash):
    one = gallery(admin_client).json()["performers"][0]

    response = post(
        admin_client,
        "/identify/corrections",
        kind="gallery",
        stash_id=int(GALLERY),
        person_id=one["person_id"],
        verdict="reject",
        universal_id=one["universal_id"],
    )

    assert response.status_code == 201
    answer = gallery(admin_client).json()
    assert one["universal_id"] not in {
        each["universal_id"] for each in answer["performers"]
    }


def test_each_face_of_an_image_has_the_number_of_what_is_kept(admin_client, stash):
    image_id = standalone(stash, 1)

    answer = image(admin_client, image_id).json()

    assert (answer["fingerprint_saved"], answer["fingerprint_error"]) == (True, None)
    people, _ = kept(admin_client, "image", image_id)
    assert len(answer["faces"]) == len(people)
    for face in answer["faces"]:
        (seen,) = people[face["person_id"]]["faces"]
        assert seen["box"] == pytest.approx(face["box"], abs=1e-3)
