"""Files that Stash serves: pictures, sprites, what stands for those it lacks."""

import pytest

from stashsense.integrations.stash_errors import (
    StashError,
    StashMediaTooLarge,
    StashNotFound,
    StashUnreachable,
)
from stashsense.integrations.stash_transport import Patience
from stashsense.tests.stash_server import (
    KEY,
    Reply,
    data,
    drip,
    fetch,
    running_stash,
    scene,
)


@pytest.fixture
def server():
    with running_stash() as server:
        server.replies["Scene"] = data(findScene=scene())
        yield server


def test_a_file_comes_with_its_type(server):
    server.replies["/stash/scene/12/screenshot?t=1"] = Reply(
        b"jpeg", content_type="Image/JPEG; x=y"
    )

    media = fetch(server, "https://ext.example/scene/12/screenshot?t=1", path="/stash")

    assert (media.content_type, media.data) == ("image/jpeg", b"jpeg")
    assert not media.is_placeholder
    assert server.requests[-1].headers["ApiKey"] == KEY


def test_the_placeholder_for_a_missing_cover_is_told_apart(server):
    server.replies["/scene/12/screenshot"] = Reply(
        b"<svg/>", content_type="image/svg+xml"
    )

    assert fetch(server).is_placeholder


def test_a_file_that_is_not_there_is_not_found(server):
    with pytest.raises(StashNotFound, match=r"nothing at /scene/abc_sprite\.jpg"):
        fetch(server, "/scene/abc_sprite.jpg")


def test_a_file_is_taken_up_to_its_limit(server):
    server.replies["/scene/12/screenshot"] = Reply(b"x" * 1000)

    assert len(fetch(server, max_bytes=1000).data) == 1000
    with pytest.raises(StashMediaTooLarge, match="larger than 999 bytes"):
        fetch(server, max_bytes=999)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>a login page</html>", content_type="text/html; charset=utf-8"),
        Reply(b"", content_type="image/jpeg"),
        Reply(b"failed", 500, "text/plain"),
        Reply(b"part", 206, "image/jpeg"),
    ],
    ids=["page", "empty", "500", "206"],
)
def test_what_is_no_file_is_an_error(server, reply):
    server.replies["/scene/12/screenshot"] = reply

    with pytest.raises(StashError) as error:
        fetch(server)

    assert type(error.value) is StashError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "data:text/plain,x",
        "scene/12/screenshot",
        "/scene/../graphql",
        "/scene/%2e%2e/graphql",
        "http://[broken/scene/1",
    ],
)
def test_what_is_no_address_of_stashs_is_not_fetched(server, url):
    with pytest.raises(StashError, match="none of its own"):
        fetch(server, url)

    assert server.requests == []


def test_another_hosts_address_leads_to_stash_and_nowhere_else(server):
    with pytest.raises(StashNotFound):
        fetch(server, "http://169.254.169.254/latest/meta-data")

    assert server.operations == ["/latest/meta-data"]


def test_media_are_not_limited_and_questions_are(server):
    server.replies["/scene/12/screenshot"] = Reply(b"jpeg")
    client = server.client()

    client.get_scene(12)
    for _ in range(3):
        client.fetch_media("/scene/12/screenshot", max_bytes=9, timeout_seconds=9)

    assert client.rate_limiter_figures().total_requests == 2


def test_a_file_that_drips_is_left(server):
    server.replies["/scene/12/screenshot"] = lambda _: drip

    with pytest.raises(StashUnreachable, match="in time"):
        fetch(server, seconds=0.3)

    assert server.operations == ["/scene/12/screenshot"]


def test_repeating_takes_no_longer_than_a_file_may(server):
    server.replies["/scene/12/screenshot"] = Reply(status=503)

    # The first pause alone would be longer.
    with pytest.raises(StashUnreachable, match="status 503"):
        fetch(server, seconds=5, patience=Patience(first_delay_seconds=5))

    assert server.operations == ["/scene/12/screenshot"]
