"""A web server on loopback that answers as Stash, whatever the test wants it to."""

import json
import threading
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_transport import Patience

KEY = "header.payload-of-a-key.signature"
# Repeats without lingering; the time-outs are far above what a busy machine needs.
QUICK = Patience(
    connect_seconds=10, stall_seconds=10, answer_seconds=20, first_delay_seconds=0.01
)


@dataclass
class Seen:
    """A request that arrived; `operation` is "" where it was no GraphQL."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def operation(self):
        return self.body.get("operationName", "")

    @property
    def variables(self):
        return self.body["variables"]


@dataclass
class Reply:
    """What goes over the wire; with `cut`, the connection ends after half of it."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def data(**fields):
    return Reply(json.dumps({"data": fields}).encode())


def errors(*messages, status=200, answered=None):
    body = {"data": answered, "errors": [{"message": text} for text in messages]}
    return Reply(json.dumps(body).encode(), status=status)


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test put for the operation or the path."""

    protocol_version = "HTTP/1.1"
    # The head and the body of an answer are two packets, which would wait.
    disable_nagle_algorithm = True

    server: "StashServer"

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.connection_count += 1

    def do_GET(self):
        self._answer(Seen("GET", self.path, dict(self.headers)))

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(Seen("POST", self.path, dict(self.headers), json.loads(content)))

    def log_message(self, *_):
        """The test's output is no place for access logs."""

    def _answer(self, seen):
        with self.server.lock:
            self.server.requests.append(seen)
        reply = self.server.reply(seen)
        if callable(reply):
            self.close_connection = True
            reply(self)
            return
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.cut:
            self.close_connection = True
            self.wfile.write(reply.body[: len(reply.body) // 2])
        else:
            self.wfile.write(reply.body)


class StashServer(ThreadingHTTPServer):
    """Serves `replies`: by operation or path, each a Reply, a function, or a list.

    Of a list every request takes the first, until one is left. A function gets the
    request, and what it returns may be called with the handler.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests: list[Seen] = []
        self.connection_count = 0
        self.stopped = threading.Event()
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        self.replies = {"Version": data(version={"version": "v0.30.1"})}

    def reply(self, seen):
        reply = self.replies.get(seen.operation or seen.path, Reply(status=404))
        if isinstance(reply, list):
            with self.lock:
                reply = reply.pop(0) if len(reply) > 1 else reply[0]
        return reply(seen) if callable(reply) else reply

    def client(self, api_key=KEY, *, path="", patience=QUICK, **kwargs):
        return StashClient(f"{self.url}{path}", api_key, patience=patience, **kwargs)

    @property
    def operations(self):
        return [seen.operation or seen.path for seen in self.requests]

    def handle_error(self, *_):
        """Clients that hang up are what these tests are about."""


@contextmanager
def running_stash():
    server = StashServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def ask_and_fail(server, error_class=StashError, **kwargs):
    with pytest.raises(error_class) as error:
        server.client(**kwargs).get_scene(12)
    assert type(error.value) is error_class
    assert KEY not in "".join(traceback.format_exception(error.value))
    return str(error.value)


def fetch(server, url="/scene/12/screenshot", *, max_bytes=1000, seconds=10, **kwargs):
    return server.client(**kwargs).fetch_media(
        url, max_bytes=max_bytes, timeout_seconds=seconds
    )


def drip(handler):
    """Begin an answer that never ends, a byte now and then."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.wait(0.02):
        handler.wfile.write(b" ")


# What Stash says of things, as a test changes it.

BOX = "https://stashdb.org/graphql"
ID_OF_ANNA = "5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"


def performer(id=7, *, endpoint=BOX, stash_id=ID_OF_ANNA, **fields):
    stash_ids = [
        {
            "endpoint": endpoint,
            "stash_id": stash_id,
            "updated_at": "2025-03-01T10:00:00Z",
        }
    ]
    return {"id": str(id), "name": "Anna", "stash_ids": stash_ids, **fields}


def video(id=31, **fields):
    return {
        "__typename": "VideoFile",
        "id": str(id),
        "basename": "film.mp4",
        "size": 5_000_000_000,
        "duration": 600.04,
        "width": 1920,
        "height": 1080,
        "frame_rate": 25,
        "video_codec": "h264",
        "fingerprints": [
            {"type": "oshash", "value": "0123456789abcdef"},
            {"type": "phash", "value": "f00d"},
        ],
        **fields,
    }


def scene(id=12, *, base="http://elsewhere:9999", **fields):
    return {
        "id": str(id),
        "title": "A film",
        "updated_at": "2026-01-02T03:04:05+01:00",
        "files": [video()],
        "paths": {
            "screenshot": f"{base}/scene/{id}/screenshot?t=1767319445",
            "stream": f"{base}/scene/{id}/stream?apikey={KEY}",
            "vtt": f"{base}/scene/abc_thumbs.vtt",
            "sprite": f"{base}/scene/abc_sprite.jpg",
        },
        "performers": [performer()],
        **fields,
    }


def image(id=5, *, base="http://elsewhere:9999", **fields):
    return {
        "id": str(id),
        "title": None,
        "updated_at": "2026-01-02T03:04:05.123456789Z",
        "visual_files": [{"__typename": "ImageFile", "width": 4000, "height": 3000}],
        "paths": {
            "image": f"{base}/image/{id}/image?t=1",
            "thumbnail": f"{base}/image/{id}/thumbnail?t=1",
        },
        "performers": [],
        **fields,
    }
