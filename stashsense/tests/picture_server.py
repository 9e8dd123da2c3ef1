"""A web server on loopback, and wires that lead every address to it."""

import itertools
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from stashsense.integrations.safe_fetch import (
    Network,
    connect_socket,
    fetch_public,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC_ADDRESS = "93.184.215.14"
PICTURE = b"the bytes of a picture"

# Far above what an idle machine needs, far below what a drip would take.
PATIENCE_SECONDS = 10.0


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test put at the path."""

    protocol_version = "HTTP/1.1"

    server: "PictureServer"

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.server.pages[self.path](self)

    def log_message(self, *_):
        """The test's output is no place for access logs."""

    def answer(self, body=PICTURE, *, status=200, **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class PictureServer(ThreadingHTTPServer):
    """Serves `pages` by path, and remembers what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.pages: dict[str, Callable[[Handler], Any]] = {"/picture": Handler.answer}
        self.names_asked_for: list[str | None] = []
        self.host = f"127.0.0.1:{self.server_port}"
        self.stopped = threading.Event()

    def url(self, path="/picture", *, host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.server_port}{path}"

    def redirect(self, path, location, *, status=302):
        self.pages[path] = lambda handler: handler.answer(
            b"", status=status, Location=location
        )

    def handle_error(self, *_):
        """Clients that hang up are what these tests are about."""

    def drip(self, write, data=b"x"):
        """Write now and then until the client has gone."""
        for _ in range(10_000):
            if self.stopped.wait(0.05):
                return
            write(data)


def drip_body(handler):
    """A page that begins and never ends."""
    handler.answer(b"", Content_Length=None)
    handler.server.drip(handler.wfile.write)


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Wires:
    """Names and routes of a small internet that ends at one loopback server."""

    def __init__(self, *answers, leads_to=None):
        self.asked_for = []
        self.connected_to = []
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self._leads_to = leads_to

    def resolve(self, host, port, **_):
        self.asked_for.append(host)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                (address, port),
            )
            for address in next(self._answers)
        ]

    def connect(self, info, timeout_seconds):
        address = info[4][0]
        self.connected_to.append(address)
        assert self._leads_to, f"connected to {address}"
        there = ("127.0.0.1", self._leads_to.server_port)
        return connect_socket((socket.AF_INET, *info[1:4], there), timeout_seconds)

    def network(self, **kwargs):
        return Network(resolve=self.resolve, connect=self.connect, **kwargs)


def fetch(url, *, max_bytes=10_000, timeout_seconds=PATIENCE_SECONDS, **kwargs):
    return fetch_public(
        url, max_bytes=max_bytes, timeout_seconds=timeout_seconds, **kwargs
    )


def fetch_from(server, path="/picture", **kwargs):
    return fetch(server.url(path), allowed_hosts=[server.host], **kwargs)
