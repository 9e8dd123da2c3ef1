"""A database as the predecessor keeps it, made from what its tables are said to be."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

STASHDB = "https://stashdb.org/graphql"
OTHER = "https://theporndb.net/graphql"

SCHEMA = """
CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
CREATE TABLE recommendations (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'pending',
    target_type TEXT NOT NULL, target_id TEXT NOT NULL, details JSON,
    resolution_action TEXT, resolution_details JSON, resolved_at TEXT, confidence REAL,
    source_analysis_id INTEGER, created_at TEXT DEFAULT (datetime('now')),
    updated_at TEXT DEFAULT (datetime('now')), UNIQUE (type, target_type, target_id)
);
CREATE TABLE dismissed_targets (
    type TEXT, target_type TEXT, target_id TEXT,
    dismissed_at TEXT DEFAULT (datetime('now')), reason TEXT,
    permanent INTEGER DEFAULT 0, PRIMARY KEY (type, target_type, target_id)
) WITHOUT ROWID;
CREATE TABLE user_settings (key TEXT PRIMARY KEY, value JSON, updated_at TEXT);
CREATE TABLE upstream_field_config (
    endpoint TEXT, entity_type TEXT, field_name TEXT, enabled INTEGER,
    PRIMARY KEY (endpoint, entity_type, field_name)
);
CREATE TABLE upstream_snapshots (
    id INTEGER PRIMARY KEY, entity_type TEXT, local_entity_id TEXT, endpoint TEXT,
    stash_box_id TEXT, upstream_data JSON, upstream_updated_at TEXT,
    fetched_at TEXT DEFAULT (datetime('now')),
    UNIQUE (entity_type, endpoint, stash_box_id)
);
CREATE TABLE job_schedules (
    type TEXT PRIMARY KEY, enabled INTEGER, interval_hours REAL, priority INTEGER,
    last_run_at TEXT, next_run_at TEXT
);
CREATE TABLE analysis_watermarks (
    type TEXT PRIMARY KEY, last_completed_at TEXT, last_cursor TEXT,
    last_stash_updated_at TEXT, logic_version INTEGER
);
CREATE TABLE analysis_runs (id INTEGER PRIMARY KEY, type TEXT, status TEXT);
CREATE TABLE scene_fingerprints (id INTEGER PRIMARY KEY, stash_scene_id TEXT UNIQUE);
CREATE TABLE job_queue (id INTEGER PRIMARY KEY, type TEXT, status TEXT);
"""


class Predecessor:
    """The file, filled a row at a time; objects and lists are written as JSON."""

    def __init__(self, path: Path, *, version: int | None = 9, schema: str = SCHEMA):
        self.path = path
        with self.connected() as connection:
            connection.executescript(schema)
        if version is not None:
            self.add("schema_version", version=version)

    @contextlib.contextmanager
    def connected(self):
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            yield connection
            connection.commit()

    def add(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        places = ", ".join("?" * len(values))
        written = [
            json.dumps(value) if isinstance(value, dict | list) else value
            for value in values.values()
        ]
        with self.connected() as connection:
            connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({places})", written
            )

    def run(self, statement: str) -> None:
        with self.connected() as connection:
            connection.execute(statement)

    def add_recommendation(self, target_id: str = "7", **facts: Any) -> None:
        defaults = {"type": "duplicate_performer", "target_type": "performer"}
        self.add("recommendations", **(defaults | facts), target_id=target_id)

    def add_upstream(self, target_id: str = "7", **facts: Any) -> None:
        defaults = {
            "type": "upstream_performer_changes",
            "details": {"endpoint": STASHDB, "changes": []},
        }
        self.add_recommendation(target_id, **(defaults | facts))

    def dismiss(self, target_id: str = "7", **facts: Any) -> None:
        defaults = {"type": "duplicate_performer", "target_type": "performer"}
        self.add("dismissed_targets", **(defaults | facts), target_id=target_id)

    def set(self, key: str, value: Any) -> None:
        self.add("user_settings", key=key, value=json.dumps(value))


def part(report, name):
    return next(each for each in report.parts if each.name == name)


def counts(report, name):
    """Return how many were imported, were here before, and were left behind."""
    found = part(report, name)
    return found.imported_count, found.here_count, found.left.count


def left(report, name):
    return list(part(report, name).left)
