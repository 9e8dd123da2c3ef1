"""The prepared form of a release: who each face belongs to, in files that map.

Written while staging, read by every serving process; both ends of the format are in
this module. Parsing faces.json and performers.json at each load would take seconds
and hundreds of megabytes; mapping these takes none. Knows no Django.

    prepared/face_performers.npy    int32[F]    row of each face's performer, -1: none
    prepared/performers.jsonl                   a JSON object for each performer
    prepared/performer_offsets.npy  int64[P+1]  where each line begins; then the end
"""

import json
import mmap
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbupdates.exceptions import InvalidRelease
from dbupdates.manifest import PREPARED_NAME
from stashsense.files import sync_directory

FACES_NAME = "faces.json"
PERFORMERS_NAME = "performers.json"

_FACE_PERFORMERS = "face_performers.npy"
_PERFORMERS = "performers.jsonl"
_OFFSETS = "performer_offsets.npy"
_NOBODY = -1


@dataclass(frozen=True)
class Performer:
    """What a release knows of a performer without its performers.db."""

    universal_id: str
    name: str
    country: str | None
    image_url: str | None
    face_count: int | None


class PreparedRelease:
    """The prepared form of one release, mapped into memory.

    It stays readable after its folder was renamed or deleted.
    """

    def __init__(
        self,
        *,
        face_performers: NDArray[np.int32],
        offsets: NDArray[np.int64],
        lines: mmap.mmap,
    ) -> None:
        self.face_performers = face_performers
        self._offsets = offsets
        self._lines = lines
        self._known_rows: dict[str, int | None] = {}

    @property
    def face_count(self) -> int:
        return len(self.face_performers)

    @property
    def performer_count(self) -> int:
        return len(self._offsets) - 1

    def performer(self, row: int) -> Performer:
        """Return the performer in the row; IndexError outside the table."""
        if not 0 <= row < self.performer_count:
            raise IndexError(f"performer row {row} of {self.performer_count}")
        start, end = self._offsets[row : row + 2]
        return Performer(**json.loads(self._lines[int(start) : int(end)]))

    def find_row(self, universal_id: str) -> int | None:
        """Return the performer's row; looks through all of them at the first time.

        That takes some milliseconds, and no memory that a table of all would.
        """
        if universal_id not in self._known_rows:
            # How each line begins; in a name the quotation marks would be escaped.
            beginning = json.dumps({"universal_id": universal_id})[:-1] + ","
            place = self._lines.find(beginning.encode("ascii"), 0)
            self._known_rows[universal_id] = (
                None if place < 0 else int(np.searchsorted(self._offsets, place))
            )
        return self._known_rows[universal_id]


def write_prepared(release_dir: Path) -> None:
    """Write the prepared form beside the faces.json and performers.json it is of.

    Raises InvalidRelease when the two do not make sense together; what was written is
    on the disk (fsync) when this returns.
    """
    performers = [
        _performer(universal_id, content)
        for universal_id, content in _load_performers(release_dir).items()
    ]
    rows = {performer.universal_id: row for row, performer in enumerate(performers)}
    face_performers = np.fromiter(
        (
            _performer_row(face, universal_id, rows)
            for face, universal_id in enumerate(_load_faces(release_dir))
        ),
        dtype=np.int32,
    )
    prepared_dir = release_dir / PREPARED_NAME
    prepared_dir.mkdir()
    offsets = [0]
    with (prepared_dir / _PERFORMERS).open("xb") as lines:
        for performer in performers:
            lines.write(json.dumps(asdict(performer)).encode("ascii") + b"\n")
            offsets.append(lines.tell())
        lines.flush()
        os.fsync(lines.fileno())
    _save_array(prepared_dir / _OFFSETS, np.array(offsets, dtype=np.int64))
    _save_array(prepared_dir / _FACE_PERFORMERS, face_performers)
    sync_directory(prepared_dir)


