"""Videos as they turn up in libraries: turned, odd, broken, without an end."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from demo.brush import Picture
from demo.seeds import Namespace, generator
from demo.stash.shots import Member, iter_frames, plan_shots
from demo.stash.video import Encoding, write_audio, write_video
from demo.world import invent_stranger

_FPS = 12
_LANDSCAPE = (480, 270)
_PORTRAIT = (270 // 2 * 2, 480)
# What a player applies to show a picture a quarter turn clockwise; 16.16 numbers, the
# last of each row 2.30.
_QUARTER_TURN = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
_MATRIX_OFFSET_BYTES = 44


@dataclass(frozen=True)
class Film:
    """What a variant shows; strangers unless a cast is given."""

    seconds: float = 6.0
    cast: Sequence[Member] = ()

    def frames(self, size: tuple[int, int], *, fps: int = _FPS) -> list[Picture]:
        cast = self.cast or [
            Member(invent_stranger(Namespace.STASH_STRANGER, 90 + i), stranger=90 + i)
            for i in range(2)
        ]
        shots = plan_shots(
            cast,
            generator(Namespace.STASH_SHOT, 90),
            seconds=self.seconds,
            shot_seconds=(1.5, 2.0),
            title_seconds=0.0,
            has_blank=False,
        )
        return list(iter_frames(shots, size=size, fps=fps, title=""))


class _Pipe:
    """A file that cannot be sought in, so that no duration is written at its start."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)


def write_variant(name: str, folder: Path, film: Film = Film()) -> Path:
    """Write the variant of that name (`VARIANTS`) into the folder; return its path."""
    suffix = ".mkv" if name == "no_duration" else ".mp4"
    path = folder / f"{name}{suffix}"
    VARIANTS[name](path, film)
    return path


def break_stretch(data: bytes, *, begin_share: float, end_share: float) -> bytes:
    """Return the bytes with noise over a stretch."""
    begin, end = int(len(data) * begin_share), int(len(data) * end_share)
    noise = generator(Namespace.STASH_SHOT, 91).bytes(end - begin)
    return data[:begin] + noise + data[end:]


def rotate_by_metadata(data: bytes) -> bytes:
    """Return an MP4 whose picture players show a quarter turn clockwise."""
    turned = bytearray(data)
    # The first track is the video.
    place = data.index(b"tkhd") - 4
    begin = place + 4 + _MATRIX_OFFSET_BYTES
    struct.pack_into(">9i", turned, begin, *_QUARTER_TURN)
    return bytes(turned)


def _write(
    path: Path,
    film: Film,
    *,
    size: tuple[int, int] = _LANDSCAPE,
    encoding: Encoding = Encoding(),  # noqa: B008
) -> None:
    write_video(path, film.frames(size), fps=_FPS, encoding=encoding)


def _write_variable_rate(path: Path, film: Film) -> None:
    """Write a few frames a second first and many at the end."""
    frames = film.frames(_LANDSCAPE)
    shares = np.linspace(0, 1, len(frames)) ** 0.5
    write_video(path, frames, fps=_FPS, times=[float(s) * film.seconds for s in shares])


def _write_rotated(path: Path, film: Film) -> None:
    frames = film.frames(_PORTRAIT)
    lying = [np.ascontiguousarray(np.rot90(frame)) for frame in frames]
    write_video(path, lying, fps=_FPS)
    path.write_bytes(rotate_by_metadata(path.read_bytes()))


def _write_without_duration(path: Path, film: Film) -> None:
    with path.open("wb") as file:
        write_video(
            _Pipe(file),
            film.frames(_LANDSCAPE),
            fps=_FPS,
            encoding=Encoding(container="matroska", has_audio=False),
        )


def _write_audio_only(path: Path, film: Film) -> None:
    write_audio(path, seconds=film.seconds)


def _write_truncated(path: Path, film: Film) -> None:
    """Keep the index and the first half of the frames."""
    _write(path, film)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _write_without_index(path: Path, film: Film) -> None:
    """Lose the end of a file that has its index there: nothing can be read."""
    _write(path, film, encoding=Encoding(is_fast_start=False))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _write_broken_stretch(path: Path, film: Film) -> None:
    _write(path, film)
    data = break_stretch(path.read_bytes(), begin_share=0.4, end_share=0.6)
    path.write_bytes(data)


VARIANTS: dict[str, Callable[[Path, Film], None]] = {
    "landscape": _write,
    "portrait": partial(_write, size=_PORTRAIT),
    "rotated": _write_rotated,
    "variable_rate": _write_variable_rate,
    "hevc": partial(_write, encoding=Encoding(codec="libx265")),
    "av1": partial(_write, encoding=Encoding(codec="libsvtav1")),
    "index_at_end": partial(_write, encoding=Encoding(is_fast_start=False)),
    "silent": partial(_write, encoding=Encoding(has_audio=False)),
    "audio_only": _write_audio_only,
    "no_duration": _write_without_duration,
    "truncated": _write_truncated,
    "no_index": _write_without_index,
    "broken_stretch": _write_broken_stretch,
}
