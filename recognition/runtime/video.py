"""Frames of a video over HTTP, decoded ahead of whoever looks at them.

A thread of its own reads and decodes, at most two frames ahead, so that detection and
decoding overlap and memory is bounded whatever the video. Whoever asks for frames is
never kept waiting by the network for longer than it wants to: a thread that is blocked
there is left to its own time-out.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import av
import av.error

from recognition.exceptions import (
    MediaInterrupted,
    UnreadableVideo,
)
from recognition.runtime.video_errors import is_connection_error, reading_error
from recognition.runtime.video_frame import FrameConverter, VideoFrame
from recognition.runtime.video_reader import (
    DEFAULT_DECODER_THREADS,
    NotSeekable,
    VideoReader,
    VideoSource,
    open_video,
)

__all__ = ["FrameReport", "VideoFrame", "VideoSource", "iter_frames"]

DEFAULT_DEADLINE_SECONDS = 300.0
MAX_ERRORS = 5

# One frame waits here while the next is being made: two ahead of the caller.
_WAITING_FRAMES = 1
# A third of the share of a core that a thread of a network gets.
_NICER_BY = 5
# How often a new connection is tried for one scene.
_MAX_RECONNECTIONS = 3
# How soon a stop or the time limit is noticed while no frame comes.
_POLL_SECONDS = 0.2
# Decoding a frame of 8K takes less; blocked on the network takes longer and is left.
_JOIN_SECONDS = 0.5

# Sampling points, or a function that returns them for the video's own duration.
Timestamps = Sequence[float] | Callable[[float], Sequence[float]]


@dataclass
class FrameReport:
    """What became of the frames asked for; complete when the iteration has ended.

    `failed` counts the points that could not be decoded, `errors` tells of the first
    five. Fewer frames than asked without any error means that the video has no more.
    Width and height are those it is shown at. `is_cut_short`: the time limit, which
    `errors` tells of, or a stop came first.
    """

    requested: int = 0
    decoded: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    is_cut_short: bool = False

    def add_error(self, text: str) -> None:
        """Keep the text if it is among the first five."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(text)

    def add_last_error(self, text: str) -> None:
        """Keep the text, if need be in place of the last of the five."""
        self.errors[MAX_ERRORS - 1 :] = [text]


def never() -> bool:
    """Do not stop."""
    return False


def iter_frames(
    source: VideoSource,
    timestamps: Timestamps,
    *,
    max_side_px: int | None = None,
    decoder_threads: int = DEFAULT_DECODER_THREADS,
    deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    should_stop: Callable[[], bool] = never,
    report: FrameReport | None = None,
) -> Generator[VideoFrame, None, None]:
    """Yield a frame for each point, in order, all different, as soon as each is ready.

    Each comes from the nearest keyframe at or before its point. Where that was given
    already it is the next keyframe if it comes before the next point, otherwise the
    frame shown at the point itself. What cannot be decoded is left out and told in
    the report. Ends early at `deadline_seconds` after the first frame was asked for,
    or when `should_stop`. Whoever leaves it early closes it, which ends the decoding.

    Raises MediaUnavailable or UnreadableVideo if not one frame could be had, and
    MediaUnavailable after frames, too, if the source is lost: what came is then not
    all that the video would have given.
    """
    report = FrameReport() if report is None else report
    ends_at = time.monotonic() + deadline_seconds
    is_over = False

    def cuts_short() -> bool:
        nonlocal is_over
        is_over = is_over or should_stop() or time.monotonic() >= ends_at
        return is_over

    wanted = _Wanted(source, timestamps, max_side_px, decoder_threads)
    with _Decoding(wanted) as decoding:
        for event in decoding.iter_events(give_up=cuts_short):
            if isinstance(event, VideoFrame):
                _count_frame(report, event)
                yield event
            else:
                event(report)
    report.is_cut_short = is_over and not _is_done(report)
    if report.is_cut_short and report.decoded and not should_stop():
        report.add_last_error(
            f"Stopped after {deadline_seconds:g} s at frame {report.decoded} of "
            f"{report.requested}"
        )
    if report.decoded == 0 and not should_stop():
        raise _nothing_decoded(report, deadline_seconds)


