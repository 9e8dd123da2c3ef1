"""HTTP to a Stash that is down, refuses, lies or dawdles; and the key, which stays."""

import logging
import socket
import ssl
from pathlib import Path

import pytest

from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import (
    StashError,
    StashNotConfigured,
    StashUnauthorized,
    StashUnreachable,
)
from stashsense.integrations.stash_operations import Operation
from stashsense.integrations.stash_transport import Patience
from stashsense.tests.stash_server import (
    KEY,
    QUICK,
    Reply,
    ask_and_fail,
    data,
    drip,
    errors,
    fetch,
    running_stash,
    scene,
)

SET_TITLE = Operation(
    "SetTitle",
    "mutation SetTitle($input: SceneUpdateInput!) "
    "{ sceneUpdate(input: $input) { id } }",
)
CERTIFICATE = Path(__file__).parent / "tls" / "pictures.example.pem"


@pytest.fixture
def server():
    with running_stash() as server:
        server.replies["Scene"] = data(findScene=scene())
        yield server


# Headers


def test_a_question_carries_the_key_and_nothing_of_the_environment(
    server, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    server.client().get_scene(12)

    asked = server.requests[-1]
    assert (asked.method, asked.path) == ("POST", "/graphql")
    assert asked.headers.pop("Content-Length")
    assert asked.headers == {
        "Host": server.host,
        "User-Agent": "stash-sense",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "ApiKey": KEY,
    }


def test_without_a_key_there_is_no_header_for_it(server):
    client = server.client(api_key="")

    client.get_scene(12)

    assert client.media_headers == {}
    assert "ApiKey" not in server.requests[-1].headers


def test_readers_of_media_get_the_key_as_a_header(server):
    assert server.client().media_headers == {"ApiKey": KEY}


def test_a_password_in_the_address_becomes_a_header(server):
    client = StashClient(server.url.replace("//", "//me:s%40crets@"), patience=QUICK)

    found = client.get_scene(12)

    basic = {"Authorization": "Basic bWU6c0BjcmV0cw=="}
    assert basic.items() <= server.requests[-1].headers.items()
    assert client.media_headers == basic
    assert found.stream_url == f"{server.url}/scene/12/stream"


def test_cookies_of_stash_are_not_kept(server):
    server.replies["Version"].headers["Set-Cookie"] = "session=abc; Path=/"

    server.client().get_scene(12)

    assert "Cookie" not in server.requests[-1].headers


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(key):
    with pytest.raises(StashNotConfigured, match="STASH_API_KEY") as error:
        StashClient("http://stash:9999", key)

    assert key not in str(error.value)


def test_the_key_is_in_no_log_no_address_and_no_representation(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.replies["Scene"] = [Reply(status=503), data(findScene=scene())]
    client = server.client()

    found = client.get_scene(12)

    assert "asking again" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in f"{client!r}{vars(client)!r}{found!r}"
    assert all(KEY not in seen.path for seen in server.requests)


def test_a_key_that_stash_repeats_is_taken_out_of_its_message(server):
    server.replies["Scene"] = errors(f"no access with ApiKey {KEY}")

    message = ask_and_fail(server)

    assert message == "Stash refused Scene: no access with ApiKey [key]"


# Refusals


def test_a_wrong_key_is_said_to_be_wrong(server):
    server.replies["Version"] = Reply(b"unauthorized", 401, "text/plain")

    message = ask_and_fail(server, StashUnauthorized)

    assert server.host in message
    assert "STASH_API_KEY is wrong" in message
    assert server.operations == ["Version"]


def test_a_missing_key_is_said_to_be_missing(server):
    server.replies["Version"] = Reply(b"", 401, "text/plain")

    message = ask_and_fail(server, StashUnauthorized, api_key="")

    assert "STASH_API_KEY is not set" in message


def test_a_stash_that_refuses_everything_is_said_to(server):
    server.replies["Version"] = Reply(b"", 403, "text/plain")

    assert "(403)" in ask_and_fail(server, StashUnauthorized)


@pytest.mark.parametrize(
    "location", ["/login?returnURL=%2Fx", "https://sso.lan/login/"]
)
@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_redirect_to_a_login_page_is_not_followed_and_means_the_key(
    server, status, location
):
    page = Reply(b"<html>", status, "text/html", {"Location": location})
    server.replies["/scene/12/screenshot"] = page
    server.replies["/login?returnURL=%2Fx"] = Reply(b"<html>", 200, "text/html")

    with pytest.raises(StashUnauthorized, match="STASH_API_KEY"):
        fetch(server)

    assert server.operations == ["/scene/12/screenshot"]


def test_a_redirect_elsewhere_means_the_address(server):
    server.replies["Version"] = Reply(
        b"", 301, "text/html", {"Location": "https://stash.example/graphql"}
    )

    message = ask_and_fail(server)

    assert "redirects elsewhere: set STASH_URL" in message
    assert server.operations == ["Version"]


def test_a_version_that_answers_500_to_a_wrong_key_gets_a_hint_at_it(server):
    server.replies["Version"] = Reply(b"", 500, "text/plain")

    assert "check STASH_API_KEY" in ask_and_fail(server)
    assert "KEY" not in ask_and_fail(server, api_key="")


def test_validation_errors_are_told_in_stashs_words(server):
    message = 'Cannot query field "x" on type "Scene".'
    server.replies["Scene"] = errors(message, "Another.", status=422)

    assert ask_and_fail(server) == f"Stash refused Scene: {message}; Another."
    assert server.operations == ["Version", "Scene"]


def test_an_error_with_no_data_is_told_in_stashs_words(server):
    server.replies["Scene"] = errors("database is locked")

    assert ask_and_fail(server) == "Stash refused Scene: database is locked"


def test_an_error_beside_data_is_no_scene_that_is_missing(server):
    server.replies["Scene"] = errors("file vanished", answered={"findScene": None})

    assert ask_and_fail(server) == "Stash refused Scene: file vanished"


def test_a_long_message_is_cut_and_made_one_line(server):
    server.replies["Scene"] = errors("a\n\x1b[31mb\t" + "x" * 100_000)

    message = ask_and_fail(server)

    assert message.startswith("Stash refused Scene: a ?[31mb xxx")
    assert len(message) < 600


# Repeating


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_question_is_asked_again_while_stash_comes_up(server, status):
    server.replies["Scene"] = [
        Reply(status=status),
        Reply(status=status),
        data(findScene=scene()),
    ]

    assert server.client().get_scene(12).id == 12
    assert server.operations == ["Version", *["Scene"] * 3]


def test_a_question_is_asked_again_when_the_answer_breaks_off(server):
    server.replies["Scene"] = [
        Reply(b"x" * 1000, cut=True),
        lambda _: lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
        data(findScene=scene()),
    ]

    assert server.client().get_scene(12).id == 12
    assert server.operations == ["Version", *["Scene"] * 3]


def test_it_is_asked_three_times_and_then_said_to_be_out_of_reach(server):
    server.replies["Scene"] = Reply(status=502)

    message = ask_and_fail(server, StashUnreachable)

    assert server.host in message
    assert "answered with status 502" in message
    assert server.operations.count("Scene") == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=503),
        Reply(b"x" * 1000, cut=True),
        lambda _: lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
    ],
    ids=["503", "cut", "gone"],
)
def test_a_change_is_never_asked_for_twice(server, reply):
    server.replies["SetTitle"] = reply
    change = {"input": {"id": "12", "title": "New"}}

    with pytest.raises(StashUnreachable):
        server.client().execute(SET_TITLE, change)

    assert server.operations == ["Version", "SetTitle"]
    assert server.requests[-1].variables == change


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_an_answer_that_will_not_change_is_not_asked_for_again(server, status):
    server.replies["Scene"] = Reply(status=status)

    with pytest.raises(StashError):
        server.client().get_scene(12)

    assert server.operations == ["Version", "Scene"]


