"""The HTTP of the stand-in stash-box: who is let in, and what goes wrong."""

import json
from typing import Any

import cv2
import numpy as np

from demo.http_host import Connections, LoopbackHandler, LoopbackHost
from demo.stashbox.graphql_api import answer_request
from demo.stashbox.resolvers import IMAGE_SIDE_PX, Exchange
from demo.stashbox.state import Request, State

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class StashBoxHost(LoopbackHost):
    def __init__(self, state: State, port: int, connections: Connections) -> None:
        self.state = state
        super().__init__(port, _Handler, connections)


class _Handler(LoopbackHandler):
    server: StashBoxHost

    def do_GET(self) -> None:
        self._begin()
        if self.path.startswith("/images/"):
            pictures = self.server.state.box.pictures
            jpeg = pictures.get(self.path.removeprefix("/images/"))
            self._answer(200, jpeg or _grey(), "image/jpeg")
        else:
            self._answer(404, b"404 page not found\n", _TEXT)

    def do_POST(self) -> None:
        self._begin()
        body = self.read_body()
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
        self.request_row = Request(
            self.path,
            self.lower_headers(),
            self.server.connections.number_of(self.connection),
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
            self.keep_silent()
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
        self.send_head(
            status,
            {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                **(headers or {}),
            },
        )
        is_cut = self.server.state.faults.cut
        try:
            self.wfile.write(body[: len(body) // 2] if is_cut else body)
        except OSError:
            self.close_connection = True
        if is_cut:
            self.hang_up()


def _grey() -> bytes:
    grey = np.full((IMAGE_SIDE_PX, IMAGE_SIDE_PX, 3), 128, np.uint8)
    return bytes(cv2.imencode(".jpg", grey)[1])
