"""Whom we believe about who asks, and the path below which a proxy shows us."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from stashsense import env
from stashsense.proxies import BehindProxies

PROXY, CLIENT = "172.20.0.2", "198.51.100.7"
NETWORK = "172.16.0.0/12"


def passed_on(*, trusted=(), path="", **environ):
    """Return what the application behind got of this request."""
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        return []

    networks = [ip_network(network) for network in trusted]
    behind = BehindProxies(application, trusted=networks, path=path)
    behind({"PATH_INFO": "/", "REMOTE_ADDR": PROXY} | environ, lambda *_: bytes)
    return seen


def test_what_is_said_of_proxies_is_dropped_by_default():
    seen = passed_on(
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_FOR=CLIENT,
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_FORWARDED="proto=https",
        HTTP_X_REAL_IP=CLIENT,
        HTTP_HOST="sense.example.org",
    )

    assert seen == {
        "PATH_INFO": "/", "REMOTE_ADDR": PROXY, "HTTP_HOST": "sense.example.org"
    }  # fmt: skip


def test_a_trusted_proxy_is_believed():
    seen = passed_on(
        trusted=[NETWORK], HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR=CLIENT
    )

    assert seen["HTTP_X_FORWARDED_PROTO"] == "https"
    assert seen["REMOTE_ADDR"] == CLIENT


def test_somebody_beside_the_trusted_proxy_is_not_believed():
    seen = passed_on(
        trusted=[NETWORK],
        REMOTE_ADDR="192.0.2.9",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_FOR=CLIENT,
    )

    assert seen == {"PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.9"}


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("10.9.9.9, 198.51.100.7", CLIENT),
        ("10.9.9.9, 198.51.100.7, 172.20.0.9", CLIENT),
        ("172.20.0.8, 172.20.0.9", "172.20.0.8"),
        ("nonsense, 198.51.100.7", CLIENT),
        ("198.51.100.7, nonsense", PROXY),
        ("", PROXY),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_who_asks_is_the_last_one_who_is_no_trusted_proxy(forwarded, client):
    seen = passed_on(trusted=[NETWORK], HTTP_X_FORWARDED_FOR=forwarded)

    assert seen["REMOTE_ADDR"] == client


def test_a_proxy_is_known_when_a_socket_for_both_wrote_its_address():
    seen = passed_on(
        trusted=[NETWORK], REMOTE_ADDR=f"::ffff:{PROXY}", HTTP_X_FORWARDED_FOR=CLIENT
    )

    assert seen["REMOTE_ADDR"] == CLIENT


def test_everybody_s_address_is_written_as_that_of_one_machine():
    # By IPv6's networks all of IPv4 would be one client.
    assert passed_on(REMOTE_ADDR="::ffff:192.0.2.9")["REMOTE_ADDR"] == "192.0.2.9"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/sense/health", "/health"),
        ("/sense/", "/"),
        ("/sense", "/"),
        ("/health", "/health"),
        ("/senseless", "/senseless"),
        ("/other/sense/health", "/other/sense/health"),
    ],
)
def test_the_path_is_cut_off_where_the_proxy_has_not(asked, path):
    assert passed_on(path="/sense", PATH_INFO=asked)["PATH_INFO"] == path


def test_no_path_is_cut_off_by_default():
    assert passed_on(PATH_INFO="/sense/health")["PATH_INFO"] == "/sense/health"


@pytest.mark.parametrize(
    ("value", "path"),
    [("", ""), ("/", ""), ("/sense/", "/sense"), ("/a/b-c", "/a/b-c")],
)
def test_a_path_is_read_without_a_slash_at_its_end(monkeypatch, value, path):
    monkeypatch.setenv("NAME", value)

    assert env.path_prefix("NAME") == path


@pytest.mark.parametrize("value", ["sense", "//evil.example", "/a/../b", "/a b", "/ä"])
def test_what_is_no_path_of_ours_is_refused(monkeypatch, value):
    monkeypatch.setenv("NAME", value)

    with pytest.raises(
        ImproperlyConfigured, match="NAME must be a path such as /sense"
    ):
        env.path_prefix("NAME")


def test_networks_are_read_from_addresses_and_networks(monkeypatch):
    monkeypatch.setenv("NAME", "172.16.0.0/12, 10.0.0.1,::1")

    read = [str(network) for network in env.networks("NAME")]

    assert read == ["172.16.0.0/12", "10.0.0.1/32", "::1/128"]


@pytest.mark.parametrize("value", ["proxy", "*", "10.0.0.0/33", "10.0.0.1/8"])
def test_what_is_no_network_is_refused(monkeypatch, value):
    monkeypatch.setenv("NAME", value)

    with pytest.raises(
        ImproperlyConfigured, match="NAME must be addresses or networks"
    ):
        env.networks("NAME")
