"""Which database and which cache are used, from two addresses.

Both may hold passwords, so what is wrong with one is told without what was found.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

# Failures of so many addresses, and what django-q2 tells of itself.
_REMEMBERED_ENTRIES = 10_000
# Another machine answers within milliseconds or is not there.
_POSTGRESQL = {
    "connect_timeout": 10,
    # A host that lost its power is noticed within a minute, here and there: it may have
    # held what all wait for.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 "
    "-c tcp_keepalives_count=3",
}
_CACHE_SECONDS = 2
_KEY_PREFIX = "stash-sense"
SQLITE = "django.db.backends.sqlite3"
REDIS = "django.core.cache.backends.redis.RedisCache"


def database(url: str | None, *, sqlite_path: Path) -> dict[str, Any]:
    """Return how Django reaches the database: PostgreSQL, or SQLite without `url`."""
    if url is None:
        return _sqlite(sqlite_path)
    expected = "postgres://user:password@host:5432/name"
    parsed: dict[str, Any] = _understood(
        "DATABASE_URL", url, expected, dj_database_url.parse
    )
    if urlsplit(url).scheme not in {"postgres", "postgresql"} or not parsed["NAME"]:
        raise _misunderstood("DATABASE_URL", expected)
    return parsed | {
        # Threads of gunicorn live long and hold their connection.
        "CONN_MAX_AGE": None,
        # The server may have been started anew since the last request.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _POSTGRESQL | parsed.get("OPTIONS", {}),
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": SQLITE,
        "NAME": path,
        "OPTIONS": {
            # A deferred transaction that turns to writing fails at once when another
            # writer is active; an immediate one waits for its turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=NORMAL;"
                "PRAGMA journal_size_limit=67108864;"
            ),
        },
        "CONN_MAX_AGE": None,
    }


def cache(url: str | None) -> dict[str, Any]:
    """Return how Django reaches the cache: Redis, or each process's own memory."""
    if url is None:
        # Not in the database: django-q2 writes its state here twice a second.
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": _REMEMBERED_ENTRIES},
        }
    expected = "redis://:password@host:6379/0 (or rediss:// for TLS)"
    parts = _understood("REDIS_URL", url, expected, urlsplit)
    number = parts.path.strip("/")
    if (
        parts.scheme not in {"redis", "rediss"}
        or not parts.hostname
        or (number and not number.isdecimal())
    ):
        raise _misunderstood("REDIS_URL", expected)
    return {
        "BACKEND": REDIS,
        "LOCATION": url,
        "KEY_PREFIX": _KEY_PREFIX,
        "OPTIONS": {
            "socket_connect_timeout": _CACHE_SECONDS,
            "socket_timeout": _CACHE_SECONDS,
        },
    }


def _understood(name: str, url: str, expected: str, parse: Callable[[str], Any]) -> Any:
    try:
        parsed = parse(url)
        # Ports are only looked at when they are asked for.
        _ = urlsplit(url).port
    except ValueError:
        raise _misunderstood(name, expected) from None
    return parsed


def _misunderstood(name: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} must be an address such as {expected}; what it is is not shown, for "
        "it may hold a password. Special characters of a password are written as %40."
    )
