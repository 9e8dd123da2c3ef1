"""One open video: over HTTP, in one container, from keyframe to keyframe.

FFmpeg's own networking does the reading. It is held to the one address it was given,
by plain protocols and well-known formats: a playlist, a reference to another file or a
redirect is refused, so that nothing but the named source is ever opened. The API key
travels in a header; no message says more of the address than the caller put into it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import av
import av.error
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from recognition.exceptions import UnreadableVideo
from recognition.runtime.video_errors import IO_TIMEOUT_SECONDS, opening_error
from recognition.runtime.video_frame import shown_size
from recognition.runtime.video_trust import trust_file

# 8K is 33 million; the same as for pictures.
MAX_VIDEO_PIXELS = 64_000_000

# So far ahead, decoding on is taken to cost less than looking for a keyframe.
_NEAR_SECONDS = 2
# Frames nobody refers to are left out until this close to the point.
_EXACT_SECONDS = 0.5
# Formats without an index land behind the keyframe; each attempt goes further back.
_SEEK_ATTEMPTS = 4
# More threads keep more frames in memory and make a keyframe no faster.
DEFAULT_DECODER_THREADS = 4

_MICROSECONDS = 1_000_000

_FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,rm,ogg"
)
_OPTIONS: Final = {
    "protocol_whitelist": "http,https,tcp,tls",
    "format_whitelist": _FORMATS,
    # FFmpeg's default is to believe whoever answers, and to send them the key.
    "tls_verify": "1",
    # Stash redirects to its login page; nothing else is expected to redirect.
    "max_redirects": "0",
    "rw_timeout": str(IO_TIMEOUT_SECONDS * _MICROSECONDS),
    # Without keep-alive FFmpeg 8.1 takes the end of one answer for the end of the
    # video: https://github.com/mpv-player/mpv/issues/18023
    "multiple_requests": "1",
    "icy": "0",
    # None from the environment: the key is for Stash alone.
    "http_proxy": "",
    "user_agent": "stash-sense",
}

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
else:
    # Only the type checker knows that packets are generic.
    VideoPacket = Packet
VideoPackets: TypeAlias = Iterator[VideoPacket]


class NotSeekable(Exception):
    """The source gives the video from its beginning only."""


@dataclass(frozen=True)
class VideoSource:
    """Where a video is, and the headers that open it, which nothing ever prints."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("The address of a video begins with http:// or https://.")
        keys = {name.lower() for name, _ in parse_qsl(parts.query)}
        if parts.username or parts.password or "apikey" in keys:
            raise ValueError("The key to a video belongs in a header, not its address.")
        for text in (*self.headers, *self.headers.values()):
            if not text.isascii() or not text.isprintable():
                raise ValueError("A header of a video is not printable ASCII.")


def open_video(
    source: VideoSource,
    *,
    is_wanted: Callable[[], bool],
    decoder_threads: int = DEFAULT_DECODER_THREADS,
) -> "VideoReader":
    """Return the open video; `is_wanted` is asked between packets.

    Raises MediaUnavailable for what the source answers, UnreadableVideo for what it
    sends.
    """
    # Off is PyAV's default, and must be: FFmpeg's debug messages hold the headers.
    av.logging.set_level(None)
    options = dict(_OPTIONS)
    if urlsplit(source.url).scheme == "https":
        options["ca_file"] = str(trust_file())
    if source.headers:
        # FFmpeg would send an empty text as an empty line, which ends the headers.
        options["headers"] = "".join(
            f"{name}: {value}\r\n" for name, value in source.headers.items()
        )
    try:
        container = av.open(
            source.url,
            options=options,
            timeout=(IO_TIMEOUT_SECONDS, IO_TIMEOUT_SECONDS),
            metadata_errors="replace",
        )
    except av.error.FFmpegError as exc:
        raise opening_error(exc) from exc
    try:
        return VideoReader(
            container, is_wanted=is_wanted, decoder_threads=decoder_threads
        )
    except UnreadableVideo:
        container.close()
        raise