@pytest.mark.parametrize("value", ["3600", "9" * 400])
def test_where_it_is_to_wait_too_long_it_gives_up(server, value):
    server.replies["Scene"] = Reply(status=429, headers={"Retry-After": value})

    ask_and_fail(server, StashUnreachable)

    assert server.operations == ["Version", "Scene"]


@pytest.mark.parametrize("value", ["0", "soon", "-5", "9" * 5000])
def test_nonsense_about_when_to_ask_again_is_passed_over(server, value):
    again = Reply(status=503, headers={"Retry-After": value})
    server.replies["Scene"] = [again, data(findScene=scene())]

    assert server.client().get_scene(12).id == 12


# Out of reach


def test_a_stash_that_is_down_is_named_with_what_to_check():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(StashUnreachable) as error:
        StashClient(f"http://{host}", KEY, patience=QUICK).get_version()

    assert str(error.value) == (
        f"Stash at {host} cannot be reached: it refused the connection. Check that it "
        "runs and that STASH_URL leads to it from this machine."
    )


def test_a_name_that_does_not_exist_is_said_not_to():
    client = StashClient("http://stash.invalid:9999", KEY, patience=QUICK)

    with pytest.raises(StashUnreachable, match="a name that is not known"):
        client.get_version()


def test_a_certificate_of_nobody_we_trust_is_not_accepted(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    client = StashClient(f"https://{server.host}", KEY, patience=QUICK)

    with pytest.raises(StashUnreachable, match="TLS"):
        client.get_version()

    assert server.requests == []


def test_a_stash_that_never_answers_is_left_and_not_asked_again(server):
    server.replies["Version"] = lambda _: lambda handler: server.stopped.wait(30)

    message = ask_and_fail(
        server, StashUnreachable, patience=Patience(stall_seconds=0.2)
    )

    assert "did not answer in time" in message
    assert server.operations == ["Version"]


def test_an_answer_that_drips_is_left(server):
    server.replies["Version"] = lambda _: drip
    patience = Patience(stall_seconds=5, answer_seconds=0.3)

    message = ask_and_fail(server, StashUnreachable, patience=patience)

    assert "did not answer in time" in message
    assert server.operations == ["Version"]
