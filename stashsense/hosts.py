"""Which host this is, where several work on one database.

A host is a data folder: what lies in one is there for the processes on it alone. Its id
lies in it, too, so that it outlives the names that containers are given.
"""

from django.conf import settings
from django.db import connection

from stashsense.keys import read_or_create

ID_LENGTH = 12


def are_many() -> bool:
    """Return whether rows may speak of files and processes of other hosts."""
    return connection.vendor != "sqlite"


def own_id() -> str:
    """Return what rows know this host by."""
    return read_or_create(settings.DATA_DIR / "host_id")[:ID_LENGTH]
