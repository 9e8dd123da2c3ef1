"""What a release feed answers, in the manner of GitHub's API; nothing is kept here.

The feed is a JSON list of releases, or one release. Whatever in it is no release of
the database is passed over: drafts, pre-releases, tags that are no versions.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from dbupdates.exceptions import FeedError
from dbupdates.versions import Version, parse_version
from stashsense.downloads.exceptions import DownloadError
from stashsense.downloads.exchange import Answer, Broken, Exchange, Line

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
# For all of the answer; a feed that drips must not hold a web thread.
ANSWER_SECONDS = 20.0
# A hundred releases with long notes are under 1 MB.
MAX_ANSWER_BYTES = 8 * 1024**2
MAX_NOTES = 20_000
# A petabyte is nonsense, and more than that may not fit into a row.
MAX_ARCHIVE_BYTES = 10**15
# What we wait when a feed says "later" and not when; GitHub's own limit is an hour.
CLOSED_SECONDS = 600
MAX_CLOSED_SECONDS = 2 * 3600

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)
_HEADERS = {"Accept": "application/json"}


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
    until = time.monotonic() + ANSWER_SECONDS
    with Line(url, CONNECT_SECONDS, READ_SECONDS) as line:

        def check_time() -> None:
            if time.monotonic() > until:
                raise FeedError(
                    f"{line.host} took more than {ANSWER_SECONDS:.0f} s to answer."
                )

        try:
            with closing(line.ask(headers)) as exchange:
                answer = exchange.answer(check_time)
                if answer.status == 304 and etag:
                    return FeedAnswer(None, etag)
                _require_success(answer)
                body = _read(exchange, line.host, check_time)
        except Broken as exc:
            raise FeedError(f"{line.host} could not be asked: {exc}.") from exc
        except DownloadError as exc:
            raise FeedError(f"The feed cannot be read: {exc}") from exc
    releases = parse_feed(body, is_secure=url.startswith("https:"))
    return FeedAnswer(releases, answer.headers.get("ETag", "")[:255])


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
        if (
            not _text(asset.get("name")).lower().endswith(".zip")
            or not _is_usable(url, is_secure=is_secure)
            # Being uploaded at this moment.
            or asset.get("state", "uploaded") != "uploaded"
        ):
            continue
        digest = _DIGEST.fullmatch(_text(asset.get("digest")))
        return {
            "archive_url": url,
            "archive_bytes": (
                size if type(size) is int and 0 < size <= MAX_ARCHIVE_BYTES else 0
            ),
            "archive_sha256": digest[1].lower() if digest else "",
        }
    return {}


def _is_usable(url: str, *, is_secure: bool) -> bool:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme in ({"https"} if is_secure else {"http", "https"}) and len(url) < 2048


def _text(value: Any) -> str:
    # Zero bytes and halves of characters are text in JSON and none in a database.
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode(errors="replace").decode()


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _read(exchange: Exchange, host: str, check_time: Callable[[], None]) -> bytes:
    body = b""
    for chunk in exchange.chunks(check_time):
        check_time()
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise FeedError(f"{host} answers with more than {MAX_ANSWER_BYTES} bytes.")
    return body


def _require_success(answer: Answer) -> None:
    if answer.status == 200:
        return
    headers = answer.headers
    is_exhausted = headers.get("X-RateLimit-Remaining") == "0"
    if answer.status == 429 or (
        answer.status == 403 and (is_exhausted or "Retry-After" in headers)
    ):
        until = _closed_until(headers)
        raise FeedError(
            f"{answer.host} answers no more questions before "
            f"{timezone.localtime(until):%H:%M} (status {answer.status}, rate limit).",
            closed_until=until,
        )
    raise FeedError(f"{answer.host} answered with status {answer.status}.")


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
