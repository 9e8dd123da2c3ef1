"""Reading the predecessor's SQLite database. No Django, and nothing is written to it.

What is open is one moment of the file, whoever writes to it meanwhile.
"""

import contextlib
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recommendations.exceptions import PredecessorUnreadable

KNOWN_VERSION = 9
# Whoever writes to it holds it for milliseconds, or keeps it.
PATIENCE_SECONDS = 5.0
# The predecessor's details of a scene with hundreds of files are under a megabyte.
MAX_ROW_BYTES = 64 * 1024 * 1024

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
# Where the header says which journal is kept, and what it says of a write-ahead log.
_JOURNAL_AT, _WRITE_AHEAD = 18, 2

Row = dict[str, Any]


class Source:
    """The predecessor's tables as they are at one moment."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._columns: dict[str, list[str]] = {}
        found = self._ask("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        # What another program computes when it is read is no table of the predecessor.
        self.tables = sorted(
            name
            for name, sql in found
            if not name.startswith("sqlite_")
            and not str(sql).upper().startswith("CREATE VIRTUAL")
        )
        self.version = self._find_version()

    def columns(self, table: str) -> list[str]:
        """Return the names of the table's columns; none where there is no table."""
        if table not in self.tables:
            return []
        if table not in self._columns:
            asked = f"PRAGMA table_info({_quoted(table)})"
            self._columns[table] = [row[1] for row in self._ask(asked)]
        return self._columns[table]

    def count(self, table: str) -> int:
        """Return how many rows the table has; 0 where there is no table."""
        if table not in self.tables:
            return 0
        return int(next(self._ask(f"SELECT count(*) FROM {_quoted(table)}"))[0])

    def rows(
        self, table: str, wanted: Sequence[str], *, order: str = ""
    ) -> Iterator[Row]:
        """Yield the table's rows in that order, with None for what it does not have.

        A column with a minus before its name orders from the last to the first.

        An older version lacks columns or the table, which then has no rows.
        """
        there = self.columns(table)
        if not there:
            return
        column = order.removeprefix("-")
        by = f" ORDER BY {_quoted(column)}" if column in there else ""
        by += " DESC" if by and order.startswith("-") else ""
        listed = ", ".join(_quoted(n) if n in there else "NULL" for n in wanted)
        for row in self._ask(f"SELECT {listed} FROM {_quoted(table)}{by}"):
            yield dict(zip(wanted, row, strict=True))

    def find(
        self, table: str, wanted: Sequence[str], where: dict[str, Any]
    ) -> Row | None:
        """Return the first row in which all of `where` is so, or None."""
        there = self.columns(table)
        if not set(where) <= set(there):
            return None
        listed = ", ".join(_quoted(n) if n in there else "NULL" for n in wanted)
        matches = " AND ".join(f"{_quoted(name)} = ?" for name in where)
        found = self._ask(
            f"SELECT {listed} FROM {_quoted(table)} WHERE {matches} LIMIT 1",
            tuple(where.values()),
        )
        row = next(found, None)
        return None if row is None else dict(zip(wanted, row, strict=True))

    def _find_version(self) -> int:
        if not {"schema_version", "recommendations"} <= {*self.tables}:
            known = "django_migrations" in self.tables
            whose = " It is this service's own." if known else ""
            raise PredecessorUnreadable(
                f"{self._path} is a database, but not of the predecessor.{whose}"
            )
        found = [row["version"] for row in self.rows("schema_version", ["version"])]
        if not found or not all(isinstance(each, int) for each in found):
            raise PredecessorUnreadable(
                f"{self._path} does not say which version its tables have."
            )
        version: int = max(found)
        if version > KNOWN_VERSION:
            raise PredecessorUnreadable(
                f"{self._path} has tables of version {version}; up to version "
                f"{KNOWN_VERSION} is known here."
            )
        return version

    def _ask(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
        with _errors_as_ours(self._path):
            yield from self._connection.execute(query, values)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open the predecessor's database until the block ends.

    Raises PredecessorUnreadable. The file, and what SQLite keeps beside it, stay as
    they are; what is not in the file yet is read too, from a copy.
    """
    with contextlib.ExitStack() as stack:
        try:
            connection = _connected_to_one_moment(path, stack)
        except OSError as error:
            raise PredecessorUnreadable(
                f"{path} cannot be read: {error.strerror}."
            ) from error
        yield Source(connection, path)


def _connected_to_one_moment(
    path: Path, stack: contextlib.ExitStack
) -> sqlite3.Connection:
    real = path.resolve()
    has_log = _has_write_ahead_log(real, path)
    if has_log and _is_filled(_beside(real, "-wal")):
        manner = _connected(stack.enter_context(_copied(real, "-wal")), "rw")
    elif has_log:
        # Nothing but the file is to be read; SQLite would begin a log beside it.
        manner = _connected(real, "ro&immutable=1")
    elif _is_cut_off(real, path):
        manner = _connected(stack.enter_context(_copied(real, "-journal")), "rw")
    else:
        manner = _connected(real, "ro")
    connection = stack.enter_context(manner)
    with _errors_as_ours(path):
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN")
        # The moment is that of the first look.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _has_write_ahead_log(real: Path, path: Path) -> bool:
    mode = real.stat().st_mode
    if stat.S_ISDIR(mode):
        raise PredecessorUnreadable(
            f"{path} is a folder; the database in it is called stash_sense.db, or "
            "predecessor.db once this service has used the folder."
        )
    if not stat.S_ISREG(mode):
        raise PredecessorUnreadable(f"{path} is no file.")
    with real.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise PredecessorUnreadable(f"{path} is no SQLite database.")
    return header[_JOURNAL_AT] == _WRITE_AHEAD


def _is_cut_off(real: Path, path: Path) -> bool:
    """Return whether a write has to be taken back that a process died at."""
    if not _is_filled(_beside(real, "-journal")):
        return False
    with _connected(real, "ro") as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            if error.sqlite_errorname == "SQLITE_READONLY_ROLLBACK":
                return True
            raise _as_ours(error, path) from error
    return False


@contextlib.contextmanager
def _copied(real: Path, suffix: str) -> Iterator[Path]:
    """Copy the database with what lies beside it; a writer meanwhile is found out."""
    parts = (real, _beside(real, suffix))
    with tempfile.TemporaryDirectory(prefix="stash-sense-import-") as folder:
        copy = Path(folder, "copy.db")
        before = [_stamp(part) for part in parts]
        shutil.copyfile(parts[0], copy)
        shutil.copyfile(parts[1], _beside(copy, suffix))
        if before != [_stamp(part) for part in parts]:
            raise PredecessorUnreadable(
                f"{real} is being written to; end the predecessor first."
            )
        yield copy


@contextlib.contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"{path.as_uri()}?mode={mode}"
    with _errors_as_ours(path):
        connection = sqlite3.connect(
            address, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None
        )
    with contextlib.closing(connection):
        # Whatever bytes there are: one bad text is no reason to give up the others.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES)
        yield connection


@contextlib.contextmanager
def _errors_as_ours(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _as_ours(error, path) from error


def _as_ours(error: sqlite3.Error, path: Path) -> PredecessorUnreadable:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return PredecessorUnreadable(
            f"{path} is locked by whoever writes to it; end the predecessor first."
        )
    if "unsafe use of" in str(error):
        # The predecessor's tables compute nothing; this service's check their JSON.
        return PredecessorUnreadable(
            f"{path} is a database, but not of the predecessor. It may be this "
            "service's own."
        )
    return PredecessorUnreadable(f"{path} cannot be read: {error}.")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
