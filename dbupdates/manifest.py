"""PURE: manifest.json, what a release says of itself.

Parsing settles what can be told without the other files: types, digests, names,
counts that contradict each other, kinds that are not supported. Whether the files
agree with their manifest is found out while staging.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dbupdates.exceptions import InvalidManifest
from dbupdates.versions import parse_version

MANIFEST_NAME = "manifest.json"
# Published ones have under 1 KB; a name and digest for each of 64 files fit in 20.
MAX_MANIFEST_BYTES = 256 * 1024

FACE_INDEX_NAMES = ("face_facenet.voy", "face_arcface.voy")
FACE_DIMENSIONS = 512
REQUIRED_NAMES = ("performers.db", "faces.json", "performers.json", *FACE_INDEX_NAMES)
ADAFACE_INDEX_NAME = "face_adaface.voy"
TATTOO_INDEX_NAME = "tattoo_embeddings.voy"
TATTOO_NAMES_NAME = "tattoo_embeddings.json"
TATTOO_DIMENSIONS = 1280
# Written beside the published files while staging, so not a name for one of them.
PREPARED_NAME = "prepared"

# How every supported release was made; vectors made otherwise are not comparable.
SUPPORTED_ALIGNMENT = "insightface_norm_crop_5point"

# Every network set has these and one detector.
EMBEDDER_NAMES = frozenset({"facenet512.onnx", "arcface.onnx"})

_FLAT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True)
class NetworkSet:
    """The networks a release's vectors come from.

    `files` maps a path below the set's folder to its SHA-256, which is empty where
    none was published.
    """

    name: str
    files: Mapping[str, str]


PUBLISHED_NETWORKS = NetworkSet(
    name="published",
    files={
        "facenet512.onnx": (
            "4b6fcd19d0355d532d25007989d62cdfb5f86d761e52c6287aac9d821011a9e6"
        ),
        "arcface.onnx": (
            "2eff37a187485caef7ffb3bbb3a542132d195bbdc02e071f20e80614477b735c"
        ),
        "buffalo_sc/det_500m.onnx": "",
    },
)


@dataclass(frozen=True)
class Manifest:
    """A manifest that is complete and consistent in itself.

    `checksums` maps each file but the manifest to 64 lower-case hexadecimal digits.
    `version` is the canonical spelling.
    """

    version: str
    created_at: datetime | None
    performer_count: int
    face_count: int
    sources: tuple[str, ...]
    checksums: Mapping[str, str]
    networks: NetworkSet
    embedding_dimensions: Mapping[str, int] = field(default_factory=dict)


def is_flat_name(name: str) -> bool:
    """Return whether `name` is safe as a file of a release on any system."""
    return _FLAT_NAME.fullmatch(name) is not None and name.lower() != PREPARED_NAME


def parse_manifest(data: bytes) -> Manifest:
    """Return what the bytes of a manifest.json say; InvalidManifest if unusable."""
    content = _load(data)
    return Manifest(
        version=_version(content),
        created_at=_created_at(content.get("created_at")),
        performer_count=_count(content, "performer_count"),
        face_count=_count(content, "face_count"),
        sources=_sources(content.get("sources")),
        checksums=_checksums(content.get("checksums")),
        networks=_networks(content.get("networks")),
        embedding_dimensions=_embedding_dimensions(content.get("models")),
    )


def _load(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(
            f"{MANIFEST_NAME} has more than {MAX_MANIFEST_BYTES} bytes"
        )
    try:
        content = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_without_duplicates
        )
    # RecursionError: brackets nested without end.
    except (ValueError, RecursionError) as exc:
        raise InvalidManifest(f"{MANIFEST_NAME} is not readable: {exc}") from exc
    return _mapping(content, MANIFEST_NAME)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key is given twice")
    return content


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidManifest(f"{name} must be an object, not {_shown(value)}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidManifest(f"{name} must be text, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    """Return a value of unknown size, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _version(content: Mapping[str, Any]) -> str:
    try:
        return str(parse_version(_text(content.get("version"), "version")))
    except ValueError as exc:
        raise InvalidManifest(f"version: {exc}") from exc


