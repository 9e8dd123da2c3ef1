"""What a data folder holds and who uses it, told without Django.

Every start asks; only a folder that lacks something, or has something left by processes
that died, has `manage.py prepare` run on it.
"""

import contextlib
import fcntl
import fnmatch
import hashlib
import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE_NAME = "stash_sense.db"
# Passwords' hashes, sessions, keys, and what was computed from faces; SQLite gives what
# it keeps beside a database that one's mode.
_PRIVATE = (
    *(f"{DATABASE_NAME}*", "predecessor*.db*", "api_key", "secret_key"),
    *("demo_stash_key", "crops", "fingerprints", "local"),
)
# All that the service and its commands put into it. Keys have another name while they
# are written.
_OURS = (
    *_PRIVATE,
    *(".*_key.*", ".host_id.*", "host_id", "serve.lock", "supervisord.pid"),
    *("releases", "staging", "models", "rate_limits", "metrics"),
    *("demo-pictures", "demo-stash"),
)
# By one of these a folder is known as Stash Sense's, or as its predecessor's.
_SIGNS = (DATABASE_NAME, "predecessor.db", "serve.lock", "face_*.voy")
# What file systems, and people's file managers, leave anywhere.
_OF_NOBODY = ("lost+found", ".DS_Store", "._*", "Thumbs.db", "desktop.ini")
# Of `dbupdates.models`; the stamp tells whether they are there.
_INSTALLED = """
    SELECT version FROM dbupdates_databaserelease
    WHERE status IN ('staged', 'active', 'retired')
"""
_UNENDED = "SELECT count(*) FROM dbupdates_updaterun WHERE ended_at IS NULL"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DataFolderUnusable(Exception):
    """The folder cannot be written, or another service uses it; nothing was changed."""


def write_for_owner_only() -> None:
    """Close whatever this process and its children write to all other users."""
    os.umask(_OTHERS)


def close_to_others(path: Path) -> None:
    """Take from all other users what former versions or a restored backup left open."""
    for pattern in _PRIVATE:
        for found in path.glob(pattern):
            mode = stat.S_IMODE(found.lstat().st_mode)
            if mode & _OTHERS and not found.is_symlink():
                # On a share, or somebody else's: they decide of it.
                with contextlib.suppress(OSError):
                    found.chmod(mode & ~_OTHERS)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Make the folder if need be, and hold it for one service until the block ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        lock = (path / "serve.lock").open("w")
    except OSError as error:
        raise DataFolderUnusable(
            f"Cannot write in the data folder {path}: {error.strerror}."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderUnusable(
                f"The data folder {path} is in use by another Stash Sense: "
                "end that one, or choose another with --data-dir."
            ) from None
        except OSError:
            # Some network file systems know no locks; nothing can be checked there.
            pass
        yield


def is_ours(name: str) -> bool:
    """Return whether the service itself puts something of this name into a folder."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _OURS)


def find_foreign(path: Path) -> str | None:
    """Return the name of something in a folder that is not ours; None if it may be.

    Some of ours may lie there before the first start: put there by people, mounted
    into it, restored in part, or made for a host whose database is elsewhere.
    """
    if any(found for sign in _SIGNS for found in path.glob(sign)):
        return None
    names = sorted(found.name for found in path.iterdir())
    return next(
        (name for name in names if not (is_ours(name) or _is_of_nobody(name))), None
    )


def _is_of_nobody(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _OF_NOBODY)


def has_release(path: Path) -> bool:
    """Return whether there is anything to serve, the predecessor's layout too."""
    releases = path / "releases"
    is_filled = releases.is_dir() and any(releases.iterdir())
    return is_filled or (path / "manifest.json").is_file()


def is_prepared(path: Path) -> bool:
    """Return whether this very code has migrated the folder's SQLite database."""
    database = path / DATABASE_NAME
    if not database.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            (stamp,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(stamp == code_stamp())


def is_settled(path: Path) -> bool:
    """Return whether nothing is left in a prepared folder for `reconcile_releases`.

    A look at names alone: that command knows more, and costs a start seconds.
    """
    if (path / "manifest.json").exists() or _names(path / "staging"):
        return False
    database = path / DATABASE_NAME
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            installed = {name for (name,) in connection.execute(_INSTALLED)}
            (unended,) = connection.execute(_UNENDED).fetchone()
    except sqlite3.DatabaseError:
        return False
    return not unended and _names(path / "releases") == installed


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def put_aside_foreign_database(path: Path) -> Path | None:
    """Rename a database of our name that another program made; return its new path.

    The predecessor's has the same name. One that is no SQLite database is left alone.
    """
    database = path / DATABASE_NAME
    if not database.is_file() or not _is_foreign(database):
        return None
    number = 0
    while (aside := path / f"predecessor{number or ''}.db").exists():
        number += 1
    # With what SQLite keeps beside it, or its newest changes would be lost.
    for suffix in ("-wal", "-shm", ""):
        source = path / f"{DATABASE_NAME}{suffix}"
        if source.exists():
            source.rename(path / f"{aside.name}{suffix}")
    return aside


def _is_foreign(database: Path) -> bool:
    """Return whether there are tables and none that Django keeps its migrations in."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError:
        return False
    names = {name for (name,) in rows}
    return bool(names) and "django_migrations" not in names


def code_stamp() -> int:
    """Return a number that changes with the migrations, ours and the packages'.

    It is kept in the database itself, so that a restored backup brings its own.
    """
    names = sorted(path.name for path in ROOT.glob("*/migrations/*.py"))
    content = "\n".join(names).encode() + (ROOT / "requirements.lock").read_bytes()
    # SQLite keeps a signed number of 32 bits; 0 is a new database's.
    return int.from_bytes(hashlib.sha256(content).digest()[:4]) >> 1 | 1
