"""What stash-boxes tell of: performers, scenes, studios, tags, and what became of them.

Empty texts stand for what a box does not know; enumerations stay the words they are.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class TargetType(StrEnum):
    """What an edit is about."""

    PERFORMER = "PERFORMER"
    SCENE = "SCENE"
    STUDIO = "STUDIO"
    TAG = "TAG"


class EditOperation(StrEnum):
    """What an edit that took something away did."""

    MERGE = "MERGE"
    DESTROY = "DESTROY"


@dataclass(frozen=True)
class BoxUrl:
    url: str
    site: str


@dataclass(frozen=True)
class BoxImage:
    id: str
    url: str
    width: int
    height: int


@dataclass(frozen=True)
class BodyModification:
    """A tattoo or a piercing."""

    location: str
    description: str


@dataclass(frozen=True)
class BoxReference:
    """Somebody or something that another thing names; `aliases` of it as well."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoxPerformer:
    """`height` is in centimetres, the sizes are as the box has them.

    A deleted performer may have been merged into another one, whose id is then told;
    `merged_ids` are those who were merged into this one.
    """

    id: str
    name: str
    disambiguation: str
    aliases: tuple[str, ...]
    gender: str
    birth_date: str
    death_date: str
    ethnicity: str
    country: str
    eye_color: str
    hair_color: str
    height: int | None
    cup_size: str
    band_size: int | None
    waist_size: int | None
    hip_size: int | None
    breast_type: str
    career_start_year: int | None
    career_end_year: int | None
    tattoos: tuple[BodyModification, ...]
    piercings: tuple[BodyModification, ...]
    urls: tuple[BoxUrl, ...]
    images: tuple[BoxImage, ...]
    deleted: bool
    merged_into_id: str | None
    merged_ids: tuple[str, ...]
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class BoxStudio:
    id: str
    name: str
    aliases: tuple[str, ...]
    urls: tuple[BoxUrl, ...]
    parent: BoxReference | None
    images: tuple[BoxImage, ...]
    deleted: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class BoxCategory:
    id: str
    name: str
    group: str


@dataclass(frozen=True)
class BoxTag:
    id: str
    name: str
    description: str
    aliases: tuple[str, ...]
    category: BoxCategory | None
    deleted: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class BoxAppearance:
    """A performer in a scene; `credited_as` is "" where it is under their own name."""

    performer: BoxReference
    disambiguation: str
    gender: str
    credited_as: str


@dataclass(frozen=True)
class BoxFingerprint:
    """A fingerprint that so many people submitted for a scene, or ours to look for.

    `algorithm` is OSHASH or PHASH where it is to be looked for: boxes ignore MD5.
    """

    algorithm: str
    hash: str
    duration_seconds: int = 0
    submissions: int = 0

    @classmethod
    def from_stash(cls, type: str, value: str) -> Self | None:
        """Return what a box can look for; None for what it cannot, MD5 above all."""
        number = _number(value)
        if type.lower() not in ("oshash", "phash") or number is None:
            return None
        return cls(type.upper(), f"{number:016x}")

    def is_same_hash(self, other: "BoxFingerprint") -> bool:
        """Whether both are the same number: some write it without leading zeros."""
        if self.algorithm != other.algorithm:
            return False
        mine, theirs = _number(self.hash), _number(other.hash)
        if mine is None or theirs is None:
            return self.hash.lower() == other.hash.lower()
        return mine == theirs


@dataclass(frozen=True)
class BoxScene:
    id: str
    title: str
    code: str
    details: str
    director: str
    release_date: str
    duration_seconds: int | None
    urls: tuple[BoxUrl, ...]
    studio: BoxReference | None
    performers: tuple[BoxAppearance, ...]
    tags: tuple[BoxReference, ...]
    images: tuple[BoxImage, ...]
    fingerprints: tuple[BoxFingerprint, ...]
    deleted: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class AppliedEdit:
    """A change that took things away.

    MERGE: `merged_source_ids` are gone, `target_id` is in their place. DESTROY:
    `target_id` is gone.
    """

    id: str
    operation: EditOperation
    target_type: TargetType
    target_id: str
    merged_source_ids: tuple[str, ...]
    closed_at: datetime


def _number(hash: str) -> int | None:
    """Return the 64 bits that a hash writes; None where it writes none."""
    try:
        number = int(hash, 16)
    except ValueError:
        return None
    return number if 0 <= number < 1 << 64 else None
