"""Who reads rows to decide what to write, alone.

On SQLite a transaction that begins takes the one writer's place, and nobody else writes
until it ends. On PostgreSQL transactions run beside each other; there these blocks wait
for each other, and so read what was decided before them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def in_turn() -> Iterator[None]:
    """A transaction that no other one of these runs beside, on any host."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            _execute("SELECT pg_advisory_xact_lock(%s)", "transactions")
        yield


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Do something long outside of a transaction, while no other host does.

    On SQLite nothing waits: who uses its folder holds that already.
    """
    if connection.vendor != "postgresql":
        yield
        return
    _execute("SELECT pg_advisory_lock(%s)", what)
    try:
        yield
    finally:
        _execute("SELECT pg_advisory_unlock(%s)", what)


def _execute(statement: str, what: str) -> None:
    digest = hashlib.sha256(f"stash-sense {what}".encode()).digest()
    with connection.cursor() as cursor:
        # Locks are known by a number of 64 bits.
        cursor.execute(statement, [int.from_bytes(digest[:8], signed=True)])
