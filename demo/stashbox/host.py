"""The HTTP of the stand-in stash-box: who is let in, and what goes wrong."""

import json
import select
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

from demo.stashbox.graphql_api import answer_request
from demo.stashbox.resolvers import IMAGE_SIDE_PX, Exchange
from demo.stashbox.state import Request, State

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class StashBoxHost(ThreadingHTTPServer):
    """Listens on the loopback and nowhere else."""

    # Tests stop servers and start them on the same port.
    allow_reuse_address = True
    daemon_threads = True
    # Threads end with their connections, which are cut at the end.
    block_on_close = False

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.state.lock:
            self.state.connection_count += 1
            self.state.connections[request] = self.state.connection_count
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.state.lock:
            self.state.connections.pop(request, None)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self.state.lock:
            connections = list(self.state.connections)
        for connection in connections:
            _cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that leave are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; the second must not wait for the first.
    disable_nagle_algorithm = True
    server: StashBoxHost

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing; `requests` has it all."""

    def do_GET(self) -> None:
        self._begin()
        if self.path.startswith("/images/"):
            self._answer(200, _picture(), "image/jpeg")
        else:
            self._answer(404, b"404 page not found\n", _TEXT)

    def do_POST(self) -> None:
        self._begin()
        # Read whatever happens, or it would be taken for the next request.
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/graphql":
            self._answer(404, b"404 page not found\n", _TEXT)
            return
        try:
            request = json.loads(body)
        except ValueError:
            request = {}
        self.request_row.operation = request.get("operationName")
        self.request_row.query = request.get("query")
        self.request_row.variables = request.get("variables") or {}
        if not self._goes_wrong(request):
            self._answer_graphql(request)

    def _begin(self) -> None:
        state = self.server.state
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_row = Request(
            self.path, headers, state.connections.get(self.connection, 0)
        )
        # At once: whoever counts must not be faster than the answer.
        with state.lock:
            state.requests.append(self.request_row)

    def _goes_wrong(self, request: dict[str, Any]) -> bool:
        """Do what the faults say; return whether that was the answer."""
        state = self.server.state
        faults = state.faults
        refusal = faults.refusals.get(request.get("operationName", ""))
        if faults.hang:
            self._keep_silent()
            self.close_connection = True
        elif (status := state.next_status()) is not None:
            wanted = faults.retry_after
            headers = {} if wanted is None else {"Retry-After": wanted}
            body = faults.body if faults.body is not None else b"it went wrong\n"
            self._answer(status, body, _TEXT, headers)
        elif faults.body is not None:
            self._answer(200, faults.body, faults.content_type)
        elif refusal is not None:
            errors = [{"message": refusal}]
            self._answer_json(200, {"errors": errors, "data": None})
        else:
            return False
        return True

    def _answer_graphql(self, request: dict[str, Any]) -> None:
        state = self.server.state
        given = self.headers.get("ApiKey")
        if given and given != state.api_key:
            self._answer(401, b"invalid api key\n", _TEXT)
            return
        exchange = Exchange(
            state.box,
            f"http://{self.headers.get('Host', '')}",
            is_known=bool(given),
        )
        answer = answer_request(request, exchange)
        if state.faults.failing_ids:
            self._fail_some(request, answer.body)
        self._answer_json(answer.status, answer.body)

    def _fail_some(self, request: dict[str, Any], body: dict[str, Any]) -> None:
        """Put an error in place of what was asked for by an id that fails."""
        for name, value in (request.get("variables") or {}).items():
            alias = name.replace("id", "found", 1)
            failing = self.server.state.faults.failing_ids
            is_failing = isinstance(value, str) and value in failing
            if is_failing and alias in (body.get("data") or {}):
                body["data"][alias] = None
                error = {"message": "internal system error", "path": [alias]}
                body.setdefault("errors", []).append(error)

    def _answer_json(self, status: int, content: dict[str, Any]) -> None:
        self._answer(status, json.dumps(content).encode(), _JSON)

    def _answer(
        self,
        status: int,
        body: bytes,
        content_type: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.request_row.status = status
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        is_cut = self.server.state.faults.cut
        try:
            self.wfile.write(body[: len(body) // 2] if is_cut else body)
        except OSError:
            self.close_connection = True
        if is_cut:
            self.close_connection = True
            _cut(self.connection)

    def _keep_silent(self) -> None:
        """Wait until the client leaves or the server stops."""
        while not self.server.state.stopping.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                return


def _picture() -> bytes:
    """Return a grey square: who is in it is for others to draw."""
    grey = np.full((IMAGE_SIDE_PX, IMAGE_SIDE_PX, 3), 128, np.uint8)
    return bytes(cv2.imencode(".jpg", grey)[1])


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first
