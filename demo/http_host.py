"""HTTP on the loopback for stand-ins: connections counted, silence kept, an end made.

What is answered, and what goes wrong, is each stand-in's own.
"""

import select
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Connections:
    """Connections by their numbers; these go on from one host to the next."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._numbers: dict[socket.socket, int] = {}

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self.count += 1
            self._numbers[connection] = self.count

    def discard(self, connection: socket.socket) -> None:
        with self._lock:
            self._numbers.pop(connection, None)

    def number_of(self, connection: socket.socket) -> int:
        """Return how many connections there were with this one; 0 once it is gone."""
        with self._lock:
            return self._numbers.get(connection, 0)

    def cut(self) -> None:
        """End all that are open."""
        with self._lock:
            connections = list(self._numbers)
        for connection in connections:
            cut_connection(connection)


class LoopbackHost(ThreadingHTTPServer):
    """Listens on the loopback and nowhere else, from `start` until `stop`."""

    # Tests stop servers and start them on the same port.
    allow_reuse_address = True
    daemon_threads = True
    # Threads end with their connections, which are cut at the end.
    block_on_close = False

    def __init__(
        self,
        port: int,
        handler: type["LoopbackHandler"],
        connections: Connections | None = None,
    ) -> None:
        self.connections = connections or Connections()
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), handler)
        # Polled often: tests stop many servers.
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections, and cut those there are, whatever they were doing."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        self.connections.cut()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that leave are what this server is for."""


class LoopbackHandler(BaseHTTPRequestHandler):
    """What every answer needs."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; the second must not wait for the first.
    disable_nagle_algorithm = True
    server: LoopbackHost

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing; `requests` has it all."""

    def lower_headers(self) -> dict[str, str]:
        """Return the headers of the request by their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def read_body(self) -> bytes:
        """Return the body; one left unread would be taken for the next request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def keep_silent(self) -> None:
        """Wait until the client leaves or the server stops."""
        while not self.server.stopping.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def hang_up(self) -> None:
        """Cut the connection, whatever was promised of the body."""
        self.close_connection = True
        cut_connection(self.connection)


class LoopbackServer:
    """Serves until `stop` or the end of its `with`; may be away in between."""

    def __init__(
        self, host_at: Callable[[int, Connections], LoopbackHost], port: int
    ) -> None:
        self._host_at = host_at
        self._connections = Connections()
        self._host: LoopbackHost | None = host_at(port, self._connections)
        self._port = self._host.server_port
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        assert self._host is not None, "a stopped server"
        self._host.start()
        return self

    def stop(self) -> None:
        """End every connection, whatever it was doing."""
        self.go_down()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def connection_count(self) -> int:
        """How many connections were ever made."""
        return self._connections.count

    def go_down(self) -> None:
        """Refuse connections until `come_back`, and cut those there are."""
        if self._host is not None:
            self._host.stop()
            self._host = None

    def come_back(self) -> None:
        """Listen at the same address again."""
        if self._host is None:
            self._host = self._host_at(self._port, self._connections)
            self._host.start()


def cut_connection(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first
