"""What a row of the predecessor's database means here. PURE.

What cannot come along raises LeftBehind with the reason.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

MAX_TARGET_ID, MAX_ENDPOINT, MAX_STASH_BOX_ID = 400, 255, 64
MAX_LOCAL_ID = 2**63 - 1

PENDING, DISMISSED, RESOLVED = "pending", "dismissed", "resolved"


class LeftBehind(Exception):
    """A row cannot come along; the message says why."""


class Identity(NamedTuple):
    """What a recommendation, or a dismissal, is about."""

    type: str
    target_type: str
    target_id: str
    endpoint: str

    def __str__(self) -> str:
        return shown(f"{self.type} of {self.target_type} {self.target_id}")


@dataclass(frozen=True)
class _Kind:
    target_type: str
    is_of_endpoint: bool = False


DUPLICATE_PERFORMER = "duplicate_performer"
FINGERPRINT_MATCH = "scene_fingerprint_match"

# What the predecessor recommends.
_KINDS = {
    DUPLICATE_PERFORMER: _Kind("performer"),
    "duplicate_scene_files": _Kind("scene"),
    "duplicate_scenes": _Kind("scene"),
    "upstream_performer_changes": _Kind("performer", is_of_endpoint=True),
    "upstream_tag_changes": _Kind("tag", is_of_endpoint=True),
    "upstream_studio_changes": _Kind("studio", is_of_endpoint=True),
    "upstream_scene_changes": _Kind("scene", is_of_endpoint=True),
    FINGERPRINT_MATCH: _Kind("scene", is_of_endpoint=True),
}

# What the predecessor compares with a stash-box.
_FIELDS = {
    "performer": [
        "name", "disambiguation", "aliases", "gender", "birthdate", "death_date",
        "ethnicity", "country", "eye_color", "hair_color", "height", "cup_size",
        "band_size", "waist_size", "hip_size", "breast_type", "tattoos", "piercings",
        "career_start_year", "career_end_year", "urls",
    ],
    "tag": ["name", "description", "aliases"],
    "studio": ["name", "urls", "parent_studio"],
    "scene": [
        "title", "date", "details", "director", "code", "urls", "studio",
        "performers", "tags",
    ],
}  # fmt: skip

# Of how the predecessor reads a stash-box; what was kept in an older way, it drops.
_LOGIC_VERSIONS = {"performer": 4, "tag": 1, "studio": 5, "scene": 1}


@dataclass(frozen=True, kw_only=True)
class OldRecommendation:
    identity: Identity
    status: str
    details: dict[str, Any]
    confidence: float | None
    resolution_action: str
    resolution_details: dict[str, Any]
    resolved_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OldDismissal:
    identity: Identity
    is_permanent: bool
    reason: str
    dismissed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OldSnapshot:
    entity_type: str
    local_id: int
    endpoint: str
    stash_box_id: str
    base: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class OldSwitch:
    endpoint: str
    entity_type: str
    field_name: str
    is_enabled: bool


def shown(text: object, length: int = 120) -> str:
    """Return a text of anybody's making as a line of a terminal can show it."""
    raw = str(text)
    cut = raw if len(raw) <= length else f"{raw[: length - 1]}…"
    return "".join(each if each.isprintable() else "�" for each in cut)


def json_of(raw: object) -> Any:
    """Return what a JSON text means; raises LeftBehind for what cannot be kept."""
    if isinstance(raw, int | float) and math.isfinite(raw):
        # SQLite keeps the text of a number as the number in a column of type JSON.
        return raw
    if not isinstance(raw, str):
        raise LeftBehind("it is no JSON")
    try:
        value = json.loads(raw)
        # Numbers and texts that Python reads and that a database would refuse.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise LeftBehind("it is no JSON") from None
    if "\\u0000" in raw:
        raise LeftBehind("it holds a character that cannot be kept")
    return value


