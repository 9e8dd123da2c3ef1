"""What is told of Stash and of people at stash-boxes."""

import pytest

from demo.stashbox.rows import BodyModification, BoxUrl
from stashsense.integrations import stashbox_connections

pytestmark = pytest.mark.django_db

STATUS = "/recommendations/stash/status"


@pytest.fixture
def box(stash, stashbox_server, settings, tmp_path):
    """The stand-in stash-box, by its rows."""
    settings.DATA_DIR = tmp_path
    stashbox_connections.forget()
    yield stashbox_server.box
    stashbox_connections.forget()


def test_a_stash_that_answers_is_connected(admin_client, stash):
    assert admin_client.get(STATUS).json() == {
        "connected": True,
        "url": stash.url,
        "error": None,
    }


def test_a_stash_that_does_not_answer_or_is_none_is_no_error(
    admin_client, stash, settings
):
    stash.go_down()
    down = admin_client.get(STATUS)
    settings.STASH_URL = ""
    none = admin_client.get(STATUS)

    assert (down.status_code, none.status_code) == (200, 200)
    assert (down.json()["connected"], down.json()["url"]) == (False, stash.url)
    assert down.json()["error"]
    assert (none.json()["connected"], none.json()["url"]) == (False, None)
    assert "STASH_URL" in none.json()["error"]


def test_a_password_in_the_address_of_stash_is_not_told(admin_client, stash, settings):
    settings.STASH_URL = stash.url.replace("http://", "http://me:secret@")

    assert b"secret" not in admin_client.get(STATUS).content


def test_a_scene_is_told_with_its_files(admin_client, stash):
    scene = next(iter(stash.library.scenes.values()))

    told = admin_client.get(f"/recommendations/scene/{scene.id}").json()

    assert (told["id"], told["title"]) == (scene.id, scene.title)
    assert [each["id"] for each in told["performers"]] == scene.performer_ids
    [file] = told["files"]
    assert file["duration"] > 0
    assert file["width"] > 0
    assert {each["type"] for each in file["fingerprints"]} >= {"oshash"}
    assert "screenshot" in told["paths"]["screenshot"]


@pytest.mark.parametrize(("scene_id", "status"), [("987654", 404), ("abc", 422)])
def test_a_scene_that_is_none_is_refused(admin_client, stash, scene_id, status):
    response = admin_client.get(f"/recommendations/scene/{scene_id}")

    assert response.status_code == status


def search(client, query):
    return client.post(
        "/stash/search-performers", {"query": query}, content_type="application/json"
    )


def test_performers_of_stash_are_searched(admin_client, stash):
    performer = next(iter(stash.library.performers.values()))

    found = search(admin_client, performer.name).json()

    assert [each["id"] for each in found] == [performer.id]
    assert {*found[0]} == {"id", "name", "disambiguation", "alias_list", "image_path"}
    assert search(admin_client, "").status_code == 422
    assert search(admin_client, "x" * 201).status_code == 422


def test_a_performer_of_a_box_is_told_in_the_words_of_stash(
    admin_client, box, stashbox_server
):
    performer = next(iter(box.performers.values()))
    performer.gender, performer.ethnicity = "FEMALE", "MIDDLE_EASTERN"
    performer.breast_type = "FAKE"
    performer.cup_size, performer.band_size = "C", 34
    performer.waist_size, performer.hip_size = None, 36
    performer.career_start_year, performer.career_end_year = 2015, None
    performer.tattoos = [
        BodyModification("Arm", "rose"),
        BodyModification("Back", ""),
    ]
    performer.urls = [BoxUrl("https://example.org/a", "Home")]

    response = admin_client.get(f"/stashbox/performer/Drawn box/{performer.id}")

    told = response.json()
    assert (told["name"], told["gender"]) == (performer.name, "FEMALE")
    assert told["ethnicity"] == "Middle Eastern"
    assert told["fake_tits"] == "Augmented"
    assert told["measurements"] == "34C--36"
    assert told["career_length"] == "2015-"
    assert told["tattoos"] == "Arm: rose; Back"
    assert told["urls"] == ["https://example.org/a"]
    assert (told["details"], told["weight"]) == (None, None)
    assert told["stash_ids"] == [
        {"endpoint": stashbox_server.endpoint, "stash_id": performer.id}
    ]


def test_whoever_was_merged_is_the_one_they_were_merged_into(admin_client, box):
    gone, kept = [*box.performers.values()][:2]
    gone.deleted, gone.merged_into_id = True, kept.id

    told = admin_client.get(f"/stashbox/performer/Drawn box/{gone.id}").json()

    assert told["name"] == kept.name
    assert told["stash_ids"][0]["stash_id"] == kept.id


def test_a_career_that_only_ends_has_no_length(admin_client, box):
    performer = next(iter(box.performers.values()))
    performer.career_start_year, performer.career_end_year = None, 2020

    told = admin_client.get(f"/stashbox/performer/Drawn box/{performer.id}").json()

    assert told["career_length"] is None


def test_unknown_boxes_and_people_are_refused(admin_client, box):
    gone = next(iter(box.performers.values()))
    gone.deleted = True
    paths = [
        "nowhere.example/5f0f0f0f-0000-4000-8000-000000000000",
        "Drawn box/5f0f0f0f-0000-4000-8000-000000000000",
        "Drawn box/not-an-id",
        f"Drawn box/{gone.id}",
    ]

    answers = [admin_client.get(f"/stashbox/performer/{path}") for path in paths]

    assert [each.status_code for each in answers] == [400, 404, 404, 404]


def test_a_box_that_fails_is_no_mistake_of_ours(admin_client, box, stashbox_server):
    performer = next(iter(box.performers.values()))
    stashbox_server.go_down()

    response = admin_client.get(f"/stashbox/performer/Drawn box/{performer.id}")

    assert response.status_code in (502, 503)
