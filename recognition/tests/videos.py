"""Small videos whose pictures say which frame they are, and a server for them."""

import io
import re
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np

BITS = 12
BIT_PX = 16
WIDTH, HEIGHT = BITS * BIT_PX, 128
RATE = 25


def numbered_picture(number, *, width=WIDTH, height=HEIGHT):
    """Return a picture whose upper half is the number in black and white columns."""
    bits = np.array([255 * (number >> bit & 1) for bit in range(BITS)], np.uint8)
    row = np.full(width, 128, np.uint8)
    row[:WIDTH] = bits.repeat(BIT_PX)
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[: height // 2] = row[None, :, None]
    return picture


def number_in(image):
    """Return the number of a numbered picture, scaled or not."""
    row = image[image.shape[0] // 4, :, 1]
    step = image.shape[1] / BITS
    return sum((int(row[int((bit + 0.5) * step)]) > 128) << bit for bit in range(BITS))


def corner_picture():
    """Return a picture with a red upper left and a blue lower right quarter."""
    picture = np.full((96, 160, 3), 255, np.uint8)
    picture[:48, :80] = 255, 0, 0
    picture[48:, 80:] = 0, 0, 255
    return picture


def corners_of(image):
    """Return the colours of the quarters, row by row: r, b, or w."""
    height, width = image.shape[:2]
    colours = ""
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            red, _, blue = (int(value) for value in image[y, x])
            colours += "w" if min(red, blue) > 128 else "r" if red > blue else "b"
    return colours


def video_bytes(
    pictures,
    *,
    times=None,
    container="mp4",
    codec="libx264",
    group=RATE,
    rotation=None,
    is_seekable=True,
    pixel_ratio=None,
    colorspace="ITU601",
    options=None,
    pix_fmt="yuv420p",
    unit=Fraction(1, 1000),
):
    """Return a video of the pictures, by default 25 a second, a keyframe a second."""
    with tempfile.NamedTemporaryFile() as out:
        # The index in front, as files for the web have it; that takes a real file.
        index = {
            "mp4": {"movflags": "faststart"},
            "matroska": {"cues_to_front": "1"},
        }
        target = out.name if is_seekable else _Pipe(out)
        with av.open(
            target, "w", format=container, options=index.get(container, {})
        ) as file:
            stream = file.add_stream(codec, rate=RATE)
            quality = {
                "libx264": {"preset": "ultrafast", "bf": "2", "sc_threshold": "0"}
            }
            stream.options = {**quality.get(codec, {}), **(options or {})}
            stream.gop_size = group
            for number, picture in enumerate(pictures):
                if number == 0:
                    stream.height, stream.width = picture.shape[:2]
                    stream.pix_fmt = pix_fmt
                    stream.codec_context.time_base = unit
                    if pixel_ratio is not None:
                        stream.codec_context.sample_aspect_ratio = pixel_ratio
                    if rotation is not None:
                        stream.set_display_rotation(**rotation)
                frame = av.VideoFrame.from_ndarray(picture)
                frame = frame.reformat(format=pix_fmt, dst_colorspace=colorspace)
                seconds = Fraction(number, RATE) if times is None else times[number]
                frame.pts, frame.time_base = round(seconds / unit), unit
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        out.seek(0)
        return out.read()


def numbered_video(count, **how):
    """Return a video of numbered pictures."""
    return video_bytes((numbered_picture(number) for number in range(count)), **how)


def audio_bytes():
    """Return two seconds of silence as an m4a."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=44_100)
        silence = np.zeros((1, 88_200), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


class _Pipe(io.RawIOBase):
    """Writes to a buffer and cannot go back, as a live recording is written."""

    def __init__(self, out):
        self._out = out

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, data):
        return self._out.write(data)


@dataclass
class VideoServer:
    """Serves one video, well or badly, and remembers what it was asked."""

    body: bytes = b""
    status: int = 200
    location: str | None = None
    obeys_range: bool = True
    closes: bool = False
    # How many answers end after so many bytes, although more was promised.
    broken_answers: int = 0
    broken_after_bytes: int = 0
    # From which request on nothing is answered.
    stalls_from_request: int | None = None
    # Where in the video every answer falls silent, or breaks off.
    silent_from_byte: int | None = None
    breaks_at_byte: int | None = None
    # What is answered after such a break: a status, 0 for nobody listening any more.
    status_after_break: int | None = None
    stop_listening: Callable[[], object] = bool
    # To give another certificate from the next connection on.
    tls: ssl.SSLContext | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    address: str = ""
    stalled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self):
        return f"{self.address}/scene/1/stream"

    def answer(self, handler):
        """Answer one GET request."""
        self.requests.append((handler.path, dict(handler.headers)))
        if (
            self.stalls_from_request is not None
            and len(self.requests) >= self.stalls_from_request
        ):
            self.stalled.set()
            self.released.wait()
            handler.close_connection = True
            return
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        first = int(asked[1]) if asked and self.obeys_range else 0
        body, status = self.body[first:], self.status
        if asked and self.obeys_range and status == 200:
            status = 206 if body or not first else 416
        handler.send_response(status)
        if status == 206:
            end = len(self.body)
            handler.send_header("Content-Range", f"bytes {first}-{end - 1}/{end}")
        if self.location is not None:
            handler.send_header("Location", self.location)
        if self.closes:
            handler.send_header("Connection", "close")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.broken_answers and len(body) > self.broken_after_bytes:
            self.broken_answers -= 1
            body = body[: self.broken_after_bytes]
            handler.close_connection = True
        if self.silent_from_byte is not None and status < 300:
            handler.wfile.write(body[: max(self.silent_from_byte - first, 0)])
            self.stalled.set()
            self.released.wait()
            handler.close_connection = True
            return
        if self.breaks_at_byte is not None and status < 300:
            body = body[: max(self.breaks_at_byte - first, 0)]
            handler.wfile.write(body)
            self._break_off()
            handler.close_connection = True
            return
        handler.wfile.write(body)

    def _break_off(self):
        if self.status_after_break == 0:
            self.stop_listening()
        elif self.status_after_break is not None:
            self.status = self.status_after_break


@contextmanager
def video_server(body=b"", *, certificate=None, **how):
    """Run a server for the body on loopback, by TLS if it has a certificate."""
    knobs = VideoServer(body, **how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            knobs.answer(self)

        def handle(self):
            try:
                super().handle()
            except OSError:
                # A reader that seeks closes the connection.
                self.close_connection = True

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        knobs.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        knobs.tls.load_cert_chain(certificate)
        server.socket = knobs.tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    scheme = "http" if certificate is None else "https"
    knobs.address = f"{scheme}://127.0.0.1:{server.server_port}"

    def stop_listening():
        server.shutdown()
        server.server_close()

    knobs.stop_listening = stop_listening
    try:
        yield knobs
    finally:
        knobs.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def noisy_video():
    """Return a video so large that it does not fit into the buffers on its way."""
    noise = np.random.default_rng(2)
    pictures = (noise.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(60))
    return video_bytes(pictures, group=10, options={"crf": "5"})