def time_of(raw: object) -> datetime | None:
    """Return a moment that the predecessor wrote, which is in UTC; None for others."""
    if not isinstance(raw, str):
        return None
    try:
        moment = datetime.fromisoformat(raw)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def endpoint_of(raw: object) -> str:
    """Return the address of a stash-box; raises LeftBehind."""
    if not isinstance(raw, str) or not raw.startswith(("http://", "https://")):
        raise LeftBehind("it does not say which stash-box it is about")
    _require_length(raw, MAX_ENDPOINT, "address of a stash-box")
    if not raw.isprintable():
        raise LeftBehind("its stash-box has no address that can be kept")
    return raw


def recommendation_of(row: Mapping[str, Any]) -> OldRecommendation:
    """Return the recommendation of a row; raises LeftBehind."""
    remarks = []
    status = row["status"] or PENDING
    if status not in (PENDING, DISMISSED, RESOLVED):
        raise LeftBehind(f"there is no state {shown(status, 30)}")
    details = _details_of(row["details"])
    confidence = row["confidence"]
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        if confidence is not None:
            remarks.append("came along without its confidence, which is not 0 to 1")
        confidence = None
    try:
        resolution_details = _details_of(row["resolution_details"])
    except LeftBehind:
        remarks.append("came along without the details of its resolution: no JSON")
        resolution_details = {}
    return OldRecommendation(
        identity=identity_of(row, details),
        status=status,
        details=details,
        confidence=confidence,
        resolution_action=_text(row["resolution_action"])[:64],
        resolution_details=resolution_details,
        resolved_at=time_of(row["resolved_at"]),
        created_at=time_of(row["created_at"]),
        updated_at=time_of(row["updated_at"]),
        remarks=tuple(remarks),
    )


def dismissal_of(row: Mapping[str, Any], details: object) -> OldDismissal:
    """Return the dismissal of a row; `details` are its recommendation's, as stored.

    They alone tell the stash-box. Where they do not, a dismissal for good is one at
    every stash-box, as the predecessor takes it; others raise LeftBehind.
    """
    is_permanent = bool(row["permanent"])
    try:
        told = _details_of(details)
    except LeftBehind:
        told = {}
    try:
        identity = identity_of(row, told)
    except LeftBehind:
        if "endpoint" in told or not is_permanent:
            raise
        identity = _identity_anywhere(row)
    return OldDismissal(
        identity=identity,
        is_permanent=is_permanent,
        reason=_text(row["reason"]),
        dismissed_at=time_of(row["dismissed_at"]),
    )


def identity_of(row: Mapping[str, Any], details: Mapping[str, Any]) -> Identity:
    """Return what the row is about, at the stash-box told; raises LeftBehind."""
    found = _identity_anywhere(row)
    endpoint = details.get("endpoint")
    if found.type == DUPLICATE_PERFORMER and details.get("performers"):
        # Named by its oldest member: the keeper is another one from day to day.
        oldest = _oldest_of(details)
        return found._replace(target_id=oldest, endpoint=endpoint_of(endpoint))
    if not _KINDS[found.type].is_of_endpoint:
        return found
    if endpoint is None and found.type == FINGERPRINT_MATCH:
        # Of a scene, a stash-box and a scene there.
        parts = found.target_id.split("|")
        endpoint = parts[1] if len(parts) == 3 else None
    return found._replace(endpoint=endpoint_of(endpoint))


def snapshot_of(
    row: Mapping[str, Any], logic_versions: Mapping[tuple[str, str], object]
) -> OldSnapshot:
    """Return what the library was last agreed with; raises LeftBehind.

    logic_versions: of an entity type at a stash-box, where the predecessor tells.
    """
    entity_type = _entity_type(row["entity_type"])
    endpoint = endpoint_of(row["endpoint"])
    current = _LOGIC_VERSIONS[entity_type]
    kept = logic_versions.get((entity_type, endpoint), current)
    if kept != current:
        raise LeftBehind("it was kept in an older way, which nothing reads any more")
    local_id = _text(row["local_entity_id"])
    is_number = local_id.isascii() and local_id.isdecimal() and len(local_id) < 20
    if not is_number or int(local_id) > MAX_LOCAL_ID:
        raise LeftBehind("it is of nothing in Stash")
    stash_box_id = _text(row["stash_box_id"])
    _require_length(stash_box_id, MAX_STASH_BOX_ID, "id of a stash-box")
    base = _details_of(row["upstream_data"])
    if not base:
        raise LeftBehind("it is empty")
    return OldSnapshot(
        entity_type=entity_type,
        local_id=int(local_id),
        endpoint=endpoint,
        stash_box_id=stash_box_id,
        base=base,
    )


