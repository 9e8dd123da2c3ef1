"""STASH_URL, and Stash's own addresses as reached from here."""

import pytest

from stashsense.integrations.stash_address import parse_stash_url
from stashsense.integrations.stash_errors import StashNotConfigured


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://stash:9999", "http://stash:9999"),
        (" http://stash:9999/ ", "http://stash:9999"),
        ("https://home.example/stash/", "https://home.example/stash"),
        ("http://stash:9999/graphql", "http://stash:9999"),
        ("http://[::1]:9999", "http://[::1]:9999"),
        ("http://stash:9999/?apikey=secret#x", "http://stash:9999"),
        ("http://me:pass@stash:9999", "http://stash:9999"),
    ],
)
def test_the_root_is_what_all_addresses_begin_with(url, root):
    address = parse_stash_url(url)

    assert address.root == root
    assert address.graphql_url == f"{root}/graphql"
    assert "pass" not in repr(address)


@pytest.mark.parametrize("url", ["", "  "])
def test_no_address_says_what_to_set(url):
    with pytest.raises(StashNotConfigured, match="STASH_URL is not set: set it to"):
        parse_stash_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "stash:9999",
        "stash",
        "ftp://stash",
        "http://",
        "http://:9999",
        "http://u:secret@stash:port",
        "http://stash:99999",
        "http://stash:0",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url):
    with pytest.raises(StashNotConfigured, match="http://stash:9999") as error:
        parse_stash_url(url)

    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "root",
    ["http://stash:9999", "https://home.example/stash", "http://proxy/image"],
)
@pytest.mark.parametrize(
    "prefix",
    [
        "http://stash:9999",  # asked directly
        "https://stash.example",  # external_host
        "https://other.example/media/stash",  # external_host with a path
        "http://home.example/stash",  # X-Forwarded-Prefix
        "",
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/scene/12/stream",
        "/scene/12/screenshot?t=1767319445",
        "/scene/0123456789abcdef_sprite.jpg",
        "/scene/_sprite.jpg",
        "/image/12/image?t=1",
        "/image/12/thumbnail?t=1",
        "/performer/7/image?t=1&default=true",
        "/gallery/3/preview/0",
    ],
)
def test_whatever_is_before_the_path_gives_way_to_stash_url(root, prefix, path):
    assert parse_stash_url(root).rebased(prefix + path) == root + path


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?apikey=secret", ""),
        ("?apikey=secret&resolution=LOW", "?resolution=LOW"),
        ("?start=5&APIKEY=secret", "?start=5"),
        ("?a=1&api%6bey=secret&b=%20+x&c", "?a=1&b=%20+x&c"),
        ("?myapikey=1", "?myapikey=1"),
    ],
)
def test_the_key_is_taken_out_of_an_address_and_the_rest_kept(query, kept):
    address = parse_stash_url("http://stash:9999")

    rebased = address.rebased(f"http://x/scene/12/stream{query}")

    assert rebased == f"http://stash:9999/scene/12/stream{kept}"