def _is_done(report: FrameReport) -> bool:
    """Whether every point had its frame or its failure before the time was up."""
    return 0 < report.requested <= report.decoded + report.failed


def _count_frame(report: FrameReport, frame: VideoFrame) -> None:
    if report.decoded == 0:
        height, width = frame.image.shape[:2]
        report.width = round(width / frame.scale)
        report.height = round(height / frame.scale)
    report.decoded += 1


def _nothing_decoded(report: FrameReport, deadline_seconds: float) -> Exception:
    if report.is_cut_short:
        return MediaInterrupted(
            f"No frame of the video came within {deadline_seconds:g} seconds."
        )
    if report.errors:
        return UnreadableVideo(
            f"No frame of the video could be decoded. {report.errors[0]}"
        )
    return UnreadableVideo("The video has no frame at any of the points asked for.")


# What the decoding thread tells: a frame, or a change to the report.
_ReportChange = Callable[[FrameReport], None]
_Event = VideoFrame | _ReportChange


@dataclass(frozen=True)
class _Wanted:
    """Which frames of which video, and how they are to be decoded."""

    source: VideoSource
    timestamps: Timestamps
    max_side_px: int | None
    decoder_threads: int


@dataclass(frozen=True)
class _End:
    """The last thing said: nothing follows, or this error ended it."""

    error: Exception | None = None


class _Decoding:
    """The thread that decodes, and the queue it fills."""

    def __init__(self, wanted: "_Wanted") -> None:
        self._events: queue.Queue[_Event | _End] = queue.Queue(_WAITING_FRAMES)
        self._is_abandoned = is_abandoned = threading.Event()
        # Not by `self`, which would tie both, and what was decoded last, into a circle.
        self._sampler = _Sampler(wanted, is_wanted=lambda: not is_abandoned.is_set())
        self._thread = threading.Thread(
            target=self._run, name="video-frames", daemon=True
        )

    def __enter__(self) -> "_Decoding":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_abandoned.set()
        # A thread that waits for room in the queue finds it, and then sees the sign.
        while not self._events.empty():
            self._events.get()
        self._thread.join(_JOIN_SECONDS)

    def iter_events(self, *, give_up: Callable[[], bool]) -> Iterator[_Event]:
        """Yield what the thread tells; raise what ended it."""
        while not give_up():
            try:
                event = self._events.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if not isinstance(event, _End):
                yield event
            elif event.error is not None:
                raise event.error
            else:
                return

    def _run(self) -> None:
        error = None
        try:
            _give_way()
            for event in self._sampler.iter_events():
                self._events.put(event)
                if self._is_abandoned.is_set():
                    return
        except Exception as exc:
            # The edge of a thread: whoever asked for the frames gets it.
            error = exc
        self._events.put(_End(error))


