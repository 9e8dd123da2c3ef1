"""What is refused before anything is read of it, and in which words."""

import logging
import socket

import pytest
from django.db import OperationalError, connection
from django.test import Client

from stashsense.api.authentication import api_key
from stashsense.observability.logs import FIELDS
from stashsense.tests.test_serve import Service
from stashsense.tests.waiting import wait_until

LOGGER = "stashsense.observability.middleware"
EVIL = "http://evil.example"
CHANGING = ["/models/download-all", "/identify/rematch-library", "/unknown/regroup"]


class Unread:
    """A body that must not be looked at."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = read


@pytest.fixture
def _key(settings):
    settings.API_KEY = "right-key"
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.fixture
def logged(caplog):
    """Return the code of each request's line, after it was written."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    return lambda: [
        getattr(record, FIELDS)["code"]
        for record in caplog.records
        if record.name == LOGGER
    ]


def send(path, *, length, kind="multipart/form-data; boundary=x", **extra):
    client = Client(enforce_csrf_checks=True)
    client.cookies["stash_sense_csrf"] = 32 * "a"
    body = {"CONTENT_LENGTH": length, "CONTENT_TYPE": kind, "wsgi.input": Unread()}
    return client.generic("POST", path, **body, **extra)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/admin/login/", "500001"),
        ("/admin/login/", "300000000"),
        ("/", "500001"),
        ("/no/such/path", "500001"),
        ("/identify", "45000001"),
        ("/identify", "9" * 5000),
        ("/identify", "many"),
    ],
)
def test_a_large_body_is_refused_before_it_is_read(logged, path, length):
    response = send(path, length=length)

    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"
    assert logged() == ["body_too_large"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/identify", "/identify/url"])
def test_a_body_in_chunks_is_refused_as_one_without_length(logged, path):
    response = send(path, length="", HTTP_TRANSFER_ENCODING="chunked")

    assert response.status_code == 411
    assert response.json()["code"] == "length_required"
    assert logged() == ["length_required"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_key")
def test_a_body_as_large_as_a_picture_may_be_goes_on_to_the_api():
    response = send("/identify", length="45000000", headers={"X-Api-Key": "wrong"})

    assert response.status_code == 401


@pytest.fixture
def open_service(settings):
    settings.AUTHENTICATION = "off"
    settings.ALLOWED_HOSTS = ["*", "listens.example", "127.0.0.1", "localhost", "[::1]"]


def post(path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().post(path, headers=named)


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://[::"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://testserver", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://testserver:8080", "Sec_Fetch_Site": "same-site"},
    ],
)
def test_without_authentication_pages_of_others_change_nothing(logged, path, headers):
    response = post(path, **headers)

    assert response.status_code == 403
    assert response.json()["code"] == "cross_site"
    assert logged() == ["cross_site"]


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://testserver"},
        {"Origin": "https://sense.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "https://a.home.example"},
    ],
)
def test_without_authentication_programs_and_our_own_pages_are_answered(
    settings, headers
):
    settings.CSRF_TRUSTED_ORIGINS = ["https://sense.example", "https://*.home.example"]

    assert post("/identify", **headers).json()["code"] == "no_picture"


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
def test_without_authentication_pages_of_others_may_still_link_here():
    response = Client().get("/health", headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
@pytest.mark.parametrize("path", ["/health", "/queue", "/", "/no/such/path"])
@pytest.mark.parametrize(
    "host",
    [
        *["evil.example", "evil.example:5000", "EVIL.example.", "a.b.evil.example"],
        *[
            "192.0.2.7.evil.example",
            "evil.notlocal",
            "notlocal.example",
            "local.example",
        ],
        *["127.1", "0x7f.0.0.1", "xlan.example", "home.arpa.example"],
    ],
)
def test_without_authentication_names_that_others_could_own_are_refused(
    logged, path, host
):
    response = Client().get(path, headers={"Host": host})

    assert response.status_code == 400
    assert response.json()["code"] == "wrong_host"
    assert "STASH_SENSE_ALLOWED_HOSTS" in response.json()["detail"]
    assert logged() == ["wrong_host"]


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
@pytest.mark.parametrize(
    "host",
    [
        *["192.168.1.5", "192.168.1.5:5000", "[fd00::7]:5000", "localhost:5000"],
        *["nas", "stash-sense:5000", "nas.local", "NAS.lan:5000", "nas.home.arpa"],
        *["sense.lab.internal", "nas.local.", "listens.example"],
    ],
)
def test_without_authentication_names_of_a_network_at_home_are_answered(host):
    assert Client().get("/queue", headers={"Host": host}).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("open_service")
def test_without_authentication_names_that_are_given_are_the_ones(settings):
    settings.ARE_HOSTS_GIVEN = True
    settings.ALLOWED_HOSTS = [".home.example", "localhost"]

    hosts = ["sense.home.example", "localhost", "evil.example", "nas.local"]
    answers = [Client().get("/queue", headers={"Host": host}) for host in hosts]

    assert [each.status_code for each in answers] == [200, 200, 400, 400]


@pytest.mark.django_db
def test_with_authentication_any_name_will_do(settings):
    settings.ALLOWED_HOSTS = ["*"]
    headers = {"Host": "sense.example", "X-Api-Key": api_key()}

    assert Client().get("/queue", headers=headers).status_code == 200


@pytest.mark.django_db
def test_with_authentication_the_key_is_what_counts():
    headers = {"Origin": EVIL, "Sec_Fetch_Site": "cross-site", "X_Api_Key": api_key()}

    assert post("/identify", **headers).json()["code"] == "no_picture"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health", "/queue", "/admin/", "/no/such/path"])
def test_a_wrong_host_is_told_so_in_json_and_in_the_log(settings, logged, path):
    settings.ALLOWED_HOSTS = ["sense.example"]

    response = Client().get(path, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["code"] == "wrong_host"
    assert logged() == ["wrong_host"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    "path",
    ["/identify/jobs/%00", "/admin/login/?next=%00", "/?a=%00", "/%00"],
)
def test_what_no_database_keeps_is_refused_in_addresses(logged, path):
    response = Client().get(path, headers={"X_Api_Key": "right-key"})

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert logged() == ["bad_request"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["stash_sense_session", "stash_sense_csrf"])
def test_what_no_database_keeps_is_refused_in_cookies(logged, name):
    response = Client().get("/", headers={"Cookie": f'{name}="aaaaaaaa\\000"'})

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_with_a_code(logged):
    client = Client(enforce_csrf_checks=True)

    page = client.post("/admin/login/", {"username": "owner"})
    other = client.post("/", {"a": "b"})

    assert (page.status_code, other.status_code) == (403, 403)
    assert page["Content-Type"].startswith("text/html")
    assert other.json()["code"] == "csrf_failed"
    assert logged() == ["csrf_failed", "csrf_failed"]


@pytest.mark.django_db
def test_what_is_not_there_and_mistakes_of_ours_have_their_code_in_the_log(
    logged, monkeypatch
):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr("recognition.registry.state", fail)
    client = Client(raise_request_exception=False)

    told = [client.get(path).json()["code"] for path in ("/no/such/path", "/health")]

    assert told == ["no_route", "error"]
    assert logged() == told


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/queue", "/admin/login/"])
def test_a_database_that_is_away_is_told_as_what_passes(logged, path):
    def away(*_):
        raise OperationalError("the connection is closed")

    client = Client(raise_request_exception=False)
    cookie = "stash_sense_session=aaaaaaaaaaaaaaaa"
    with connection.execute_wrapper(away):
        response = client.get(path, headers={"Cookie": cookie})

    assert response.status_code == 503
    assert response.json()["code"] == "database_unavailable"
    assert logged() == ["database_unavailable"]


@pytest.mark.django_db
def test_a_page_of_the_admin_that_one_may_not_see_has_its_code_in_the_log(
    django_user_model, logged
):
    client = Client()
    client.force_login(
        django_user_model.objects.create(username="helper", is_staff=True)
    )

    response = client.get("/admin/auth/user/")

    assert response.status_code == 403
    assert logged() == ["permission_denied"]


def answered(port, sent):
    """Send the words, and read until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent.replace("\n", "\r\n").encode())
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    return answer


@pytest.mark.service
def test_files_of_strangers_take_no_room(tmp_path):
    rooms = tmp_path / "room"
    rooms.mkdir()
    service = Service(tmp_path / "data", TMPDIR=str(rooms), WEB_THREADS="2")
    head = (
        "POST /admin/login/ HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n"
        f"Cookie: stash_sense_csrf={32 * 'a'}\n"
        "Content-Type: multipart/form-data; boundary=x\n"
    )
    part = '--x\nContent-Disposition: form-data; name="a"; filename="b"\n\n'
    try:
        service.wait_until_ready()
        wait_until(service.is_healthy, within=30)
        before = sorted(rooms.rglob("*.upload*"))

        large = answered(
            service.port, f"{head}Content-Length: 300000000\n\n{part}" + 100_000 * "x"
        )
        chunked = answered(
            service.port,
            f"{head}Transfer-Encoding: chunked\n\n5\nhello\n0\n\n",
        )

        assert large.startswith(b"HTTP/1.1 413 ")
        assert b"body_too_large" in large
        assert chunked.startswith(b"HTTP/1.1 411 ")
        assert before == sorted(rooms.rglob("*.upload*")) == []
        assert service.is_healthy()
    finally:
        service.kill()
