"""What rows and the cache are kept in, as those in charge are told: no addresses."""

from django.conf import settings
from django.db import connection

from stashsense import engines

_DATABASES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def is_redis() -> bool:
    """Return whether all processes and hosts share one cache."""
    return bool(settings.CACHES["default"]["BACKEND"] == engines.REDIS)


def database_name() -> str:
    return _DATABASES[connection.vendor]


def cache_name() -> str:
    return "Redis" if is_redis() else "memory of each process"
