"""What a data folder holds and who uses it."""

import contextlib
import re
import sqlite3

import pytest

from demo.install import PICTURES_DIR_NAME
from demo.management.commands.demo_stash import LIBRARY_DIR_NAME
from stashsense import data_folder
from stashsense.data_folder import ROOT, DataFolderUnusable
from stashsense.integrations.stashbox_connections import LIMITS_DIR_NAME

# How the code speaks of what lies in the folder.
NAMED = re.compile(r'(?:DATA_DIR|data_dir)\)?s? ?/ ?"?([\w.-]+)\b(?!\()')
CODE = ("stashsense", "recognition", "dbupdates", "recommendations", "demo")


def stamp_database(folder, number):
    database = folder / data_folder.DATABASE_NAME
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {number}")
        connection.commit()


def test_a_folder_is_made_and_held_by_one_service_at_a_time(tmp_path):
    folder = tmp_path / "deep" / "data"

    with data_folder.held(folder):
        assert folder.is_dir()
        with (
            pytest.raises(DataFolderUnusable, match="another Stash Sense"),
            data_folder.held(folder),
        ):
            pass

    with data_folder.held(folder):
        pass


def test_a_folder_that_cannot_be_made_is_refused_with_the_reason(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(DataFolderUnusable, match=r"data folder .*file/data: Not a dir"),
        data_folder.held(tmp_path / "file" / "data"),
    ):
        pass


@pytest.mark.parametrize(
    ("path", "is_release"),
    [
        (None, False),
        ("releases/", False),
        ("models/demo-1/", False),
        ("releases/2026.01.01/", True),
        # The predecessor's layout: files lie flat in the folder.
        ("manifest.json", True),
    ],
)
def test_a_release_is_seen_in_either_layout(tmp_path, path, is_release):
    if path and path.endswith("/"):
        (tmp_path / path).mkdir(parents=True)
    elif path:
        (tmp_path / path).touch()

    assert data_folder.has_release(tmp_path) is is_release


def test_a_folder_is_prepared_when_its_database_says_so(tmp_path):
    assert not data_folder.is_prepared(tmp_path)
    assert list(tmp_path.iterdir()) == []

    stamp_database(tmp_path, 0)
    assert not data_folder.is_prepared(tmp_path)

    stamp_database(tmp_path, data_folder.code_stamp())
    assert data_folder.is_prepared(tmp_path)


def test_a_database_of_other_code_or_no_database_is_not_prepared(tmp_path):
    stamp_database(tmp_path, data_folder.code_stamp() ^ 2)
    assert not data_folder.is_prepared(tmp_path)

    (tmp_path / data_folder.DATABASE_NAME).write_bytes(b"no database" * 1000)
    assert not data_folder.is_prepared(tmp_path)


def test_the_stamp_changes_with_migrations_and_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder, "ROOT", tmp_path)
    (tmp_path / "app" / "migrations").mkdir(parents=True)
    lock = tmp_path / "requirements.lock"
    lock.write_text("django==1")

    first = data_folder.code_stamp()
    (tmp_path / "app" / "migrations" / "0001_initial.py").touch()
    second = data_folder.code_stamp()
    lock.write_text("django==2")
    third = data_folder.code_stamp()

    assert len({first, second, third}) == 3
    assert all(0 < stamp < 2**31 for stamp in (first, second, third))


def make_database(path, statement):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(statement)
        connection.commit()


def test_a_database_of_another_program_is_kept_under_another_name(tmp_path):
    database = tmp_path / data_folder.DATABASE_NAME
    # Still open, so that its newest change is beside it, not in it.
    with contextlib.closing(sqlite3.connect(database)) as predecessor:
        predecessor.execute("PRAGMA journal_mode=WAL")
        predecessor.execute("CREATE TABLE settings (key)")
        predecessor.execute("INSERT INTO settings VALUES ('theirs')")
        predecessor.commit()

        aside = data_folder.put_aside_foreign_database(tmp_path)

    assert aside == tmp_path / "predecessor.db"
    assert not database.exists()
    with contextlib.closing(sqlite3.connect(tmp_path / "predecessor.db")) as kept:
        assert kept.execute("SELECT key FROM settings").fetchall() == [("theirs",)]


