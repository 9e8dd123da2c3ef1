"""Settings over the API."""

import pytest
from django.contrib.admin.models import LogEntry
from rest_framework.test import APIClient

from stashsense.api.authentication import api_key
from stashsense.preferences.models import Preference

pytestmark = pytest.mark.django_db

KEYS = {
    "performance": [
        "embedding_batch_size",
        "frame_extraction_concurrency",
        "detection_size",
        "idle_unload_seconds",
    ],
    "rate_limits": ["stash_api_rate"],
    "recognition": [
        "gpu_enabled",
        "num_frames",
        "face_candidates",
        "local_performers_enabled",
    ],
    "signals": ["body_signal_enabled", "tattoo_signal_enabled"],
    "recommendations": ["scene_fp_min_count", "scene_fp_min_percentage"],
}


@pytest.fixture
def client():
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    return client


def put(client, path, body):
    """Send the text as it is: JSON as Python's or JavaScript's writers make it."""
    return client.put(path, body, content_type="application/json")


def test_all_settings_are_listed_by_category(client):
    answer = client.get("/settings").json()

    assert answer["hardware_tier"] in {"cpu", "gpu-low", "gpu-high"}
    found = {name: [*shown["settings"]] for name, shown in answer["categories"].items()}
    assert found == KEYS
    orders = [shown["order"] for shown in answer["categories"].values()]
    assert orders == sorted(orders)
    shown = answer["categories"]["performance"]["settings"]["detection_size"]
    description = shown.pop("description")
    assert shown == {
        "value": 640,
        "default": 640,
        "is_override": False,
        "type": "int",
        "label": "Detection size",
        "applies": "live",
        "min": 160,
        "max": 1280,
        "multiple_of": 32,
    }
    assert "faces" in description


def test_one_is_stored_read_and_set_back(client):
    stored = put(client, "/settings/gpu_enabled", '{"value": "yes"}')
    assert stored.json() == {"key": "gpu_enabled", "value": True, "is_override": True}

    assert put(client, "/settings/face_candidates", '{"value": 50}').status_code == 200
    read = client.get("/settings/face_candidates").json()
    assert (read["key"], read["value"], read["default"]) == ("face_candidates", 50, 20)
    assert (read["type"], read["is_override"]) == ("int", True)

    reset = client.delete("/settings/face_candidates")
    assert reset.status_code == 200
    assert reset.json() == {"key": "face_candidates", "value": 20, "is_override": False}
    assert client.get("/settings/face_candidates").json()["value"] == 20


@pytest.mark.parametrize("key", ["nothing", "Gpu_Enabled", "endpoint-nothing", "a b"])
def test_a_setting_there_is_not_is_not_found(client, key):
    path = f"/settings/{key}"
    answers = [client.get(path), put(client, path, '{"value": 1}'), client.delete(path)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {type(answer.json()["detail"]) for answer in answers} == {str}


@pytest.mark.parametrize(
    "value",
    ["null", "[]", "[5]", "{}", "true", "NaN", "Infinity", "-Infinity", "1e999",
     '"nan"', '""', '"many"', "9", "201", "30.5", "1" * 400, "-1e400"],
)  # fmt: skip
def test_what_a_number_cannot_be_is_refused(client, value):
    answer = put(client, "/settings/num_frames", f'{{"value": {value}}}')

    assert answer.status_code == 422
    assert not Preference.objects.exists()


@pytest.mark.parametrize("body", ["{}", "[]", '"x"', "null", '{"values": 1}'])
def test_a_body_without_a_value_is_refused(client, body):
    for path in ("/settings/num_frames", "/settings"):
        assert put(client, path, body).status_code == 422
    assert not Preference.objects.exists()


def test_what_is_no_json_is_refused(client):
    assert put(client, "/settings", '{"settings"').status_code == 400


def test_several_are_stored_at_once(client):
    answer = put(
        client,
        "/settings",
        '{"settings": {"num_frames": "90", "stash_api_rate": 2, "gpu_enabled": "1"}}',
    )

    assert answer.json() == {
        "stored": {"num_frames": 90, "stash_api_rate": 2.0, "gpu_enabled": True}
    }
    assert client.get("/settings/num_frames").json()["value"] == 90


def test_of_several_none_is_stored_when_one_is_refused(client):
    answer = put(
        client,
        "/settings",
        '{"settings": {"num_frames": 90, "gpu_enabled": null, "stash_api_rate": NaN,'
        ' "no_such": 1}}',
    )

    assert answer.status_code == 422
    assert {tuple(each["loc"]): each["msg"] for each in answer.json()["detail"]} == {
        ("body", "settings", "gpu_enabled"): "gpu_enabled must be true or false.",
        ("body", "settings", "stash_api_rate"): "stash_api_rate must be a number.",
        ("body", "settings", "no_such"): "There is no setting 'no_such'.",
    }
    assert not Preference.objects.exists()


def test_strangers_may_neither_read_nor_write():
    stranger = APIClient()

    for path in ("/settings", "/settings/num_frames", "/system/info", "/capabilities"):
        assert stranger.get(path).status_code == 401
    assert put(stranger, "/settings/num_frames", '{"value": 50}').status_code == 401
    assert stranger.delete("/settings/num_frames").status_code == 401


def test_a_change_by_a_person_is_logged_as_theirs(admin_user):
    client = APIClient()
    client.force_login(admin_user)

    put(client, "/settings/num_frames", '{"value": 50}')

    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_change_message()) == (admin_user, "Set to 50.")
