"""Reading the predecessor's file: only reading, whatever state it is in."""

import os
import sqlite3
import subprocess
import sys

import pytest

from recommendations import predecessor_reader
from recommendations.exceptions import PredecessorUnreadable
from recommendations.predecessor_reader import opened
from recommendations.tests.predecessor import Predecessor

STRANGE_NAMES = [
    "stash_sense.db",
    "what? #1 100%41 ü 名.db",
    "a&mode=rwc.db",
    "n" * 200,
]


def state_of(folder):
    """Return every file of the folder with its bytes and the time of its change."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }


def ids_in(path):
    with opened(path) as source:
        rows = source.rows("recommendations", ["id", "target_id"], order="id")
        return [row["target_id"] for row in rows]


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=range(len(STRANGE_NAMES)))
def test_rows_are_read_wherever_the_file_lies_and_it_stays_as_it_is(tmp_path, name):
    predecessor = Predecessor(tmp_path / name)
    predecessor.add_recommendation("7")
    before = state_of(tmp_path)

    assert ids_in(predecessor.path) == ["7"]

    assert state_of(tmp_path) == before


def test_a_write_ahead_log_is_read_too_and_stays(predecessor, tmp_path):
    predecessor.run("PRAGMA journal_mode = WAL")
    writer = sqlite3.connect(predecessor.path)
    writer.execute(
        "INSERT INTO recommendations (type, target_type, target_id) VALUES (1, 2, 3)"
    )
    writer.commit()
    assert (tmp_path / "stash_sense.db-wal").stat().st_size > 0
    before = state_of(tmp_path)

    assert ids_in(predecessor.path) == ["3"]

    assert state_of(tmp_path) == before
    writer.close()


def test_of_a_write_ahead_log_that_was_worked_in_nothing_is_begun_anew(
    predecessor, tmp_path
):
    predecessor.run("PRAGMA journal_mode = WAL")
    predecessor.add_recommendation("7")
    before = state_of(tmp_path)
    assert [*before] == ["stash_sense.db"]

    assert ids_in(predecessor.path) == ["7"]

    assert state_of(tmp_path) == before


CUT_OFF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
# So little memory that what is not committed yet is in the file.
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
for number in range(2000):
    connection.execute(
        "INSERT INTO recommendations (type, target_type, target_id) VALUES (1, 2, ?)",
        (f"uncommitted {number}",),
    )
os._exit(0)
"""


def test_a_write_that_was_cut_off_does_not_count_and_is_not_repaired_there(
    predecessor, tmp_path
):
    predecessor.add_recommendation("7")
    subprocess.run([sys.executable, "-c", CUT_OFF, str(predecessor.path)], check=True)
    before = state_of(tmp_path)
    assert [*sorted(before)] == ["stash_sense.db", "stash_sense.db-journal"]

    assert ids_in(predecessor.path) == ["7"]

    assert state_of(tmp_path) == before


def test_nothing_changes_while_it_is_read(predecessor):
    predecessor.add_recommendation("7")
    writer = sqlite3.connect(predecessor.path, timeout=0, isolation_level=None)

    with opened(predecessor.path) as source:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("DELETE FROM recommendations")
        assert source.count("recommendations") == 1

    writer.execute("DELETE FROM recommendations")
    writer.close()


def test_a_locked_file_is_refused(predecessor, monkeypatch):
    monkeypatch.setattr(predecessor_reader, "PATIENCE_SECONDS", 0.01)
    writer = sqlite3.connect(predecessor.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    with pytest.raises(PredecessorUnreadable, match="locked"):
        ids_in(predecessor.path)

    writer.close()
    assert ids_in(predecessor.path) == []


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path, sentence in [
        (tmp_path, "is a folder; .* stash_sense.db"),
        (tmp_path / "nothing.db", "No such file"),
        (tmp_path / "pipe", "is no file"),
        (tmp_path / ("n" * 300), "File name too long"),
        (tmp_path / "pipe" / "below", "Not a directory"),
    ]:
        with pytest.raises(PredecessorUnreadable, match=sentence):
            ids_in(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"SQLite format 3\x00", b"PK\x03\x04" * 1000, "ü".encode() * 4000],
    ids=["empty", "cut off", "zip", "text"],
)
def test_what_is_no_database_is_refused(tmp_path, content):
    path = tmp_path / "stash_sense.db"
    path.write_bytes(content)

    with pytest.raises(PredecessorUnreadable, match="no SQLite database"):
        ids_in(path)

    assert state_of(tmp_path).keys() == {"stash_sense.db"}


