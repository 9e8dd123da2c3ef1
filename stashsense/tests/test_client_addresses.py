"""Who called, behind a proxy and beside it: in the log, the limits and the audit."""

import http.client
import urllib.parse
from contextlib import closing

import pytest

from stashsense.api.callers import FAILURES_PERMITTED
from stashsense.tests import databases
from stashsense.tests.test_serve import Service
from stashsense.tests.waiting import wait_until

# A socket on Linux may come from any address of the loopback network.
PROXY, SECOND_PROXY, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.9"
TRUSTED = f"{PROXY},{SECOND_PROXY}"
KEY = "key-of-this-test"
FORM = "application/x-www-form-urlencoded"
LOG_BOUND_SECONDS = 10

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service, told of two proxies."""
    service = Service(
        tmp_path_factory.mktemp("addresses") / "data",
        STASH_SENSE_TRUSTED_PROXIES=TRUSTED,
        STASH_SENSE_API_KEY=KEY,
    )
    yield service.wait_until_ready()
    service.kill()


def ask(service, path, *, sender, forwarded=(), method="GET", body=None, **headers):
    """Return the answer's status and headers; `forwarded` is a header line each."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", service.port, timeout=60, source_address=(sender, 0)
    )
    with closing(connection):
        connection.putrequest(method, path)
        for chain in forwarded:
            connection.putheader("X-Forwarded-For", chain)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers


def wrong_key(service, **asking):
    return ask(service, "/queue", X_Api_Key="wrong", **asking)[0]


def client_in_the_log(service, request_id):
    """Return the client that the line of the request names."""
    lines = wait_until(
        lambda: [line for line in service.lines if f" {request_id}: request" in line],
        within=LOG_BOUND_SECONDS,
    )
    return dict(word.split("=", 1) for word in lines[0].split() if "=" in word)[
        "client"
    ]


@pytest.mark.parametrize(
    ("sender", "forwarded", "client"),
    [
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["10.0.0.1, 198.51.100.2"], "198.51.100.2"),
        (PROXY, [f"198.51.100.3, {SECOND_PROXY}"], "198.51.100.3"),
        (PROXY, ["10.0.0.1", "198.51.100.4"], "198.51.100.4"),
        (PROXY, ["2001:db8:1:2::9"], "2001:db8:1:2::"),
        (PROXY, [f"198.51.100.5, {STRANGER}"], STRANGER),
        (PROXY, ["not an address"], PROXY),
        (PROXY, [], PROXY),
        (STRANGER, ["198.51.100.6"], STRANGER),
        (STRANGER, [f"198.51.100.6, {PROXY}"], STRANGER),
    ],
)
def test_the_log_tells_who_called_as_proxies_have_it(
    service, sender, forwarded, client
):
    _, headers = ask(service, "/health", sender=sender, forwarded=forwarded)

    assert client_in_the_log(service, headers["X-Request-Id"]) == client


def test_wrong_keys_count_for_whom_the_proxy_names(service):
    guesser, other = ["203.0.113.1"], ["203.0.113.2"]
    counted = [
        wrong_key(service, sender=PROXY, forwarded=guesser)
        for _ in range(FAILURES_PERMITTED)
    ]
    # What a guesser puts before it makes nobody else of them.
    forged = [f"203.0.113.99, {guesser[0]}"]

    assert counted == [401] * FAILURES_PERMITTED
    assert wrong_key(service, sender=PROXY, forwarded=forged) == 429
    assert wrong_key(service, sender=SECOND_PROXY, forwarded=guesser) == 429
    assert wrong_key(service, sender=PROXY, forwarded=other) == 401


def test_a_stranger_who_forges_addresses_is_counted_as_one(service):
    statuses = [
        wrong_key(service, sender=STRANGER, forwarded=[f"203.0.113.{n}, {PROXY}"])
        for n in range(FAILURES_PERMITTED + 1)
    ]

    assert statuses == [401] * FAILURES_PERMITTED + [429]
    # Nor is anybody held up in whose name it was tried.
    assert wrong_key(service, sender=PROXY, forwarded=["203.0.113.50"]) == 401


def test_changes_are_kept_with_the_address_of_who_made_them(service):
    for sender, forwarded in [(PROXY, "198.51.100.7"), (STRANGER, "198.51.100.8")]:
        status, _ = ask(
            service,
            "/settings/num_frames",
            sender=sender,
            forwarded=[forwarded],
            method="PUT",
            body=b'{"value": 40}',
            Content_Type="application/json",
            X_Api_Key=KEY,
        )
        assert status == 200

    kept = databases.rows(
        service.folder, "SELECT address FROM stashsense_apichange ORDER BY id"
    )

    assert [str(address) for (address,) in kept] == ["198.51.100.7", STRANGER]


def test_wrong_passwords_count_for_the_same_address(service):
    for sender in (PROXY, STRANGER):
        _, headers = ask(service, "/admin/login/", sender=sender)
        cookie = headers["Set-Cookie"].partition(";")[0]
        token = cookie.partition("=")[2]
        form = {"username": "a", "password": "b", "csrfmiddlewaretoken": token}
        status, _ = ask(
            service,
            "/admin/login/",
            sender=sender,
            forwarded=["198.51.100.9"],
            method="POST",
            body=urllib.parse.urlencode(form).encode(),
            Content_Type=FORM,
            Cookie=cookie,
        )
        assert status == 200

    tried = databases.rows(
        service.folder, "SELECT ip_address FROM axes_accessattempt ORDER BY id"
    )

    assert [str(address) for (address,) in tried] == ["198.51.100.9", STRANGER]
