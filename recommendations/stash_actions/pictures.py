"""Pictures that are given to Stash: its own ones of another row, and stash-boxes'."""

import base64

from django.conf import settings

from stashsense.exceptions import StashSenseError
from stashsense.integrations.safe_fetch import fetch_public
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import StashNotFound

# Of pictures of performers, which are rarely larger than 2 MB.
MAX_PICTURE_BYTES = 20_000_000
_STASH_SECONDS = 30
# Nobody waits longer for a picture, and the rest is done without it.
_UPSTREAM_SECONDS = 15
_ANY_KIND = "application/octet-stream"
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}


def find_stash_picture(
    client: StashClient, url: str | None, *, is_own: bool = False
) -> str | None:
    """Return a picture that Stash serves as a data URL; None for its placeholder.

    Of a row that has its own it is none, whatever it is: what Stash keeps, it takes.
    Raises StashError, and of its kinds StashMediaTooLarge.
    """
    if url is None:
        return None
    try:
        media = client.fetch_media(
            url, max_bytes=MAX_PICTURE_BYTES, timeout_seconds=_STASH_SECONDS
        )
    except StashNotFound:
        return None
    if media.is_placeholder and not is_own:
        return None
    kind = _kind_of(media.data) or media.content_type
    return _data_url(kind if "/" in kind else _ANY_KIND, media.data)


def find_upstream_picture(url: str) -> tuple[str | None, str]:
    """Return a stash-box's picture as a data URL, or None and why there is none."""
    try:
        data = fetch_public(
            url,
            max_bytes=MAX_PICTURE_BYTES,
            timeout_seconds=_UPSTREAM_SECONDS,
            allowed_hosts=settings.ALLOWED_IMAGE_HOSTS,
        )
    except StashSenseError as exc:
        return None, str(exc)
    kind = _kind_of(data)
    if kind is None:
        return None, "It is no picture that Stash can show."
    return _data_url(kind, data), ""


def _kind_of(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next(
        (kind for start, kind in _SIGNATURES.items() if data.startswith(start)), None
    )


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