class VideoReader:
    """Frames of an open video, asked for in the order of time.

    Points and positions inside are whole numbers in the stream's own unit, so that a
    scene of hours loses nothing.
    """

    def __init__(
        self,
        container: InputContainer,
        *,
        is_wanted: Callable[[], bool],
        decoder_threads: int,
    ) -> None:
        self._container = container
        self._is_wanted = is_wanted
        self._stream = _picture_stream(container)
        self._codec = self._stream.codec_context
        self._codec.thread_count = decoder_threads
        self._codec.options = {"max_pixels": str(MAX_VIDEO_PIXELS)}
        unit = self._stream.time_base
        assert unit is not None
        self._unit: Fraction = unit
        start = Fraction(container.start_time or 0, _MICROSECONDS)
        self._origin = round(start / self._unit)
        self._near = round(_NEAR_SECONDS / self._unit)
        self._packets: VideoPackets = iter(())
        self._decoded: deque[av.VideoFrame] = deque()
        # Where decoding has got to; None where it would have to begin at a keyframe.
        self._position: int | None = None
        # The last frame there is, once it was seen.
        self._end: int | None = None
        self._has_keyframes = False
        self._has_other_packets = False
        self.is_sequential = False
        self._passed: VideoPacket | None = None
        self._upcoming: VideoPacket | None = None

    @property
    def duration_seconds(self) -> float | None:
        """What the container says; None where it does not."""
        if self._container.duration and self._container.duration > 0:
            return self._container.duration / _MICROSECONDS
        if self._stream.duration and self._stream.duration > 0:
            return float(self._stream.duration * self._unit)
        return None

    @property
    def pixel_ratio(self) -> Fraction | None:
        """The width of a pixel divided by its height; None means square."""
        return self._stream.sample_aspect_ratio

    def close(self) -> None:
        """Close the connection and free what decoding holds."""
        self._decoded.clear()
        # The generator refers to this reader: a circle that would keep the decoder,
        # with ten frames or more, until the collector comes round.
        self._packets = iter(())
        self._passed = self._upcoming = None
        self._container.close()

    def seconds_of(self, frame: av.VideoFrame) -> float:
        """Return when the frame is shown, from the start of the video."""
        return float((_frame_time(frame) - self._origin) * self._unit)

    def measure_duration(self) -> float:
        """Return when the last packet is shown, having read the whole video."""
        last = self._origin
        for packet in self._read_packets():
            last = max(last, _packet_time(packet) + (packet.duration or 0))
        return float((last - self._origin) * self._unit)

    def read_sequentially(self) -> None:
        """Never seek again: read on, and take the keyframes that come by."""
        self.is_sequential = True
        self._position = None

    def frame_at(
        self, seconds: float, *, after: float | None, reach_seconds: float
    ) -> av.VideoFrame | None:
        """Return a frame for the point that is shown later than `after`.

        That is the nearest keyframe at or before the point. Where it was given
        before, it is a keyframe up to `reach_seconds` behind the point, and where
        there is none, the very frame shown at the point or else the next one. None at
        the end of the video.
        """
        point = self._origin + round(seconds / self._unit)
        earliest = self._origin
        if after is not None:
            earliest = self._origin + round(after / self._unit) + 1
        if self._end is not None and earliest > self._end:
            return None
        limit = point + round(reach_seconds / self._unit)
        if self.is_sequential:
            return self._passing_keyframe(point, earliest, limit)
        try:
            if not self._can_decode_on(point):
                frame = self._fresh_keyframe(point, earliest, limit)
                if frame is not None or not self._start_group(point):
                    return frame
            return self._decode_to(point, earliest)
        except av.error.FFmpegError:
            self._position = None
            raise

    def _fresh_keyframe(
        self, point: int, earliest: int, limit: int
    ) -> av.VideoFrame | None:
        packet = self._seek(point)
        if packet is not None and _packet_time(packet) < earliest:
            packet = self._seek_after(max(point, earliest), limit)
        return None if packet is None else self._decode_keyframe(packet)

    def _can_decode_on(self, point: int) -> bool:
        """Whether decoding on is the way: no keyframe between, and not far."""
        if self._position is None or point < self._position:
            return False
        index = self._stream.index_entries
        if index.search_timestamp(point) != index.search_timestamp(self._position):
            return False
        is_indexed = index.search_timestamp(point, backward=False, any_frame=True) >= 0
        return is_indexed or point - self._position <= self._near

    def _seek(self, point: int) -> VideoPacket | None:
        """Return the keyframe at or before the point; None at the end of the video."""
        start = point
        packet = None
        for attempt in range(_SEEK_ATTEMPTS):
            self._seek_to(start, backward=True)
            earlier, packet = packet, self._next_keyframe_packet(landing=start)
            if earlier and packet and _packet_time(packet) > _packet_time(earlier):
                # Further back lies what comes later: it just reads on.
                raise NotSeekable
            overshoot = self._near if packet is None else _packet_time(packet) - point
            if overshoot <= 0 or start < self._origin or not self._is_wanted():
                break
            start -= overshoot * 2**attempt
        return packet

    def _seek_after(self, point: int, limit: int) -> VideoPacket | None:
        """Return the first keyframe from the point to the limit, if there is one."""
        if limit < point:
            return None
        try:
            self._seek_to(point, backward=False)
        except (av.error.PermissionError, av.error.EOFError):
            # FFmpeg's way to say that no keyframe follows.
            return None
        packet = self._next_keyframe_packet()
        while packet is not None and _packet_time(packet) < point:
            packet = self._next_keyframe_packet(is_going_on=True)
        if packet is None or _packet_time(packet) > limit:
            return None
        return packet

    def _seek_to(self, point: int, *, backward: bool) -> None:
        self._position = None
        self._decoded.clear()
        try:
            self._container.seek(point, backward=backward, stream=self._stream)
        except av.error.NotImplementedError as exc:
            raise NotSeekable from exc

    def _next_keyframe_packet(
        self, *, landing: int | None = None, is_going_on: bool = False
    ) -> VideoPacket | None:
        """Return the next keyframe; `landing` is where the first packet should be."""
        if not is_going_on:
            self._packets = self._read_packets()
        for packet in self._packets:
            if packet.is_keyframe:
                self._has_keyframes = True
                return packet
            self._has_other_packets = True
            if landing is not None and landing - _packet_time(packet) > self._near:
                raise NotSeekable
            landing = None
        return None

    def _read_packets(self) -> VideoPackets:
        """Yield the packets from here to the end, as long as they are wanted."""
        for packet in self._container.demux(self._stream):
            if not self._is_wanted():
                return
            # The last packet is empty and stands for the end.
            if packet.size and not (packet.pts is None and packet.dts is None):
                yield packet

    def _decode_keyframe(self, packet: VideoPacket) -> av.VideoFrame | None:
        """Return this one picture; None where it cannot be had without those after."""
        self._codec.skip_frame = "NONKEY"
        frames = [*self._codec.decode(packet), *self._codec.decode(None)]
        self._codec.flush_buffers()
        self._position = None
        sound = [frame for frame in frames if not frame.is_corrupt]
        if frames and not sound:
            raise _damaged()
        return sound[0] if sound else None

    def _start_group(self, point: int) -> bool:
        """Begin to decode at the keyframe before the point; False at the end."""
        packet = self._seek(point)
        if packet is None:
            if self._has_other_packets and not self._has_keyframes:
                # Nothing in it can be decoded; looking again would read all again.
                self._end = self._origin - 1
                raise _damaged()
            return False
        self._codec.skip_frame = "DEFAULT"
        self._decoded.extend(self._codec.decode(packet))
        self._position = _packet_time(packet)
        return True

    def _decode_to(self, point: int, earliest: int) -> av.VideoFrame | None:
        """Return the frame shown at the point if it is fresh, else the next one."""
        best = None
        while (frame := self._next_decoded(point)) is not None:
            time = _frame_time(frame)
            if time < earliest or frame.is_corrupt:
                continue
            if time > point:
                if best is None:
                    return frame
                self._decoded.appendleft(frame)
                return best
            best = frame
        if self._is_wanted():
            self._end = earliest - 1 if best is None else _frame_time(best)
            if best is None and earliest == self._origin:
                # There were packets up to the end, and no picture in any of them.
                raise _damaged()
        return best

    def _next_decoded(self, point: int) -> av.VideoFrame | None:
        """Return the next frame of the group being decoded; None at the end."""
        while not self._decoded:
            packet = next(self._packets, None)
            if packet is None:
                if self._position is None:
                    return None
                # What the decoder still holds; afterwards it has to begin anew.
                self._decoded.extend(self._codec.decode(None))
                self._position = None
                continue
            distance = (point - _packet_time(packet)) * self._unit
            self._codec.skip_frame = (
                "NONREF" if distance > _EXACT_SECONDS else "DEFAULT"
            )
            self._decoded.extend(self._codec.decode(packet))
        frame = self._decoded.popleft()
        if self._position is not None:
            self._position = max(self._position, _frame_time(frame))
        return frame

    def _passing_keyframe(
        self, point: int, earliest: int, limit: int
    ) -> av.VideoFrame | None:
        """Return the keyframe last passed before the point, or the one that follows."""
        if self._upcoming is None and self._passed is None:
            self._packets = self._read_packets()
            self._upcoming = self._next_keyframe_packet(is_going_on=True)
        while self._upcoming is not None and _packet_time(self._upcoming) <= point:
            self._passed = self._upcoming
            self._upcoming = self._next_keyframe_packet(is_going_on=True)
        for packet in (self._passed, self._upcoming):
            if packet is not None and earliest <= _packet_time(packet) <= limit:
                return self._decode_keyframe(packet)
        return None


