"""Videos in which the benchmarks' detector sees a known number of faces.

Shots of a few seconds, each with a keyframe at its beginning and no other: a landscape
with grain, a blob that wanders over it, and one of the magenta squares that the
detector takes for faces. Four shots have a second square in their keyframe alone, so
that whoever takes every keyframe, and each frame once, sees four faces more than
frames. The landscape stands still, which is what makes ten minutes quick to encode: a
keyframe costs what it costs in a film, the frames between cost less.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.cache import cached_folder, source_digest

FRAMES_PER_SECOND = 25
# Shots whose keyframe shows two faces.
SECOND_FACES = 4

# Y, Cb and Cr of magenta, as HD has them.
_MAGENTA = (78, 214, 230)
# The detector looks at 640 pixels, in cells of 8; a marker covers two by two of them.
_DETECTOR_SIDE_PX = 640
_CELL_PX = 8
_MARKER_CELLS = 2
_GRAIN_DEVIATION = 4.0
# Gives keyframes of 0.35 MB at 1080p, like those of a film of 4 Mbit/s. A quality to
# aim at (crf) would spend three times as much on pictures that stand still.
_QUANTISER = "25"

Plane = NDArray[np.uint8]
# Luma, and the two of colour in half its size.
Planes = tuple[Plane, Plane, Plane]


@dataclass(frozen=True)
class SceneClip:
    """What a video is made of; another one is another file in the cache."""

    name: str
    seconds: int
    shot_seconds: int
    width: int
    height: int
    preset: str = "superfast"
    seed: int = 8

    @property
    def shots(self) -> int:
        return self.seconds // self.shot_seconds

    @property
    def shots_with_two(self) -> frozenset[int]:
        """The shots with a second face, none of them the first or the last."""
        steps = range(1, SECOND_FACES + 1)
        return frozenset(self.shots * step // (SECOND_FACES + 1) for step in steps)


FULL_HD = SceneClip("1080p", seconds=600, shot_seconds=10, width=1920, height=1080)
QUICK_FULL_HD = SceneClip(
    "1080p-quick", seconds=120, shot_seconds=10, width=1920, height=1080
)
ULTRA_HD = SceneClip("4k", seconds=20, shot_seconds=2, width=3840, height=2160)


def scene_clip_path(clip: SceneClip) -> Path:
    """Return the video, made now or earlier."""
    recipe = {**asdict(clip), "program": source_digest(Path(__file__))}
    folder = cached_folder(
        f"scene-clip-{clip.name}",
        recipe=recipe,
        build=lambda folder: write_clip(clip, folder / "clip.mp4"),
    )
    return folder / "clip.mp4"


def write_clip(clip: SceneClip, path: Path) -> None:
    """Write the video into the file."""
    # Where the keyframes are is for us to say.
    interval = str(clip.shot_seconds * FRAMES_PER_SECOND)
    options = {
        "preset": clip.preset,
        "qp": _QUANTISER,
        "g": interval,
        "keyint_min": interval,
        "sc_threshold": "0",
    }
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options=options
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for number, planes in enumerate(_iter_pictures(clip)):
            joined = np.concatenate([plane.ravel() for plane in planes])
            frame = av.VideoFrame.from_ndarray(
                joined.reshape(-1, clip.width), format="yuv420p"
            )
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _iter_pictures(clip: SceneClip) -> Iterator[Planes]:
    rng = np.random.default_rng(clip.seed)
    for shot in range(clip.shots):
        landscape = _landscape(clip, rng)
        first, second = _marker_places(clip, rng)
        _mark(landscape, first, clip)
        speed = rng.uniform(0.5, 2.0, 2) * clip.width / 1000
        for number in range(clip.shot_seconds * FRAMES_PER_SECOND):
            picture = (landscape[0].copy(), landscape[1], landscape[2])
            _add_blob(picture[0], number * speed)
            if number == 0 and shot in clip.shots_with_two:
                picture = (picture[0], landscape[1].copy(), landscape[2].copy())
                _mark(picture, second, clip)
            yield picture


def _landscape(clip: SceneClip, rng: np.random.Generator) -> Planes:
    """Return hills of light and colour under grain."""
    luma = rng.normal(0, _GRAIN_DEVIATION, (clip.height, clip.width)).astype(np.float32)
    for cells, weight in ((6, 60), (40, 25), (300, 10)):
        luma += weight * _hills(rng, cells, luma.shape)
    half = (clip.height // 2, clip.width // 2)
    blue, red = (_as_plane(20 * _hills(rng, 6, half)) for _ in range(2))
    return _as_plane(luma), blue, red


def _hills(
    rng: np.random.Generator, cells: int, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    height, width = shape
    hills = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(hills, dtype=np.float32)


def _as_plane(values: NDArray[np.float32]) -> Plane:
    return np.clip(values + 128, 16, 235).astype(np.uint8)


def _marker_places(
    clip: SceneClip, rng: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return two places in cells, x and y: far apart, and with room for a face."""
    columns = _DETECTOR_SIDE_PX // _CELL_PX
    rows = columns * clip.height // clip.width
    left, right = rng.integers(12, columns // 2 - 12, 2)
    upper, lower = rng.integers(12, rows - 12, 2)
    return (int(left), int(upper)), (int(columns // 2 + right), int(lower))


def _mark(picture: Planes, place: tuple[int, int], clip: SceneClip) -> None:
    """Paint the square into the cells of the place."""
    cell = _CELL_PX * clip.width // _DETECTOR_SIDE_PX
    for plane, value, side in zip(
        picture, _MAGENTA, (cell, cell // 2, cell // 2), strict=True
    ):
        x, y = (side * at for at in place)
        reach = side * _MARKER_CELLS
        plane[y : y + reach, x : x + reach] = value


def _add_blob(luma: Plane, place: NDArray[np.float64]) -> None:
    """Paint what moves, at the lower edge, where no face is."""
    height, width = luma.shape
    radius = height // 20
    centre = (int(place[0]) % width, height - radius)
    cv2.circle(luma, centre, radius, 180, -1)
