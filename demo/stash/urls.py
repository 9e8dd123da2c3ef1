"""Addresses of a performer or studio, by the one list and by the fields before it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLError

from demo.stash.library import Performer

LEGACY = ("url", "twitter", "instagram")
_HOSTS = {
    "twitter.com": "twitter",
    "x.com": "twitter",
    "instagram.com": "instagram",
}


def legacy_url(urls: Sequence[str], field: str) -> str | None:
    """Return the first address that belongs into an old field."""
    return next((url for url in urls if _field_of(url) == field), None)


def with_legacy_urls(row: Any, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the list that old fields of an input make of the row's, if they are in."""
    named = [field for field in LEGACY if field in given]
    if not named:
        return {}
    if "urls" in given:
        raise GraphQLError(f"{named[0]} field must not be included if urls is included")
    if not isinstance(row, Performer):
        return {"urls": [given["url"]] if given["url"] else []}
    urls = list(row.urls)
    for field in named:
        old = legacy_url(urls, field)
        place = urls.index(old) if old is not None else len(urls)
        urls[place : place + 1] = [given[field]] if given[field] else []
    return {"urls": urls}


def _field_of(url: str) -> str:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return _HOSTS.get(host, "url")