def open_prepared(release_dir: Path) -> PreparedRelease:
    """Return the prepared form in the folder; OSError or ValueError if it is damaged.

    Looks at the numbers; the performers are decoded when they are asked for.
    """
    prepared_dir = release_dir / PREPARED_NAME
    face_performers: NDArray[np.int32] = _mapped_array(
        prepared_dir / _FACE_PERFORMERS, np.dtype(np.int32)
    )
    offsets: NDArray[np.int64] = _mapped_array(
        prepared_dir / _OFFSETS, np.dtype(np.int64)
    )
    with (prepared_dir / _PERFORMERS).open("rb") as file:
        lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(lines):
        raise ValueError(f"{_OFFSETS} does not fit {_PERFORMERS}")
    if not (np.diff(offsets) > 0).all():
        raise ValueError(f"{_OFFSETS} is not in order")
    if len(face_performers) == 0:
        raise ValueError(f"{_FACE_PERFORMERS} names no face")
    if face_performers.min() < _NOBODY or face_performers.max() >= len(offsets) - 1:
        raise ValueError(f"{_FACE_PERFORMERS} names a performer that is not there")
    return PreparedRelease(
        face_performers=face_performers, offsets=offsets, lines=lines
    )


def _load_performers(release_dir: Path) -> dict[str, Any]:
    performers = load_json(release_dir / PERFORMERS_NAME)
    if not isinstance(performers, dict) or not performers:
        raise InvalidRelease(f"{PERFORMERS_NAME} is not an object of performers")
    return performers


def _load_faces(release_dir: Path) -> list[Any]:
    faces = load_json(release_dir / FACES_NAME)
    if not isinstance(faces, list) or not faces:
        raise InvalidRelease(f"{FACES_NAME} is not a list of faces")
    return faces


def load_json(path: Path) -> Any:
    """Return the file's content; InvalidRelease unless it is JSON."""
    try:
        return json.loads(path.read_bytes())
    # RecursionError: brackets nested without end.
    except (ValueError, RecursionError) as exc:
        raise InvalidRelease(f"{path.name} is not JSON: {exc}") from exc


def _performer(universal_id: str, content: Any) -> Performer:
    """Return the performer; absent values are tolerated, wrong ones are not."""
    if not universal_id or not isinstance(content, dict):
        raise InvalidRelease(f"{PERFORMERS_NAME}: {universal_id!r} is no performer")
    face_count = content.get("face_count")
    if face_count is not None and (type(face_count) is not int or face_count < 0):
        raise InvalidRelease(
            f"{PERFORMERS_NAME}: {universal_id} has face_count {face_count!r}"
        )
    return Performer(
        universal_id=universal_id,
        name=_text_or_none(content, "name", universal_id) or "Unknown",
        country=_text_or_none(content, "country", universal_id),
        image_url=_text_or_none(content, "image_url", universal_id),
        face_count=face_count,
    )


def _text_or_none(
    content: Mapping[str, Any], key: str, universal_id: str
) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidRelease(f"{PERFORMERS_NAME}: {universal_id} has {key} {value!r}")
    return value


def _performer_row(face: int, universal_id: Any, rows: Mapping[str, int]) -> int:
    if universal_id is None:
        return _NOBODY
    row = rows.get(universal_id) if isinstance(universal_id, str) else None
    if row is None:
        raise InvalidRelease(
            f"{FACES_NAME}: face {face} belongs to {str(universal_id)[:120]!r}, "
            f"who is not in {PERFORMERS_NAME}"
        )
    return row


def _save_array(path: Path, array: NDArray[Any]) -> None:
    with path.open("xb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _mapped_array(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as exc:
        raise ValueError(f"{path.name} is empty") from exc
    if array.dtype != dtype or array.ndim != 1:
        raise ValueError(
            f"{path.name} holds {array.dtype} in {array.ndim} dimensions, "
            f"not {dtype} in one"
        )
    return np.asarray(array)