def test_a_second_one_does_not_overwrite_the_first(tmp_path):
    for _ in range(2):
        make_database(tmp_path / data_folder.DATABASE_NAME, "CREATE TABLE theirs (x)")
        data_folder.put_aside_foreign_database(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} >= {
        "predecessor.db",
        "predecessor1.db",
    }


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE django_migrations (x)", "PRAGMA user_version = 7"]
)
def test_our_own_database_and_an_empty_one_stay(tmp_path, statement):
    make_database(tmp_path / data_folder.DATABASE_NAME, statement)

    assert data_folder.put_aside_foreign_database(tmp_path) is None
    assert (tmp_path / data_folder.DATABASE_NAME).is_file()


def test_what_is_no_database_stays(tmp_path):
    (tmp_path / data_folder.DATABASE_NAME).write_bytes(b"no database" * 100)

    assert data_folder.put_aside_foreign_database(tmp_path) is None
    assert (tmp_path / data_folder.DATABASE_NAME).is_file()


def test_what_former_versions_left_open_is_closed_to_others(tmp_path):
    for name in ("crops", "local"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "elsewhere").touch(mode=0o644)
    names = ["stash_sense.db", "stash_sense.db-wal", "predecessor.db", "secret_key"]
    for name in names:
        (tmp_path / name).touch(mode=0o644)
    (tmp_path / "api_key").symlink_to(tmp_path / "elsewhere")

    data_folder.close_to_others(tmp_path)

    for name in names:
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    for name in ("crops", "local"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o644


def names_in_code():
    """Return the names that the code and supervisord's file give to what they keep."""
    files = [ROOT / "gunicorn.conf.py", ROOT / "supervisord.conf"]
    for app in CODE:
        files += [p for p in (ROOT / app).rglob("*.py") if "tests" not in p.parts]
    return {
        name
        for file in files
        for name in NAMED.findall(file.read_text())
        # A constant; those are listed below.
        if not name.endswith("_NAME")
    }


def test_all_that_the_code_puts_into_a_folder_is_known_as_ours():
    constants = {
        data_folder.DATABASE_NAME, LIBRARY_DIR_NAME, LIMITS_DIR_NAME, PICTURES_DIR_NAME
    }  # fmt: skip
    names = names_in_code() | constants

    assert {"host_id", "local", "metrics", "staging", "supervisord.pid"} <= names
    assert [name for name in sorted(names) if not data_folder.is_ours(name)] == []


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["host_id", "releases", "local"],
        ["supervisord.pid", "metrics"],
        [".host_id.17", ".secret_key.17"],
        [".DS_Store", "._.DS_Store", "Thumbs.db", "desktop.ini", "lost+found"],
    ],
)
def test_a_folder_of_ours_is_known_without_its_database(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()

    assert data_folder.find_foreign(tmp_path) is None


def test_something_of_others_beside_what_file_managers_leave_is_foreign(tmp_path):
    for name in (".DS_Store", "holidays", "releases"):
        (tmp_path / name).touch()

    assert data_folder.find_foreign(tmp_path) == "holidays"


@pytest.fixture
def settled(tmp_path):
    """A folder with an installed release, a purged one, and an update that ended."""
    (tmp_path / "releases" / "2026.02.18").mkdir(parents=True)
    (tmp_path / "staging").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "stash_sense.db")) as rows:
        rows.executescript("""
            CREATE TABLE dbupdates_databaserelease (version, status);
            CREATE TABLE dbupdates_updaterun (ended_at);
            INSERT INTO dbupdates_databaserelease
                VALUES ('2026.02.18', 'active'), ('2026.01.01', 'purged');
            INSERT INTO dbupdates_updaterun VALUES ('2026-02-19 12:00:00');
        """)
    return tmp_path


def test_a_folder_that_agrees_with_its_rows_is_settled(settled):
    assert data_folder.is_settled(settled)


@pytest.mark.parametrize(
    "path", ["staging/update-1", "releases/2026.03.01", "releases/2026.01.01"]
)
def test_a_folder_that_no_row_vouches_for_is_not_settled(settled, path):
    (settled / path).mkdir()

    assert not data_folder.is_settled(settled)


def test_a_release_in_the_predecessor_s_layout_is_not_settled(settled):
    (settled / "manifest.json").touch()

    assert not data_folder.is_settled(settled)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO dbupdates_updaterun VALUES (NULL)",
        "UPDATE dbupdates_databaserelease SET status = 'staged'",
        "DROP TABLE dbupdates_updaterun",
    ],
)
def test_rows_of_what_is_not_there_or_goes_on_are_not_settled(settled, statement):
    with contextlib.closing(sqlite3.connect(settled / "stash_sense.db")) as rows:
        rows.execute(statement)
        rows.commit()

    assert not data_folder.is_settled(settled)