def switch_of(row: Mapping[str, Any]) -> OldSwitch:
    """Return the switch of a field; raises LeftBehind."""
    entity_type = _entity_type(row["entity_type"])
    field_name = _text(row["field_name"])
    if field_name not in _FIELDS[entity_type]:
        raise LeftBehind(f"a {entity_type} has no such field")
    return OldSwitch(
        endpoint=endpoint_of(row["endpoint"]),
        entity_type=entity_type,
        field_name=field_name,
        is_enabled=bool(row["enabled"]),
    )


def logic_version_key(raw: object) -> tuple[str, str] | None:
    """Return the entity type and the stash-box that a row of progress is about."""
    type, _, endpoint = _text(raw).partition(":")
    entity_type = type.removeprefix("upstream_").removesuffix("_changes")
    if not endpoint or type not in _KINDS or entity_type not in _LOGIC_VERSIONS:
        return None
    return entity_type, endpoint


def nearest_hours(wanted: float, allowed: tuple[int, ...]) -> int:
    """Return the allowed interval that is nearest, of two the longer one."""
    return min(allowed, key=lambda hours: (abs(hours - wanted), -hours))


def _identity_anywhere(row: Mapping[str, Any]) -> Identity:
    type, target_type = _text(row["type"]), _text(row["target_type"])
    if type not in _KINDS:
        raise LeftBehind("there is no such type")
    if target_type != _KINDS[type].target_type:
        raise LeftBehind("its type is about something else")
    target_id = _text(row["target_id"])
    _require_length(target_id, MAX_TARGET_ID, "id")
    if not target_id.strip():
        raise LeftBehind("it is about nothing")
    if type == "duplicate_scenes":
        target_id = _pair(target_id)
    return Identity(type, target_type, target_id, "")


def _oldest_of(details: Mapping[str, Any]) -> str:
    performers = details["performers"]
    ids = [
        int(_text(performer.get("id")))
        for performer in (performers if isinstance(performers, list) else [])
        if isinstance(performer, dict) and _text(performer.get("id")).isdecimal()
    ]
    if not ids:
        raise LeftBehind("it does not tell of whom it is")
    return str(min(ids))


def _pair(target_id: str) -> str:
    """Return two ids of scenes with the smaller one first."""
    ids = target_id.split(":")
    if len(ids) != 2 or not all(each.isascii() and each.isdecimal() for each in ids):
        raise LeftBehind("it is not about two scenes")
    return ":".join(sorted(ids, key=int))


def _details_of(raw: object) -> dict[str, Any]:
    if raw is None:
        return {}
    details = json_of(raw)
    if details is None:
        return {}
    if not isinstance(details, dict):
        raise LeftBehind("its details are no JSON object")
    return details


def _entity_type(raw: object) -> str:
    entity_type = _text(raw)
    if entity_type not in _FIELDS:
        raise LeftBehind("there is nothing of such a kind")
    return entity_type


def _text(raw: object) -> str:
    if isinstance(raw, bytes):
        raise LeftBehind("it is about something that is no text")
    return "" if raw is None else str(raw).replace("\0", "�")


def _require_length(text: str, maximum: int, what: str) -> None:
    if len(text) > maximum:
        raise LeftBehind(
            f"its {what} has {len(text):,} characters, and {maximum} can be kept"
        )
