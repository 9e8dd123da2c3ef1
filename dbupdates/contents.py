"""Whether performers.db and the tattoo names are what a release needs. No Django.

faces.json and performers.json are checked by `prepared`, which reads them anyway.
"""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from dbupdates.exceptions import InvalidRelease
from dbupdates.prepared import load_json

PERFORMERS_DB_NAME = "performers.db"

# Tables and columns that are read, or were by the predecessor; others are welcome.
REQUIRED_COLUMNS = {
    "performers": (
        "id canonical_name disambiguation gender country ethnicity birth_date "
        "death_date height_cm eye_color hair_color career_start_year career_end_year "
        "scene_count stashdb_updated_at face_count image_url created_at updated_at"
    ),
    "stashbox_ids": "performer_id endpoint stashbox_performer_id created_at",
    "aliases": "id performer_id alias source_endpoint created_at",
    "faces": (
        "id performer_id facenet_index arcface_index image_url source_endpoint "
        "quality_score created_at pruned yaw"
    ),
    "tattoos": "performer_id location description",
    "piercings": "performer_id location description",
    "body_proportions": (
        "performer_id shoulder_hip_ratio leg_torso_ratio arm_span_height_ratio "
        "confidence"
    ),
    "tattoo_detections": "performer_id has_tattoos confidence detections_json",
}


def check_performers_db(path: Path) -> None:
    """Raise InvalidRelease unless the database is sound and has what is read."""
    # immutable: no journal or lock file may appear beside a release's files.
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(address, uri=True)
        try:
            _check_sound(connection, path.name)
            _check_columns(connection, path.name)
        finally:
            connection.close()
    except sqlite3.Error as exc:
        raise InvalidRelease(f"{path.name} is no readable database: {exc}") from exc


def _check_sound(connection: sqlite3.Connection, name: str) -> None:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise InvalidRelease(f"{name} is damaged: {answer}")


def _check_columns(connection: sqlite3.Connection, name: str) -> None:
    for table, required in REQUIRED_COLUMNS.items():
        rows = connection.execute("SELECT name FROM pragma_table_info(?)", [table])
        columns = {column for (column,) in rows}
        if not columns:
            raise InvalidRelease(f"{name} has no table {table}")
        missing = [column for column in required.split() if column not in columns]
        if missing:
            raise InvalidRelease(f"{name}: {table} has no {', '.join(missing)}")


def check_tattoo_names(path: Path) -> int:
    """Return how many tattoos the file names; InvalidRelease for another content."""
    names = load_json(path)
    if not isinstance(names, list):
        raise InvalidRelease(f"{path.name} is not a list")
    for position, entry in enumerate(names):
        universal_id = entry.get("universal_id") if isinstance(entry, dict) else None
        if entry is not None and not isinstance(universal_id, str):
            raise InvalidRelease(f"{path.name}: entry {position} names no performer")
    return len(names)
