"""Body proportions of a release, for performers of every stash-box."""

import sqlite3

import pytest

from demo.performers_db import write_performers_db
from demo.world import World
from recognition.exceptions import DatabaseNotLoaded
from recognition.runtime.body_references import domain_of, load_shoulder_hip_ratios

SCHEMA = """
CREATE TABLE stashbox_ids (
    performer_id INTEGER, endpoint TEXT, stashbox_performer_id TEXT, created_at TEXT
);
CREATE TABLE body_proportions (
    performer_id INTEGER, shoulder_hip_ratio REAL, leg_torso_ratio REAL,
    arm_span_height_ratio REAL, confidence REAL
);
"""


@pytest.fixture
def release_dir(tmp_path):
    """A release's folder, with a name that an address would have to quote."""
    folder = tmp_path / "2026.03.01 #1?"
    folder.mkdir()
    return folder


def write(release_dir, *, ids, bodies):
    connection = sqlite3.connect(release_dir / "performers.db")
    connection.executescript(SCHEMA)
    with connection:
        connection.executemany("INSERT INTO stashbox_ids VALUES (?, ?, ?, '')", ids)
        connection.executemany(
            "INSERT INTO body_proportions VALUES (?, ?, 1, 1, ?)", bodies
        )
    connection.close()


def test_performers_of_every_endpoint_have_their_ratio(release_dir):
    # I8: only those of StashDB had.
    write(
        release_dir,
        ids=[
            (1, "stashdb", "u1"),
            (2, "theporndb", "u2"),
            (3, "fansdb", "u3"),
            (4, "pmvstash", "u4"),
            (5, "javstash", "u5"),
        ],
        bodies=[(number, 1 + number / 10, 0.9) for number in range(1, 6)],
    )

    ratios = load_shoulder_hip_ratios(release_dir)

    assert ratios == {
        "stashdb.org:u1": 1.1,
        "theporndb.net:u2": 1.2,
        "fansdb.cc:u3": 1.3,
        "pmvstash.org:u4": 1.4,
        "javstash.org:u5": 1.5,
    }


def test_a_performer_of_two_endpoints_is_found_under_both_ids(release_dir):
    write(
        release_dir,
        ids=[(1, "stashdb", "a"), (1, "fansdb", "b")],
        bodies=[(1, 1.4, 0.9)],
    )

    assert load_shoulder_hip_ratios(release_dir) == {
        "stashdb.org:a": 1.4,
        "fansdb.cc:b": 1.4,
    }


def test_of_several_measurements_the_surest_counts(release_dir):
    write(
        release_dir,
        ids=[(1, "stashdb", "a")],
        bodies=[(1, 1.2, 0.5), (1, 1.4, 0.9), (1, 1.6, 0.7), (1, 1.8, None)],
    )

    assert load_shoulder_hip_ratios(release_dir) == {"stashdb.org:a": 1.4}


@pytest.mark.parametrize("ratio", [None, 0, -1, "wide"])
def test_a_ratio_that_is_none_is_left_out(release_dir, ratio):
    write(release_dir, ids=[(1, "stashdb", "a")], bodies=[(1, ratio, 0.9)])

    assert load_shoulder_hip_ratios(release_dir) == {}


def test_reading_leaves_no_file_beside_the_release(release_dir):
    write(release_dir, ids=[(1, "stashdb", "a")], bodies=[(1, 1.4, 0.9)])

    load_shoulder_hip_ratios(release_dir)

    assert [path.name for path in release_dir.iterdir()] == ["performers.db"]


def test_a_demo_release_has_a_ratio_for_everybody_by_universal_id(release_dir):
    people = World(seed=3, people_count=5).people
    write_performers_db(
        release_dir / "performers.db", people, [], seed=3, created_at="2026-01-01"
    )

    ratios = load_shoulder_hip_ratios(release_dir)

    assert set(ratios) == {person.universal_id for person in people}


def test_a_database_that_is_none_is_reported_with_its_name(release_dir):
    (release_dir / "performers.db").write_bytes(b"not a database" * 100)

    with pytest.raises(DatabaseNotLoaded, match=r"performers\.db"):
        load_shoulder_hip_ratios(release_dir)


@pytest.mark.parametrize(
    ("endpoint", "domain"),
    [
        ("stashdb", "stashdb.org"),
        ("https://stashdb.org/graphql", "stashdb.org"),
        ("fansdb.cc", "fansdb.cc"),
        ("newbox", "newbox"),
    ],
)
def test_an_endpoint_is_known_by_its_domain(endpoint, domain):
    assert domain_of(endpoint) == domain
