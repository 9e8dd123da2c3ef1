"""performers.db of a demo release: the tables of the published one, filled by a world.

Nothing here is true of anybody; the numbers only have plausible sizes.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.seeds import Namespace, generator
from demo.world import DOMAINS, Person

_SCHEMA = """
CREATE TABLE performers (
    id INTEGER PRIMARY KEY, canonical_name TEXT NOT NULL, disambiguation TEXT,
    gender TEXT, country TEXT, ethnicity TEXT, birth_date TEXT, death_date TEXT,
    height_cm INTEGER, eye_color TEXT, hair_color TEXT, career_start_year INTEGER,
    career_end_year INTEGER, scene_count INTEGER, stashdb_updated_at TEXT,
    face_count INTEGER NOT NULL DEFAULT 0, image_url TEXT, created_at TEXT,
    updated_at TEXT
);
CREATE TABLE stashbox_ids (
    performer_id INTEGER NOT NULL REFERENCES performers (id), endpoint TEXT NOT NULL,
    stashbox_performer_id TEXT NOT NULL, created_at TEXT,
    PRIMARY KEY (endpoint, stashbox_performer_id)
);
CREATE TABLE aliases (
    id INTEGER PRIMARY KEY, performer_id INTEGER NOT NULL REFERENCES performers (id),
    alias TEXT NOT NULL, source_endpoint TEXT, created_at TEXT
);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY, performer_id INTEGER NOT NULL REFERENCES performers (id),
    facenet_index INTEGER, arcface_index INTEGER, image_url TEXT,
    source_endpoint TEXT, quality_score REAL, created_at TEXT,
    pruned INTEGER NOT NULL DEFAULT 0, yaw REAL
);
CREATE TABLE tattoos (performer_id INTEGER NOT NULL, location TEXT, description TEXT);
CREATE TABLE piercings (
    performer_id INTEGER NOT NULL, location TEXT, description TEXT
);
CREATE TABLE body_proportions (
    performer_id INTEGER NOT NULL, shoulder_hip_ratio REAL, leg_torso_ratio REAL,
    arm_span_height_ratio REAL, confidence REAL
);
CREATE TABLE tattoo_detections (
    performer_id INTEGER NOT NULL, has_tattoos INTEGER, confidence REAL,
    detections_json TEXT
);
CREATE TABLE external_urls (performer_id INTEGER NOT NULL, url TEXT NOT NULL);
CREATE INDEX faces_performer ON faces (performer_id);
CREATE INDEX stashbox_ids_performer ON stashbox_ids (performer_id);
"""


@dataclass(frozen=True)
class FaceRow:
    """A face of the release: its place in both indices and whose it is, if known."""

    index: int
    person: int | None


@dataclass(frozen=True)
class _PersonRow:
    id: int
    person: Person
    face_count: int


def write_performers_db(
    path: Path,
    people: Sequence[Person],
    faces: Sequence[FaceRow],
    *,
    seed: int,
    created_at: str,
) -> None:
    """Write the new database; equal arguments give equal bytes."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(_SCHEMA)
        counts = Counter(face.person for face in faces)
        with connection:
            for index, person in enumerate(people):
                row = _PersonRow(index + 1, person, counts[index])
                _insert_person(connection, row, seed, created_at)
            _insert_faces(connection, people, faces, created_at)
        connection.execute("VACUUM")
    finally:
        connection.close()


def _insert_person(
    connection: sqlite3.Connection, row: _PersonRow, seed: int, created_at: str
) -> None:
    person = row.person
    rng = generator(Namespace.RELEASE, seed, row.id)
    start = int(rng.integers(1995, 2022))
    connection.execute(
        "INSERT INTO performers (id, canonical_name, gender, country, birth_date,"
        " height_cm, career_start_year, scene_count, face_count, image_url,"
        " stashdb_updated_at, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.id,
            person.name,
            "FEMALE" if rng.random() < 0.5 else "MALE",
            person.country,
            f"{start - 24}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}",
            int(rng.integers(150, 200)),
            start,
            int(rng.integers(1, 300)),
            row.face_count,
            person.image_url,
            *[created_at] * 3,
        ),
    )
    bare_id = person.universal_id.partition(":")[2]
    connection.execute(
        "INSERT INTO stashbox_ids VALUES (?, ?, ?, ?)",
        (row.id, DOMAINS[person.domain], bare_id, created_at),
    )
    shoulders, legs, arms = (round(float(v), 3) for v in rng.normal(1.0, 0.08, 3))
    connection.execute(
        "INSERT INTO body_proportions VALUES (?, ?, ?, ?, ?)",
        (row.id, shoulders + 0.35, legs + 0.45, arms, 0.9),
    )


def _insert_faces(
    connection: sqlite3.Connection,
    people: Sequence[Person],
    faces: Sequence[FaceRow],
    created_at: str,
) -> None:
    """Insert the faces that are somebody's: one of nobody has no row to refer to."""
    connection.executemany(
        "INSERT INTO faces (performer_id, facenet_index, arcface_index, image_url,"
        " source_endpoint, quality_score, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                face.person + 1,
                face.index,
                face.index,
                people[face.person].image_url,
                DOMAINS[people[face.person].domain],
                0.9,
                created_at,
            )
            for face in faces
            if face.person is not None
        ),
    )
