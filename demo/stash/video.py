"""Video files as cameras and encoders make them, with PyAV."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from demo.brush import Picture

KEYFRAME_SECONDS = 2
_AUDIO_RATE_HZ = 16_000
_AUDIO_FRAME_SAMPLES = 1024
# Microseconds suit every frame rate, a variable one too.
_TIME_BASE = Fraction(1, 1_000_000)
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "crf": "30"},
    "libx265": {"preset": "ultrafast", "crf": "28", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12", "crf": "40", "svtav1-params": "lp=1"},
}


@dataclass(frozen=True)
class Encoding:
    """How a video is written. `is_fast_start` puts the index before the frames."""

    codec: str = "libx264"
    keyframe_seconds: float = KEYFRAME_SECONDS
    has_audio: bool = True
    is_fast_start: bool = True
    container: str = "mp4"


class Sink(Protocol):
    """What can be written to, if nothing else."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes; return how many."""


@dataclass(frozen=True)
class VideoFacts:
    """What a prober tells of a file; zeros and empty texts where it cannot tell."""

    width: int
    height: int
    duration: float
    frame_rate: float
    bit_rate: int
    video_codec: str
    audio_codec: str
    format: str


def write_video(
    target: Path | Sink,
    frames: Iterable[Picture],
    *,
    fps: int,
    encoding: Encoding = Encoding(),
    times: Iterable[float] | None = None,
) -> None:
    """Encode RGB frames of even sides, one after the other or at these seconds."""
    options = {}
    if encoding.container == "mp4" and encoding.is_fast_start:
        options["movflags"] = "+faststart"
    file = str(target) if isinstance(target, Path) else target
    with av.open(file, "w", format=encoding.container, options=options) as container:
        iterator = iter(frames)
        first = next(iterator)
        stream = _add_video(container, first, fps, encoding)
        audio = _add_audio(container) if encoding.has_audio else None
        moments = iter(times) if times is not None else None
        seconds = 0.0
        for index, picture in enumerate(_chained(first, iterator)):
            seconds = next(moments) if moments is not None else index / fps
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = _TIME_BASE
            frame.pts = round(seconds / _TIME_BASE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            _write_tone(container, audio, seconds + 1 / fps)


def iter_video(path: Path) -> Iterator[Picture]:
    """Yield the frames of a video, RGB."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def write_audio(target: Path, *, seconds: float) -> None:
    """Write an MP4 file that has sound and no picture."""
    with av.open(str(target), "w", format="mp4") as container:
        _write_tone(container, _add_audio(container), seconds)


def probe_video(path: Path) -> VideoFacts:
    """Return what the file says of itself; nothing is decoded."""
    try:
        with av.open(str(path)) as container:
            video = next(iter(container.streams.video), None)
            audio = next(iter(container.streams.audio), None)
            rate = video.average_rate if video is not None else None
            return VideoFacts(
                width=video.codec_context.width if video is not None else 0,
                height=video.codec_context.height if video is not None else 0,
                duration=max(0.0, float((container.duration or 0) / av.time_base)),
                frame_rate=float(rate or 0),
                bit_rate=container.bit_rate,
                video_codec=video.codec_context.codec.canonical_name
                if video is not None
                else "",
                audio_codec=audio.codec_context.codec.canonical_name
                if audio is not None
                else "",
                format=path.suffix.lstrip("."),
            )
    except av.FFmpegError:
        return VideoFacts(0, 0, 0.0, 0.0, 0, "", "", path.suffix.lstrip("."))


def _chained(first: Picture, rest: Iterable[Picture]) -> Iterable[Picture]:
    yield first
    yield from rest


def _add_video(
    container: OutputContainer, first: Picture, fps: int, encoding: Encoding
) -> VideoStream:
    height, width = first.shape[:2]
    stream = container.add_stream(
        encoding.codec, rate=fps, options=dict(_OPTIONS[encoding.codec])
    )
    assert isinstance(stream, VideoStream), encoding.codec
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = _TIME_BASE
    context.gop_size = max(1, round(encoding.keyframe_seconds * fps))
    # Several videos are encoded at once; two threads each would only disturb.
    context.thread_count = 1
    return stream


def _add_audio(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=_AUDIO_RATE_HZ, layout="mono")
    assert isinstance(stream, AudioStream), "aac"
    return stream


def _write_tone(
    container: OutputContainer, stream: AudioStream, seconds: float
) -> None:
    """Write a soft hum, as rooms have it."""
    count = round(seconds * _AUDIO_RATE_HZ)
    wave = 0.01 * np.sin(np.arange(count, dtype=np.float32) * (2 * np.pi * 110 / 16e3))
    for begin in range(0, count, _AUDIO_FRAME_SAMPLES):
        part = wave[None, begin : begin + _AUDIO_FRAME_SAMPLES].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate = _AUDIO_RATE_HZ
        frame.time_base = Fraction(1, _AUDIO_RATE_HZ)
        frame.pts = begin
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