def _give_way() -> None:
    """Let networks go first where both want a core: frames are made ahead of them.

    Linux alone keeps it to this thread, and to those that FFmpeg starts from here.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICER_BY
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


@dataclass(frozen=True)
class _Stretch:
    """A point, the frame given before it, and how far behind the next one may be."""

    seconds: float
    after: float | None
    reach_seconds: float


class _Sampler:
    """Goes from point to point, and to another connection when one breaks."""

    def __init__(self, wanted: "_Wanted", *, is_wanted: Callable[[], bool]) -> None:
        self._wanted = wanted
        self._timestamps = wanted.timestamps
        self._converter = FrameConverter(max_side_px=wanted.max_side_px)
        self._is_wanted = is_wanted
        self._reader: VideoReader | None = None
        self._reconnections_left = _MAX_RECONNECTIONS
        self._duration: float | None = None

    def iter_events(self) -> Iterator[_Event]:
        """Yield frames and changes to the report until the last point is done."""
        try:
            points = self._points(self._connected())
            yield _opened(len(points), self._duration)
            yield from self._iter_frames(points)
        except av.error.FFmpegError as exc:
            raise reading_error(exc) from exc
        finally:
            self._disconnect()

    def _points(self, reader: VideoReader) -> list[float]:
        self._duration = reader.duration_seconds
        if not callable(self._timestamps):
            return sorted(self._timestamps)
        if self._duration is None:
            self._duration = reader.measure_duration()
        return sorted(self._timestamps(self._duration))

    def _iter_frames(self, points: list[float]) -> Iterator[_Event]:
        last: float | None = None
        # Points in a row that gave nothing although the video goes on behind them.
        empty_count = 0
        for number, seconds in enumerate(points):
            if not self._is_wanted():
                return
            following = points[min(number + 1, len(points) - 1)]
            stretch = _Stretch(seconds, last, reach_seconds=following - seconds)
            outcome = self._outcome(stretch)
            if outcome is None and self._is_behind_the_end(seconds):
                continue
            if not isinstance(outcome, VideoFrame):
                empty_count += 1
                # A lost connection looks like a broken stretch or the video's end.
                if empty_count == 1 and self._reconnect():
                    outcome = self._outcome(stretch)
            if isinstance(outcome, VideoFrame):
                empty_count = 0
                last = outcome.seconds
                yield outcome
            elif outcome is not None:
                yield _failed_at(seconds)
        if empty_count > 1:
            self._reconnect()

    def _outcome(self, stretch: "_Stretch") -> VideoFrame | av.error.FFmpegError | None:
        """Return the frame, None where the video has none, or what broke there."""
        try:
            return self._frame_at(stretch)
        except av.error.FFmpegError as exc:
            return exc

    def _is_behind_the_end(self, seconds: float) -> bool:
        return self._duration is not None and seconds >= self._duration

    def _reconnect(self) -> bool:
        """Show that the source still answers; return whether there is a new reader.

        Raises MediaUnavailable if it does not. What was read from the beginning is not
        given up for that.
        """
        if not self._is_wanted():
            return False
        reader = self._connected()
        if reader.is_sequential:
            self._reopened().close()
            return False
        self._disconnect()
        self._reader = self._reopened()
        return True

    def _frame_at(self, stretch: "_Stretch") -> VideoFrame | None:
        """Return the frame for the point, over a new connection if need be.

        Raises FFmpeg's error if the stretch is broken, and ours if the connection is.
        """
        while True:
            reader = self._connected()
            try:
                frame = reader.frame_at(
                    stretch.seconds,
                    after=stretch.after,
                    reach_seconds=stretch.reach_seconds,
                )
            except NotSeekable:
                # What was read on the way is gone; from the beginning, once.
                self._disconnect()
                self._reader = self._reopened()
                self._reader.read_sequentially()
            except av.error.FFmpegError as exc:
                if not is_connection_error(exc):
                    raise
                self._disconnect()
                # From the beginning again is no way to get on.
                if self._reconnections_left == 0 or reader.is_sequential:
                    raise reading_error(exc) from exc
                self._reconnections_left -= 1
                self._reader = self._reopened()
            else:
                return None if frame is None else self._shown(reader, frame)

    def _shown(self, reader: VideoReader, frame: av.VideoFrame) -> VideoFrame:
        image, scale = self._converter.rgb_image(frame, pixel_ratio=reader.pixel_ratio)
        return VideoFrame(reader.seconds_of(frame), image, scale)

    def _connected(self) -> VideoReader:
        if self._reader is None:
            self._reader = self._opened()
        return self._reader

    def _opened(self) -> VideoReader:
        return open_video(
            self._wanted.source,
            is_wanted=self._is_wanted,
            decoder_threads=self._wanted.decoder_threads,
        )

    def _reopened(self) -> VideoReader:
        """Return another reader of what was read before; MediaUnavailable if none."""
        try:
            return self._opened()
        except UnreadableVideo as exc:
            raise MediaInterrupted(
                "The source of the video no longer sends what it sent before."
            ) from exc

    def _disconnect(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _opened(point_count: int, duration: float | None) -> _ReportChange:
    def change(report: FrameReport) -> None:
        report.requested = point_count
        report.duration_seconds = duration

    return change


def _failed_at(seconds: float) -> _ReportChange:
    def change(report: FrameReport) -> None:
        report.failed += 1
        report.add_error(f"Failed to decode frame at {seconds:.1f}s")

    return change
