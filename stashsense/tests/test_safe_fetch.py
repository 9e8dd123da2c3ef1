"""Fetching from addresses that strangers name: which are fetched, and how."""

import ssl
from pathlib import Path

import pytest

from stashsense.integrations.safe_fetch import FetchFailed, FetchRefused
from stashsense.tests.picture_server import (
    PICTURE,
    PUBLIC_ADDRESS,
    Handler,
    PictureServer,
    Wires,
    drip_body,
    fetch,
    fetch_from,
    running,
)

CERTIFICATE = Path(__file__).parent / "tls" / "pictures.example.pem"


@pytest.fixture
def server():
    with running(PictureServer()) as server:
        yield server


@pytest.fixture
def tls_server():
    server = PictureServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sni_callback = lambda _, name, __: server.names_asked_for.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


def trusting_the_certificate():
    return ssl.create_default_context(cafile=CERTIFICATE)


def test_what_the_address_answers_is_returned(server):
    server.pages["/picture?size=2"] = lambda handler: handler.answer(b"larger")

    assert fetch_from(server) == PICTURE
    assert fetch_from(server, "/picture?size=2#part") == b"larger"


def test_a_request_carries_nothing_of_ours(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    fetch_from(server)

    ((_, headers),) = server.requests
    assert headers == {
        "Host": server.host,
        "User-Agent": "stash-sense",
        "Accept-Encoding": "identity",
    }


def test_a_proxy_in_the_environment_is_ignored(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert fetch_from(server) == PICTURE


def test_a_public_host_is_fetched_from_the_address_that_was_judged(server):
    wires = Wires([PUBLIC_ADDRESS], leads_to=server)

    body = fetch("http://pictures.example/picture", network=wires.network())

    assert body == PICTURE
    assert wires.connected_to == [PUBLIC_ADDRESS]
    assert server.requests[0][1]["Host"] == "pictures.example"


def test_a_name_that_changes_its_answer_cannot_lead_inside(server):
    wires = Wires([PUBLIC_ADDRESS], ["127.0.0.1"], leads_to=server)

    fetch("http://rebinding.example/picture", network=wires.network())

    assert wires.asked_for == ["rebinding.example"]
    assert wires.connected_to == [PUBLIC_ADDRESS]


def test_a_name_that_changes_its_answer_is_judged_anew_at_a_redirect(server):
    server.redirect("/again", "http://rebinding.example/picture")
    wires = Wires([PUBLIC_ADDRESS], ["127.0.0.1"], leads_to=server)

    with pytest.raises(FetchRefused):
        fetch("http://rebinding.example/again", network=wires.network())

    assert [path for path, _ in server.requests] == ["/again"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:192.168.0.1"],
        ["fd00:ec2::254"],
        [PUBLIC_ADDRESS, "192.168.0.1"],
    ],
)
def test_a_name_that_is_not_wholly_public_is_refused(addresses):
    wires = Wires(addresses)

    with pytest.raises(FetchRefused, match="not a public address"):
        fetch("http://inside.example/picture", network=wires.network())

    assert wires.connected_to == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
    ],
)
def test_no_spelling_of_this_machine_gets_through(server, host):
    with pytest.raises((FetchRefused, FetchFailed)) as refusal:
        fetch(server.url(host=host))

    # A name that this machine's resolver does not know leads nowhere either.
    assert refusal.value.code == "address_refused" or "found" in str(refusal.value)
    assert server.requests == []


@pytest.mark.parametrize("host", ["stash.lan", "STASH.lan", "stash.lan."])
def test_an_allowed_host_may_be_anywhere(server, host):
    wires = Wires(["192.168.0.7"], leads_to=server)

    body = fetch(
        f"http://{host}:9999/picture",
        allowed_hosts=["Stash.lan:9999 "],
        network=wires.network(),
    )

    assert body == PICTURE
    assert wires.connected_to == ["192.168.0.7"]