def test_a_large_file_that_is_no_database_is_not_read_through(tmp_path):
    path = tmp_path / "stash_sense.db"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(PredecessorUnreadable, match="no SQLite database"):
        ids_in(path)


def test_a_damaged_database_is_refused(predecessor):
    for number in range(500):
        predecessor.add_recommendation(str(number), details={"text": "x" * 500})
        if number == 20:
            break
    content = bytearray(predecessor.path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    predecessor.path.write_bytes(content)

    with pytest.raises(PredecessorUnreadable, match="malformed"):
        ids_in(predecessor.path)


def test_a_row_without_measure_is_refused(predecessor, monkeypatch):
    predecessor.add_recommendation("7", details={"text": "x" * 20_000})
    monkeypatch.setattr(predecessor_reader, "MAX_ROW_BYTES", 10_000)

    with (
        opened(predecessor.path) as source,
        pytest.raises(PredecessorUnreadable, match="too big"),
    ):
        list(source.rows("recommendations", ["details"]))


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(10, "version 10; up to version 9"), (None, "does not say which version")],
)
def test_a_version_that_is_not_known_is_refused(tmp_path, version, sentence):
    predecessor = Predecessor(tmp_path / "stash_sense.db", version=version)

    with pytest.raises(PredecessorUnreadable, match=sentence):
        ids_in(predecessor.path)


def test_a_database_of_another_program_is_refused(tmp_path):
    ours = "CREATE TABLE django_migrations (id); CREATE TABLE schema_version (version);"
    checked = "CREATE TABLE recommendations (id, details CHECK (json_valid(details)));"
    other = "CREATE TABLE recommendations (id);"

    for name, schema, sentence in [
        ("ours.db", ours, "not of the predecessor. It is this service's own"),
        ("checked.db", checked, "not of the predecessor"),
        ("other.db", other, "not of the predecessor"),
    ]:
        path = Predecessor(tmp_path / name, version=None, schema=schema).path
        with pytest.raises(PredecessorUnreadable, match=sentence):
            ids_in(path)


def test_what_an_older_version_lacks_is_empty(tmp_path):
    schema = """
        CREATE TABLE schema_version (version INTEGER);
        CREATE TABLE recommendations (id INTEGER, type TEXT);
        INSERT INTO recommendations VALUES (2, 'b'), (1, 'a');
    """
    path = Predecessor(tmp_path / "old.db", version=1, schema=schema).path

    with opened(path) as source:
        assert source.version == 1
        assert list(source.rows("recommendations", ["type", "status"], order="id")) == [
            {"type": "a", "status": None},
            {"type": "b", "status": None},
        ]
        assert list(source.rows("job_schedules", ["type"])) == []
        assert source.count("job_schedules") == 0
        assert source.find("job_schedules", ["type"], {"type": "a"}) is None
        found = source.find("recommendations", ["id", "status"], {"type": "b"})
        assert found == {"id": 2, "status": None}


def test_a_text_in_other_bytes_does_not_hide_the_others(predecessor):
    predecessor.run(
        "INSERT INTO recommendations (type, target_type, target_id)"
        " VALUES ('a', 'b', CAST(x'ff41' AS TEXT)), ('a', 'b', 'c')"
    )

    assert ids_in(predecessor.path) == ["�A", "c"]