def _picture_stream(container: InputContainer) -> VideoStream:
    """Return the stream of moving pictures; have all others passed over."""
    best = container.streams.best("video")
    streams = [
        stream
        for stream in sorted(container.streams.video, key=lambda each: each != best)
        # A cover inside of a music file is a stream of one picture.
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise UnreadableVideo("The video has no pictures, only sound or nothing.")
    stream = streams[0]
    if stream.codec_context is None:
        raise UnreadableVideo("The video's pictures are in a format we cannot decode.")
    width, height = shown_size(stream.width, stream.height, stream.sample_aspect_ratio)
    if width * height > MAX_VIDEO_PIXELS:
        raise UnreadableVideo(
            f"The video is larger than {MAX_VIDEO_PIXELS // 1_000_000} megapixels."
        )
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    return stream


def _packet_time(packet: VideoPacket) -> int:
    time = packet.dts if packet.pts is None else packet.pts
    assert time is not None  # others are not read
    return time


def _frame_time(frame: av.VideoFrame) -> int:
    time = frame.dts if frame.pts is None else frame.pts
    if time is None:
        raise _damaged()
    return time


def _damaged() -> av.error.FFmpegError:
    return av.error.InvalidDataError(
        av.error.tag_to_code(b"INDA"), "The picture is damaged"
    )
