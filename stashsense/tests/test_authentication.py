"""Who may use the REST API."""

import pytest
from django.test import Client
from django.urls import reverse

from stashsense.api.authentication import api_key

pytestmark = pytest.mark.django_db

CLOSED_ROUTES = [
    "/database/info",
    "/health/ffmpeg",
    "/health/rate-limiter",
    "/openapi.json",
]
PAGES = ["/", "/docs"]


@pytest.fixture
def _key(settings):
    settings.API_KEY = "right-key"
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.mark.parametrize("path", CLOSED_ROUTES)
def test_a_stranger_is_told_what_to_send(client, path):
    response = client.get(path)

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer right-key"},
        {"Authorization": "bearer right-key"},
        {"X-Api-Key": "right-key"},
    ],
)
def test_the_key_opens_every_route(client, headers):
    for path in [*CLOSED_ROUTES, "/docs"]:
        assert client.get(path, headers=headers).status_code == 200


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong-key"},
        {"Authorization": "Bearer "},
        {"X-Api-Key": "right-key2"},
        {"X-Api-Key": "ключ"},
        {"Authorization": "Basic cmlnaHQta2V5"},
    ],
)
def test_anything_else_is_refused(client, headers):
    assert client.get("/database/info", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/health"])
def test_health_is_open(client, path):
    assert client.get(path).status_code == 200


def test_a_signed_in_person_of_the_staff_may_read(admin_client):
    assert admin_client.get("/database/info").status_code == 200


def test_a_signed_in_person_without_staff_rights_may_not(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest"))

    assert client.get("/database/info").status_code == 403
    assert client.get("/").status_code == 403


def test_a_session_without_csrf_token_may_not_write(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    response = client.post("/identify", {"image_base64": ""})

    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]


def test_authentication_can_be_switched_off_and_health_says_so(client, settings):
    settings.AUTHENTICATION = "off"

    assert client.get("/database/info").status_code == 200
    assert client.get("/").status_code == 200
    health = client.get("/health").json()
    assert health["authentication"] == "off"
    assert "anybody" in health["warnings"][0]


def test_without_a_key_in_the_environment_one_is_made_and_kept(settings, tmp_path):
    settings.API_KEY = None
    settings.API_KEY_PATH = tmp_path / "new" / "api_key"
    api_key.cache_clear()

    key = api_key()

    assert len(key) >= 40
    assert settings.API_KEY_PATH.read_text().strip() == key
    assert settings.API_KEY_PATH.stat().st_mode & 0o777 == 0o600
    api_key.cache_clear()
    assert api_key() == key
    api_key.cache_clear()


@pytest.mark.usefixtures("_key")
def test_the_admin_shows_the_key_to_superusers_alone(admin_client, django_user_model):
    url = reverse("admin:api-key")

    assert b"right-key" in admin_client.get(url).content

    helper = django_user_model.objects.create_user("helper", is_staff=True)
    client = Client()
    client.force_login(helper)
    response = client.get(url)
    assert response.status_code == 403
    assert b"right-key" not in response.content


@pytest.mark.parametrize("path", PAGES)
def test_pages_send_strangers_to_the_sign_in_page(client, path):
    response = client.get(path)

    assert response.status_code == 302
    assert response.headers["Location"] == f"/admin/login/?next={path}"