def _created_at(value: Any) -> datetime | None:
    """Return the time, in UTC where the manifest names no zone."""
    if value is None:
        return None
    try:
        created_at = datetime.fromisoformat(_text(value, "created_at"))
        if created_at.tzinfo is None:
            return created_at.replace(tzinfo=UTC)
        # Moved to UTC here: a zone at the ends of the calendar cannot be, later.
        return created_at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidManifest(f"created_at is no time: {_shown(value)}") from exc


def _count(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    # 2**31: rows are kept as 32-bit numbers.
    if type(value) is not int or not 0 < value < 2**31:
        raise InvalidManifest(
            f"{name} must be a positive whole number, not {_shown(value)}"
        )
    return value


def _sources(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidManifest(f"sources must be a list, not {_shown(value)}")
    return tuple(_text(source, "sources") for source in value)


def _checksums(value: Any) -> dict[str, str]:
    listed = _mapping(value, "checksums")
    checksums = {name: _digest(digest, name) for name, digest in listed.items()}
    for name in checksums:
        if not is_flat_name(name) or name.lower() == MANIFEST_NAME:
            raise InvalidManifest(f"checksums name {name[:120]!r}, which is no file")
    if len({name.lower() for name in checksums}) != len(checksums):
        raise InvalidManifest("checksums name two files that differ by case only")
    missing = [name for name in REQUIRED_NAMES if name not in checksums]
    if missing:
        raise InvalidManifest(f"checksums do not list {', '.join(missing)}")
    if (TATTOO_INDEX_NAME in checksums) != (TATTOO_NAMES_NAME in checksums):
        raise InvalidManifest(
            f"{TATTOO_INDEX_NAME} and {TATTOO_NAMES_NAME} belong together"
        )
    return checksums


def _digest(value: Any, name: str) -> str:
    found = _DIGEST.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidManifest(
            f"{name[:120]}: the digest must be sha256 and 64 hexadecimal digits, "
            f"not {_shown(value)}"
        )
    return found[1].lower()


def _networks(value: Any) -> NetworkSet:
    """Return the set; a manifest that names none is of the published kind."""
    if value is None:
        return PUBLISHED_NETWORKS
    content = _mapping(value, "networks")
    name = _text(content.get("name"), "networks.name")
    if not _SET_NAME.fullmatch(name):
        raise InvalidManifest(f"networks.name is no simple name: {_shown(name)}")
    files = {
        path: _digest(digest, path)
        for path, digest in _mapping(content.get("files"), "networks.files").items()
    }
    for path in files:
        parts = path.split("/")
        if len(parts) > 2 or not all(map(is_flat_name, parts)):
            raise InvalidManifest(f"networks.files names the path {path[:120]!r}")
    if len(set(files) - EMBEDDER_NAMES) != 1 or len(files) != 3:
        raise InvalidManifest(
            f"networks.files must name {', '.join(sorted(EMBEDDER_NAMES))} and a "
            f"detector, not {_shown(sorted(files))}"
        )
    if name == PUBLISHED_NETWORKS.name:
        raise InvalidManifest(
            f"networks.name {name!r} is kept for manifests that name no networks"
        )
    return NetworkSet(name=name, files=files)


def _embedding_dimensions(value: Any) -> dict[str, int]:
    """Return {"facenet": 512, ...} of what the models block states."""
    models = _mapping({} if value is None else value, "models")
    dimensions = {}
    for network in ("facenet", "arcface"):
        dimension = models.get(f"{network}_dim", FACE_DIMENSIONS)
        if type(dimension) is not int or dimension != FACE_DIMENSIONS:
            raise InvalidManifest(
                f"models.{network}_dim is {_shown(dimension)}; "
                f"only {FACE_DIMENSIONS} is supported"
            )
        if f"{network}_dim" in models:
            dimensions[network] = dimension
    alignment = models.get("alignment", SUPPORTED_ALIGNMENT)
    if alignment != SUPPORTED_ALIGNMENT:
        raise InvalidManifest(
            f"models.alignment is {_shown(alignment)}; "
            f"only {SUPPORTED_ALIGNMENT!r} is supported"
        )
    if models.get("flip_averaging", True) is not True:
        raise InvalidManifest("models.flip_averaging is off; only on is supported")
    return dimensions
