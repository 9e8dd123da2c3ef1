"""Videos to take frames from: shots of moving textures, made once with x264.

Every shot pans over a picture of its own, three blobs move through it, and grain lies
over all, so that motion search and residuals cost what they cost in a film. Shots
last 4 to 16 seconds; x264 puts a keyframe at each cut and, as it does by default,
after 250 frames without one.
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

_SHOT_SECONDS = (4, 16)
_PAN_PX = 96
_GRAIN_TILES = 8
_GRAIN_DEVIATION = 4.0
_BLOBS = 3

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """What a video is made of; another one is another file in the cache."""

    name: str
    seconds: int
    width: int
    height: int
    codec: str = "libx264"
    preset: str = "veryfast"
    seed: int = 4


FULL_HD = Clip("1080p", seconds=600, width=1920, height=1080)
QUICK_FULL_HD = Clip("1080p-quick", seconds=90, width=1920, height=1080)
ULTRA_HD = Clip("4k", seconds=20, width=3840, height=2160, preset="ultrafast")


def clip_path(clip: Clip) -> Path:
    """Return the video, made now or earlier; 1080p takes about its own length."""
    recipe = {**asdict(clip), "program": source_digest(Path(__file__))}
    folder = cached_folder(
        f"clip-{clip.name}",
        recipe=recipe,
        build=lambda folder: _write(clip, folder / "clip.mp4"),
    )
    return folder / "clip.mp4"


def _write(clip: Clip, path: Path) -> None:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            clip.codec, rate=FRAMES_PER_SECOND, options={"preset": clip.preset}
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for number, picture in enumerate(_iter_pictures(clip)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _iter_pictures(clip: Clip) -> Iterator[Plane]:
    """Yield each frame as yuv420p, planes one below the other."""
    rng = np.random.default_rng(clip.seed)
    shape = (clip.height + _PAN_PX, clip.width + _PAN_PX)
    grain = [
        rng.normal(0, _GRAIN_DEVIATION, shape).astype(np.int8)
        for _ in range(_GRAIN_TILES)
    ]
    left = clip.seconds * FRAMES_PER_SECOND
    while left:
        count = min(left, int(rng.integers(*_SHOT_SECONDS) * FRAMES_PER_SECOND))
        yield from _iter_shot(clip, rng, grain, count=count)
        left -= count


def _iter_shot(
    clip: Clip,
    rng: np.random.Generator,
    grain: list[NDArray[np.int8]],
    *,
    count: int,
) -> Iterator[Plane]:
    height, width = clip.height, clip.width
    luma = _texture(rng, (height + _PAN_PX, width + _PAN_PX))
    chroma = _texture(rng, (height + _PAN_PX, width // 2 + _PAN_PX))
    pan = rng.uniform(-1, 1, 2)
    places = rng.uniform(0.2, 0.8, (_BLOBS, 2))
    speeds = rng.uniform(-0.004, 0.004, (_BLOBS, 2))
    for number in range(count):
        top, side = (_PAN_PX / 2 * (1 + pan * np.sin(number / 60))).astype(int)
        picture = luma[top : top + height, side : side + width].copy()
        for blob, place in enumerate(np.abs((places + speeds * number) % 2 - 1)):
            centre = (int(place[0] * width), int(place[1] * height))
            axes = (height // 8, height // 6)
            cv2.ellipse(picture, centre, axes, 0, 0, 360, 90 + 60 * blob, -1)
        noise = grain[number % _GRAIN_TILES]
        down, along = rng.integers(0, _PAN_PX, 2)
        noise = noise[down : down + height, along : along + width]
        picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
        colour = chroma[top // 2 : top // 2 + height, side // 2 :]
        colour = colour[:, : width // 2]
        yield np.concatenate([picture.ravel(), colour.ravel()]).reshape(-1, width)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Return a smooth landscape with detail on three scales."""
    picture = np.zeros(shape, np.float32)
    for cells, weight in ((6, 60), (40, 25), (300, 10)):
        coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        picture += weight * cv2.resize(
            coarse, shape[::-1], interpolation=cv2.INTER_CUBIC
        )
    return np.clip(picture + 128, 16, 235).astype(np.uint8)
