"""What a release feed answers, in the manner of GitHub's API; nothing is kept here.

The feed is a JSON list of releases, or one release. Whatever in it is no release of
the database is passed over: drafts, pre-releases, tags that are no versions.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from django.utils import timezone

from dbupdates.exceptions import FeedError
from dbupdates.versions import Version, parse_version

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
# For all of the answer; a feed that drips must not hold a web thread.
ANSWER_SECONDS = 20.0
# A hundred releases with long notes are under 1 MB.
MAX_ANSWER_BYTES = 8 * 1024**2
MAX_NOTES = 20_000
# What we wait when a feed says "later" and not when; GitHub's own limit is an hour.
CLOSED_SECONDS = 600
MAX_CLOSED_SECONDS = 2 * 3600

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)
_HEADERS = {"User-Agent": "stash-sense", "Accept": "application/json"}


@dataclass(frozen=True)
class PublishedRelease:
    """A release as the feed describes it; `archive_url` is "" when it has no zip.

    `archive_bytes` is 0 and `archive_sha256` "" where the feed does not say.
    """

    version: Version
    title: str
    notes: str
    published_at: datetime | None
    archive_url: str = ""
    archive_bytes: int = 0
    archive_sha256: str = ""


@dataclass(frozen=True)
class FeedAnswer:
    """What the feed lists, the newest version first; None when nothing has changed."""

    releases: tuple[PublishedRelease, ...] | None
    etag: str


def fetch_feed(url: str, *, etag: str = "") -> FeedAnswer:
    """Ask the feed, on the condition that it changed since `etag`; or FeedError."""
    headers = _HEADERS | ({"If-None-Match": etag} if etag else {})
    host = urlsplit(url).hostname or url
    try:
        with requests.get(
            url, headers=headers, timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True
        ) as response:
            if response.status_code == 304 and etag:
                return FeedAnswer(None, etag)
            _require_success(response, host)
            body = _read(response, host)
    except requests.RequestException as exc:
        raise FeedError(f"{host} could not be asked: {_reason(exc)}.") from exc
    releases = parse_feed(body, is_secure=url.startswith("https:"))
    return FeedAnswer(releases, response.headers.get("ETag", "")[:255])


def parse_feed(body: bytes, *, is_secure: bool) -> tuple[PublishedRelease, ...]:
    """Return the releases of the database in an answer, the newest version first.

    With `is_secure`, an archive at an address without TLS counts as none.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise FeedError(f"The feed's answer is no JSON: {str(exc)[:100]}") from exc
    entries = content if isinstance(content, list) else [content]
    if not all(isinstance(entry, dict) and "tag_name" in entry for entry in entries):
        raise FeedError("The feed's answer is no list of releases.")
    found = {
        release.version: release
        for entry in entries
        for release in _releases_in(entry, is_secure=is_secure)
    }
    return tuple(found[version] for version in sorted(found, reverse=True))


def _releases_in(
    entry: Mapping[str, Any], *, is_secure: bool
) -> Iterator[PublishedRelease]:
    if entry.get("draft") or entry.get("prerelease"):
        return
    try:
        version = parse_version(_text(entry["tag_name"]))
    except ValueError:
        return
    if version.is_prerelease:
        return
    yield PublishedRelease(
        version=version,
        title=_text(entry.get("name"))[:255],
        notes=_text(entry.get("body"))[:MAX_NOTES],
        published_at=_time(entry.get("published_at")),
        **_archive(entry.get("assets"), is_secure=is_secure),
    )


def _archive(assets: Any, *, is_secure: bool) -> dict[str, Any]:
    """Return what is known of the first zip; nothing where there is none."""
    for asset in assets if isinstance(assets, list) else []:
        if not isinstance(asset, dict):
            continue
        url, size = _text(asset.get("browser_download_url")), asset.get("size")
        schemes = {"https"} if is_secure else {"http", "https"}
        if (
            not _text(asset.get("name")).lower().endswith(".zip")
            or urlsplit(url).scheme not in schemes
            or len(url) > 2048
            # Being uploaded at this moment.
            or asset.get("state", "uploaded") != "uploaded"
        ):
            continue
        digest = _DIGEST.fullmatch(_text(asset.get("digest")))
        return {
            "archive_url": url,
            "archive_bytes": size if type(size) is int and size > 0 else 0,
            "archive_sha256": digest[1].lower() if digest else "",
        }
    return {}


def _text(value: Any) -> str:
    # A zero byte is text in JSON and none in a database.
    return value.replace("\0", "") if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _read(response: requests.Response, host: str) -> bytes:
    until = time.monotonic() + ANSWER_SECONDS
    body = b""
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise FeedError(f"{host} answers with more than {MAX_ANSWER_BYTES} bytes.")
        if time.monotonic() > until:
            raise FeedError(f"{host} took more than {ANSWER_SECONDS:.0f} s to answer.")
    return body


def _require_success(response: requests.Response, host: str) -> None:
    status = response.status_code
    if status == 200:
        return
    headers = response.headers
    is_exhausted = headers.get("X-RateLimit-Remaining") == "0"
    if status == 429 or (status == 403 and (is_exhausted or "Retry-After" in headers)):
        until = _closed_until(headers)
        raise FeedError(
            f"{host} answers no more questions before "
            f"{timezone.localtime(until):%H:%M} (status {status}, rate limit).",
            closed_until=until,
        )
    raise FeedError(f"{host} answered with status {status}.")


def _closed_until(headers: Mapping[str, str]) -> datetime:
    """Return when to ask again, within bounds whatever the headers say."""
    now = timezone.now()
    moment = now + timedelta(seconds=CLOSED_SECONDS)
    wait, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    try:
        if wait.isdecimal():
            moment = now + timedelta(seconds=int(wait))
        elif wait:
            moment = parsedate_to_datetime(wait)
        elif reset.isdecimal():
            moment = datetime.fromtimestamp(int(reset), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment, now), now + timedelta(seconds=MAX_CLOSED_SECONDS))


def _reason(error: requests.RequestException) -> str:
    """Return a few words for people; the error itself repeats whole addresses."""
    if isinstance(error, requests.exceptions.SSLError):
        return "it cannot prove by TLS that it is that host"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "there is no connection to it"
    return type(error).__name__
