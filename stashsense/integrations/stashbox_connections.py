"""The stash-boxes that Stash is configured with, and this process's clients of them.

Stash is asked again after a minute, and at once after it failed to answer, so that it
may be started after us. Each box has one client here, and one limit on this machine.
"""

import hashlib
import os
import re
import threading
import time
from pathlib import Path

from django.conf import settings

from stashsense.integrations.rate_limiter import RateLimiterFigures
from stashsense.integrations.shared_rate_limiter import SharedRateLimiter
from stashsense.integrations.stash import configured_client
from stashsense.integrations.stash_types import StashBoxConnection
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_errors import UnknownStashBox

# Stash's own, for where its configuration says 0 or is too old to say anything.
DEFAULT_REQUESTS_PER_MINUTE = 240
LIMITS_DIR_NAME = "rate_limits"
# A box added in Stash is there after so long, without anybody's pressing a button.
_KNOWN_SECONDS = 60

_lock = threading.Lock()
_known: tuple[tuple[str, str], float, tuple[StashBoxConnection, ...]] | None = None
_clients: dict[str, tuple[str, StashBoxClient]] = {}


def connections() -> tuple[StashBoxConnection, ...]:
    """Return Stash's stash-boxes, in its order, as of a minute ago at most.

    Those without a key are among them. Raises StashError.
    """
    known = _known
    if known is None or known[0] != _stash():
        return refresh()
    is_fresh = time.monotonic() - known[1] < _KNOWN_SECONDS
    return known[2] if is_fresh else refresh()


def refresh() -> tuple[StashBoxConnection, ...]:
    """Ask Stash for its stash-boxes now; raises StashError, and then asks next time."""
    global _known
    stash = _stash()
    _known = None
    found: dict[str, StashBoxConnection] = {}
    for connection in configured_client().get_stash_box_connections():
        earlier = found.get(connection.endpoint)
        if earlier is None or not earlier.is_usable:
            found[connection.endpoint] = connection
    _known = stash, time.monotonic(), tuple(found.values())
    return _known[2]


def find_connection(name_or_url: str) -> StashBoxConnection | None:
    """Return the stash-box of that address, domain or name in Stash, in this order."""
    wanted = name_or_url.strip().rstrip("/").casefold()
    boxes = connections()
    for matches in (
        lambda box: box.endpoint.rstrip("/").casefold() == wanted,
        lambda box: box.domain == wanted,
        lambda box: box.name.casefold() == wanted,
    ):
        # Of two with one domain, the one that can be asked.
        found = sorted(filter(matches, boxes), key=lambda box: not box.is_usable)
        if found:
            return found[0]
    return None


def get_connection(name_or_url: str) -> StashBoxConnection:
    """Return the same; raises UnknownStashBox where Stash has none of that name."""
    connection = find_connection(name_or_url)
    if connection is None:
        raise UnknownStashBox(
            f"Stash is not configured with a stash-box {name_or_url[:200]!a}."
        )
    return connection


def client_for(name_or_url: str) -> StashBoxClient:
    """Return this process's client of a stash-box, at the rate that Stash is set to.

    Raises UnknownStashBox where Stash has no such box, or no key for it; StashError.
    """
    connection = get_connection(name_or_url)
    rate = max(connection.max_requests_per_minute or 0, 0)
    rate = rate or DEFAULT_REQUESTS_PER_MINUTE
    with _lock:
        key, client = _clients.get(connection.endpoint, ("", None))
        if client is None or key != connection.api_key:
            client = StashBoxClient(
                connection.endpoint,
                connection.api_key,
                name=connection.name or connection.domain,
                limiter=SharedRateLimiter(_limit_path(connection), rate),
            )
            _clients[connection.endpoint] = connection.api_key, client
        client.limiter.requests_per_minute = rate
        return client


def rate_limiter_figures() -> dict[str, RateLimiterFigures]:
    """Return what this process has asked, by the endpoints that it has asked."""
    with _lock:
        clients = dict(_clients)
    return {
        endpoint: client.rate_limiter_figures()
        for endpoint, (_, client) in clients.items()
    }


def forget() -> None:
    """Have Stash asked anew, and clients made anew, by the next who needs them."""
    global _known, _lock
    _known, _lock = None, threading.Lock()
    _clients.clear()


# A forked process makes its own: two must not speak on one connection.
os.register_at_fork(after_in_child=forget)


def _stash() -> tuple[str, str]:
    return settings.STASH_URL, settings.STASH_API_KEY or ""


def _limit_path(connection: StashBoxConnection) -> Path:
    """Return the file that the processes of this machine share for a box."""
    readable = re.sub(r"[^a-z0-9.-]", "-", connection.domain)[:60]
    digest = hashlib.sha256(connection.endpoint.encode()).hexdigest()[:12]
    return Path(settings.DATA_DIR / LIMITS_DIR_NAME / f"{readable}-{digest}")
