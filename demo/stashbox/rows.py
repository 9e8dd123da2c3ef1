"""The rows of a stand-in stash-box, for tests to look at and to change between calls.

Names are those of its GraphQL interface. Changing a row by hand leaves `updated` alone;
`touch` sets it, and `merge` and `destroy` do what an applied edit does.
"""

import itertools
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass
class Row:
    id: str
    created: datetime
    updated: datetime
    deleted: bool = False


@dataclass
class BoxUrl:
    url: str
    site: str = "Home"


@dataclass
class BodyModification:
    location: str
    description: str | None = None


@dataclass
class Performer(Row):
    """`images` are ids of pictures that the box serves."""

    name: str = ""
    disambiguation: str | None = None
    aliases: list[str] = field(default_factory=list)
    gender: str | None = None
    urls: list[BoxUrl] = field(default_factory=list)
    birth_date: str | None = None
    death_date: str | None = None
    ethnicity: str | None = None
    country: str | None = None
    eye_color: str | None = None
    hair_color: str | None = None
    height: int | None = None
    cup_size: str | None = None
    band_size: int | None = None
    waist_size: int | None = None
    hip_size: int | None = None
    breast_type: str | None = None
    career_start_year: int | None = None
    career_end_year: int | None = None
    tattoos: list[BodyModification] | None = None
    piercings: list[BodyModification] | None = None
    images: list[str] = field(default_factory=list)
    merged_into_id: str | None = None
    merged_ids: list[str] = field(default_factory=list)


@dataclass
class Fingerprint:
    algorithm: str
    hash: str
    duration: int
    submissions: int = 1


@dataclass
class Appearance:
    performer_id: str
    credited_as: str | None = None


@dataclass
class Scene(Row):
    title: str | None = None
    code: str | None = None
    details: str | None = None
    director: str | None = None
    release_date: str | None = None
    production_date: str | None = None
    duration: int | None = None
    urls: list[BoxUrl] = field(default_factory=list)
    studio_id: str | None = None
    tag_ids: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    performers: list[Appearance] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)


@dataclass
class Studio(Row):
    name: str = ""
    aliases: list[str] = field(default_factory=list)
    urls: list[BoxUrl] = field(default_factory=list)
    parent_id: str | None = None
    images: list[str] = field(default_factory=list)


@dataclass
class TagCategory:
    id: str
    name: str
    group: str = "ACTION"
    description: str | None = None


@dataclass
class Tag(Row):
    name: str = ""
    description: str | None = None
    aliases: list[str] = field(default_factory=list)
    category: TagCategory | None = None


@dataclass
class Edit:
    id: str
    operation: str
    target_type: str
    target_id: str
    merge_source_ids: list[str]
    created: datetime
    closed: datetime | None
    applied: bool = True
    status: str = "ACCEPTED"


@dataclass
class Box:
    """Everything a stash-box knows. `phash_distance` is how far apart it finds scenes.

    What was updated at the same moment comes in another order at every call, for a box
    sorts by nothing else; `calls` counts them.
    """

    performers: dict[str, Performer] = field(default_factory=dict)
    scenes: dict[str, Scene] = field(default_factory=dict)
    studios: dict[str, Studio] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    # JPEG, by ids of pictures; all others are grey.
    pictures: dict[str, bytes] = field(default_factory=dict)
    phash_distance: int = 0
    # Held by every request while it reads rows.
    lock: threading.RLock = field(default_factory=threading.RLock)
    calls: Iterator[int] = field(default_factory=itertools.count)

    def rows(self, target_type: str) -> dict[str, Any]:
        rows: dict[str, Any] = getattr(self, f"{target_type.lower()}s")
        return rows

    def touch(self, row: Row, moment: datetime | None = None) -> None:
        """Have the row be updated at that moment, or now."""
        with self.lock:
            row.updated = moment or now()

    def destroy(
        self, target_type: str, id: str, *, moment: datetime | None = None
    ) -> Edit:
        """Delete a row as an applied edit does, and return the edit."""
        with self.lock:
            row = self.rows(target_type)[id]
            row.deleted = True
            row.updated = moment or now()
            return self._add_edit("DESTROY", target_type, id, [], row.updated)

    def merge(
        self,
        target_type: str,
        source_ids: list[str],
        target_id: str,
        *,
        moment: datetime | None = None,
    ) -> Edit:
        """Merge rows into another as an applied edit does, and return the edit."""
        with self.lock:
            moment = moment or now()
            rows = self.rows(target_type)
            for source_id in source_ids:
                rows[source_id].deleted = True
                rows[source_id].updated = moment
                if target_type == "PERFORMER":
                    rows[source_id].merged_into_id = target_id
                    rows[target_id].merged_ids.append(source_id)
            rows[target_id].updated = moment
            return self._add_edit("MERGE", target_type, target_id, source_ids, moment)

    def _add_edit(
        self,
        operation: str,
        target_type: str,
        target_id: str,
        source_ids: list[str],
        moment: datetime,
    ) -> Edit:
        edit_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"edit {len(self.edits)}"))
        edit = Edit(
            edit_id, operation, target_type, target_id, source_ids, moment, moment
        )
        self.edits.append(edit)
        return edit


def now() -> datetime:
    return datetime.now(UTC)
