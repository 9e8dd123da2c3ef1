"""Who changed what over the API."""

import pytest
from django.test import Client

from stashsense import audit
from stashsense.api.authentication import api_key
from stashsense.audit import ApiChange
from stashsense.tests.signing import SigningClient

pytestmark = pytest.mark.django_db
SETTING = "/settings/num_frames"
JSON = "application/json"


@pytest.fixture(autouse=True)
def _key(settings):
    settings.API_KEY = "right-key"
    api_key.cache_clear()
    yield
    api_key.cache_clear()


def with_key(method, path, body=None):
    return Client().generic(
        method,
        path,
        body or "",
        content_type=JSON,
        headers={"X-Api-Key": "right-key", "X-Request-Id": "abc"},
    )


def test_whoever_changes_something_is_kept(admin_client, admin_user):
    with_key("PUT", SETTING, '{"value": 40}')
    SigningClient().put(SETTING, '{"value": 41}', content_type=JSON)
    admin_client.put(SETTING, {"value": 42}, content_type=JSON)
    with_key("DELETE", SETTING)

    rows = [*ApiChange.objects.order_by("pk")]

    assert [(row.caller, row.user, row.method) for row in rows] == [
        ("key", None, "PUT"),
        ("plugin", None, "PUT"),
        ("user", admin_user, "PUT"),
        ("key", None, "DELETE"),
    ]
    assert {(row.path, row.status, row.address) for row in rows} == {
        (SETTING, 200, "127.0.0.1")
    }
    assert rows[0].request_id == "abc"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/settings", None),
        ("POST", "/identify", "{}"),
        ("POST", "/nothing", "{}"),
    ],
)
def test_what_changes_nothing_is_not(method, path, body):
    with_key(method, path, body)

    assert not ApiChange.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", SETTING, '{"value": "many"}', 422),
        ("PUT", SETTING, "{", 400),
        ("POST", "/recommendations/7/dismiss", "{}", 404),
        ("POST", "/identify/scene", '{"scene_id": "7"}', 503),
        ("DELETE", "/settings", None, 405),
    ],
)
def test_what_failed_is_kept_with_its_status(method, path, body, status):
    with_key(method, path, body)

    row = ApiChange.objects.get()
    assert (row.caller, row.path, row.status) == ("key", path, status)


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong-key"}])
def test_strangers_leave_no_rows(headers):
    Client().put(SETTING, '{"value": 40}', content_type=JSON, headers=headers)

    assert not ApiChange.objects.exists()


def test_where_everybody_may_what_failed_is_kept_of_nobody(settings):
    settings.AUTHENTICATION = "off"

    Client().put(SETTING, '{"value": "many"}', content_type=JSON)

    assert ApiChange.objects.get().caller == "nobody"


def test_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(audit, "KEPT_ROWS", 3)
    monkeypatch.setattr(audit, "_PRUNE_EVERY", 1)

    for value in range(30, 36):
        with_key("PUT", SETTING, f'{{"value": {value}}}')

    assert ApiChange.objects.count() == 3


def test_nobody_edits_them_in_the_admin(admin_client):
    with_key("PUT", SETTING, '{"value": 40}')
    row = ApiChange.objects.get()

    listed = admin_client.get("/admin/stashsense/apichange/")
    added = admin_client.get("/admin/stashsense/apichange/add/")
    deleted = admin_client.post(f"/admin/stashsense/apichange/{row.pk}/delete/")

    assert SETTING in listed.content.decode()
    assert (added.status_code, deleted.status_code) == (403, 403)
    assert ApiChange.objects.exists()