def test_an_allowed_host_is_allowed_at_its_port_alone(server):
    port = server.server_port

    assert fetch(server.url(), allowed_hosts=[f"127.0.0.1:{port}"]) == PICTURE
    assert fetch(server.url(), allowed_hosts=["127.0.0.1"]) == PICTURE
    for others in ([], ["127.0.0.1:1"], ["127.0.0.2"], ["27.0.0.1"], [""]):
        with pytest.raises(FetchRefused):
            fetch(server.url(), allowed_hosts=others)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.jpg",
        "//pictures.example/a.jpg",
        "file:///etc/passwd",
        "ftp://pictures.example/a.jpg",
        "gopher://pictures.example/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http:///a.jpg",
        "http://",
        "http://pictures.example:99999/",
        "http://pictures.example\r\nHost: other/",
        "http://pictures .example/",
        "http://[::1/",
        "http://\0/",
    ],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(FetchRefused):
        fetch(url)


def test_an_address_with_a_password_is_refused_and_not_repeated(server):
    url = server.url().replace("http://", "http://somebody:hunter2@")

    with pytest.raises(FetchRefused) as refusal:
        fetch(url, allowed_hosts=[server.host])

    assert "hunter2" not in str(refusal.value)
    assert server.requests == []


def test_a_redirect_is_followed(server):
    server.redirect("/there", "/picture", status=301)
    server.redirect("/here", server.url("/there"), status=308)

    assert fetch_from(server, "/here") == PICTURE


def test_a_redirect_that_is_not_ascii_is_followed(server):
    server.pages["/portr%C3%A4t"] = Handler.answer
    server.redirect("/here", "/porträt".encode().decode("latin-1"))

    assert fetch_from(server, "/here") == PICTURE


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/picture",
        "http://127.0.0.1:1/picture",
        "//127.0.0.1:1/picture",
        "file:///etc/passwd",
        "http://somebody:hunter2@127.0.0.1:{port}/picture",
        "http://[::1/",
    ],
)
def test_a_redirect_is_judged_like_any_address(server, location):
    server.redirect("/here", location.format(port=server.server_port))

    with pytest.raises(FetchRefused):
        fetch_from(server, "/here")

    assert [path for path, _ in server.requests] == ["/here"]


def test_five_redirects_are_followed_and_no_more(server):
    for n in range(6):
        server.redirect(f"/{n}", f"/{n - 1}")
    server.pages["/0"] = Handler.answer

    assert fetch_from(server, "/5") == PICTURE
    server.redirect("/6", "/5")
    with pytest.raises(FetchFailed, match="more than 5"):
        fetch_from(server, "/6")


def test_a_redirect_to_nowhere_fails(server):
    server.redirect("/here", None)

    with pytest.raises(FetchFailed, match="nowhere"):
        fetch_from(server, "/here")


def test_under_tls_the_name_is_the_hosts_and_not_the_addresss(tls_server):
    wires = Wires([PUBLIC_ADDRESS], leads_to=tls_server)
    network = wires.network(tls_context=trusting_the_certificate)

    assert fetch("https://pictures.example/picture", network=network) == PICTURE
    assert tls_server.names_asked_for == ["pictures.example"]


def test_a_certificate_for_another_name_is_not_accepted(tls_server):
    wires = Wires([PUBLIC_ADDRESS], leads_to=tls_server)
    network = wires.network(tls_context=trusting_the_certificate)

    with pytest.raises(FetchFailed, match="TLS"):
        fetch("https://other.example/picture", network=network)

    assert tls_server.requests == []


def test_a_certificate_of_nobody_we_trust_is_not_accepted(tls_server):
    wires = Wires([PUBLIC_ADDRESS], leads_to=tls_server)

    with pytest.raises(FetchFailed, match="TLS"):
        fetch("https://pictures.example/picture", network=wires.network())

    assert tls_server.requests == []


def test_a_drip_under_tls_is_cut_off_too(tls_server):
    tls_server.pages["/slow"] = drip_body
    wires = Wires([PUBLIC_ADDRESS], leads_to=tls_server)
    network = wires.network(tls_context=trusting_the_certificate)

    with pytest.raises(FetchFailed, match="within 1 seconds"):
        fetch("https://pictures.example/slow", timeout_seconds=1, network=network)
