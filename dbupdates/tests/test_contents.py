"""What performers.db must be."""

import pytest

from dbupdates.contents import REQUIRED_COLUMNS, check_performers_db
from dbupdates.exceptions import InvalidRelease
from dbupdates.tests.builder import performers_db_bytes


@pytest.fixture
def path(tmp_path):
    # A name that would end a URI's path.
    folder = tmp_path / "what?is#this%20"
    folder.mkdir()
    return folder / "performers.db"


def test_required_tables_and_more_pass_and_nothing_is_written(path):
    path.write_bytes(
        performers_db_bytes(
            tattoos="performer_id location description and_more", external_urls="url"
        )
    )
    path.chmod(0o444)

    check_performers_db(path)

    assert [p.name for p in path.parent.iterdir()] == ["performers.db"]


@pytest.mark.parametrize("table", REQUIRED_COLUMNS)
def test_a_missing_table_is_refused(path, table):
    path.write_bytes(performers_db_bytes(**{table: ""}))

    with pytest.raises(InvalidRelease, match=f"has no table {table}"):
        check_performers_db(path)


def test_a_missing_column_is_refused(path):
    path.write_bytes(performers_db_bytes(body_proportions="performer_id confidence"))

    with pytest.raises(InvalidRelease, match="body_proportions has no shoulder_hip_ra"):
        check_performers_db(path)


def test_a_damaged_page_is_refused(path):
    content = bytearray(performers_db_bytes())
    content[2 * 4096 : 2 * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)

    with pytest.raises(InvalidRelease, match=r"is damaged|no readable database"):
        check_performers_db(path)


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"no database" * 1000])
def test_something_else_is_refused(path, content):
    path.write_bytes(content)

    with pytest.raises(InvalidRelease, match="no readable database"):
        check_performers_db(path)


def test_a_missing_file_is_refused_and_not_made(path):
    with pytest.raises(InvalidRelease, match="no readable database"):
        check_performers_db(path)

    assert not path.exists()
