"""Every route, asked by everybody: each is answered as the API description says."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import URLPattern, get_resolver
from django_q.models import OrmQ
from rest_framework.permissions import SAFE_METHODS

from stashsense.api.authentication import api_key
from stashsense.tests.signing import signed

ROOT = Path(__file__).resolve().parent.parent.parent
PATHS = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
OPEN = {"/health"}
KEY = "the-key-of-the-service"
STASH_KEY = "the-key-of-a-stash"
# For people: a stranger is sent to the sign-in page.
PAGES = {"/", "/docs", "/status"}
NOT_DESCRIBED = PAGES | {"/openapi.json", "/favicon.ico"}
# Nothing of these names is there, so that whoever is let in changes nothing.
NO_SUCH = {"integer": "987654321", "string": "987654321"}
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """A method of a route, with a path that can be asked."""

    method: str
    path: str
    declared: frozenset[int]

    @property
    def is_open(self):
        return self.path in OPEN

    @property
    def changes_something(self):
        return self.method not in SAFE_METHODS


def operations():
    """Return every method of every route of the description."""
    for path, methods in PATHS.items():
        for method, described in methods.items():
            if method not in METHODS:
                continue
            filled = path
            for parameter in described.get("parameters", []):
                if parameter["in"] == "path":
                    value = NO_SUCH[parameter["schema"]["type"]]
                    filled = filled.replace(f"{{{parameter['name']}}}", value)
            statuses = frozenset(map(int, described["responses"]))
            yield Operation(method.upper(), filled, statuses)


ALL = [*operations()]


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.API_KEY, settings.STASH_API_KEY = KEY, STASH_KEY
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.fixture
def owner(django_user_model):
    """Return who may do everything; without a password, which takes long to make."""
    return django_user_model.objects.create(
        username="owner", is_staff=True, is_superuser=True
    )


def ask(operation, *, client=None, headers=None):
    client = client or Client()
    body = {"data": "{}", "content_type": "application/json"}
    return client.generic(operation.method, operation.path, **body, headers=headers)


def with_signature(operation, key):
    return signed(key, operation.method, operation.path, b"{}")


def signed_in(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def with_token(client):
    token = secrets.token_urlsafe(24)[:32].replace("-", "a").replace("_", "b")
    client.cookies[django_settings.CSRF_COOKIE_NAME] = token
    return {"X-CSRFToken": token}


def told(response):
    """Return the status, and the code where it is a refusal."""
    if response.status_code < 400:
        return response.status_code, None
    body = response.json()
    assert body["detail"]
    return response.status_code, body["code"]


def routes(resolver=None, prefix="/"):
    """Return every route, as it is written."""
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from routes(each, route)


def shape(path):
    """Return a route or a described path, whatever its parameters are called."""
    without_names = re.sub(r"\(\?P<[^)]*\)|<[^>]*>|\{[^}]*\}", "{}", path)
    return without_names.replace("^", "").removesuffix("$")


def admin_paths():
    """Return a path for each route of the admin; of what it names nothing is there."""
    written = (route for route in routes() if route.startswith("/admin/"))
    return {shape(route).replace("{}", NO_SUCH["integer"]) for route in written}


ADMIN = admin_paths() | {"/admin/recognition/"}
SIGN_IN, SIGN_OUT = "/admin/login/", "/admin/logout/"
# For whoever may enter at all, without further permissions.
OF_ALL_STAFF = {
    *["/admin/", "/admin/jsi18n/", "/admin/password_change/"],
    "/admin/password_change/done/",
}


def answers_of_the_admin(method, client, *, headers=None, without=(SIGN_IN,)):
    """Return what a caller is answered everywhere in the admin, by path."""
    answers = {}
    for path in sorted(ADMIN - {*without}):
        response = ask(
            Operation(method, path, frozenset()), client=client, headers=headers
        )
        answers[path] = response.status_code, response.headers.get("Location", "")
    return answers


def those_not(answers, expected):
    """Return the answers that are something else than `expected` tells for the path."""
    return {
        path: answer for path, answer in answers.items() if answer != expected(path)
    }


def to_sign_in(path):
    # Whom nobody knows need not sign out.
    return 302, "/admin/" if path == SIGN_OUT else f"{SIGN_IN}?next={path}"


def test_every_route_is_described_or_a_page():
    unknown = {
        route
        for route in {*routes()} - NOT_DESCRIBED
        if not route.startswith("/admin/")
        and shape(route) not in {shape(path) for path in PATHS}
    }

    assert len(ALL) > 100
    assert unknown == set()


@pytest.mark.django_db
@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.method + each.path)
class TestOperation:
    def test_strangers_are_refused(self, operation):
        nobody = told(ask(operation))
        wrong_key = told(ask(operation, headers={"X-Api-Key": "wrong"}))
        wrong_bearer = told(ask(operation, headers={"Authorization": "Bearer wrong"}))
        signature = told(
            ask(operation, headers=with_signature(operation, "another key"))
        )

        if operation.is_open:
            assert {nobody, wrong_key, wrong_bearer, signature} == {(200, None)}
        else:
            assert nobody == (401, "not_authenticated")
            assert {wrong_key, wrong_bearer} == {(401, "wrong_api_key")}
            assert signature == (401, "wrong_signature")
            assert 401 in operation.declared

    def test_whoever_has_a_key_is_let_in(self, operation):
        answers = [
            told(ask(operation, headers={"X-Api-Key": KEY})),
            told(ask(operation, headers={"Authorization": f"Bearer {KEY}"})),
            told(ask(operation, headers=with_signature(operation, STASH_KEY))),
        ]

        assert {status for status, _ in answers} <= operation.declared - {401, 403}

    def test_a_session_is_let_in_with_a_token_alone(self, operation, owner):
        client = signed_in(owner)

        without = told(ask(operation, client=client))
        having = told(ask(operation, client=client, headers=with_token(client)))

        assert having[0] in operation.declared - {401, 403}
        if operation.changes_something:
            assert without == (403, "permission_denied")
            assert 403 in operation.declared
        else:
            assert without == having

    def test_who_may_not_decide_is_refused(self, operation, django_user_model):
        guest = signed_in(django_user_model.objects.create(username="guest"))

        answer = told(ask(operation, client=guest, headers=with_token(guest)))

        if not operation.is_open:
            assert answer == (403, "permission_denied")

    def test_other_methods_are_refused(self, operation):
        unknown = Operation("PATCH", operation.path, frozenset())

        response = ask(unknown, headers={"X-Api-Key": KEY})

        assert told(response) == (405, "method_not_allowed")
        assert operation.method in response.headers["Allow"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(PAGES))
def test_pages_are_for_the_staff(path, admin_client, client, django_user_model):
    guest = signed_in(django_user_model.objects.create_user("guest"))

    assert admin_client.get(path).status_code == 200
    assert client.get(path).headers["Location"] == f"/admin/login/?next={path}"
    assert guest.get(path).status_code == 403


@pytest.mark.django_db
class TestAdmin:
    def test_every_page_and_button_is_asked(self):
        own = {
            "/admin/api-key/",
            "/admin/auth/user/add/",
            "/admin/recognition/peoplegroup/",
            "/admin/recognition/peoplegroup/regroup/",
            "/admin/dbupdates/databaserelease/check/",
        }

        assert own <= ADMIN
        assert len(ADMIN) > 150

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("who", ["a stranger", "no staff"])
    def test_whoever_is_no_staff_is_sent_to_sign_in(
        self, method, who, django_user_model
    ):
        client = Client(enforce_csrf_checks=True)
        if who == "no staff":
            client = signed_in(django_user_model.objects.create(username="guest"))

        answers = answers_of_the_admin(method, client, headers=with_token(client))

        assert those_not(answers, to_sign_in) == {}

    def test_nothing_is_sent_without_a_token(self, owner):
        answers = answers_of_the_admin("POST", signed_in(owner), without=())
        by_strangers = answers_of_the_admin(
            "POST", Client(enforce_csrf_checks=True), without=()
        )

        assert those_not(answers, lambda path: (403, "")) == {}
        assert those_not(by_strangers, lambda path: (403, "")) == {}

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_staff_without_a_permission_sees_and_does_nothing(
        self, method, django_user_model
    ):
        helper = django_user_model.objects.create(username="helper", is_staff=True)
        client = signed_in(helper)

        # Who has signed out would be a stranger at the next path.
        answers = answers_of_the_admin(
            method,
            client,
            headers=with_token(client),
            without={SIGN_IN, SIGN_OUT, *OF_ALL_STAFF},
        )

        # What is not there leads to where something is.
        statuses = {302, 403, 404, 405}
        assert {
            path: answer
            for path, answer in answers.items()
            if answer[0] not in statuses
        } == {}
        assert not LogEntry.objects.exists()
        assert not OrmQ.objects.exists()
