"""The HTTP of the stand-in Stash: who is let in, where things are, what goes wrong."""

import email.utils
import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from demo.http_host import Connections, LoopbackHandler, LoopbackHost
from demo.stash.exchange import Exchange
from demo.stash.graphql_api import answer_request
from demo.stash.media import Media, find_media
from demo.stash.schema import parse_version
from demo.stash.state import Exchanged, State

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK_BYTES = 64 * 1024
# How often a slow answer gets its next bytes.
_SLOW_STEPS_PER_SECOND = 20
_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
# Stash's own pages: any address that is nothing else opens them.
_PAGE = b"<!DOCTYPE html><title>Stash</title><div id=root></div>"
_MEDIA_ROOTS = {"scene", "image", "gallery", "performer", "studio", "tag", "plugin"}
_OPEN_PATHS = {"/healthz", "/login"}


class StashHost(LoopbackHost):
    def __init__(self, state: State, port: int, connections: Connections) -> None:
        self.state = state
        super().__init__(port, _Handler, connections)


class _Handler(LoopbackHandler):
    server: StashHost

    def do_GET(self) -> None:
        self._answer_request()

    def do_POST(self) -> None:
        self._answer_request()

    def _answer_request(self) -> None:
        self.exchange = Exchanged(
            self.command,
            self.path,
            self.lower_headers(),
            self.server.connections.number_of(self.connection),
        )
        body = self.read_body()
        address = urlsplit(self.path)
        if not (self._goes_wrong() or self._is_refused(address.path, address.query)):
            self._answer_path(address.path, address.query, body)

    def _answer_path(self, path: str, query: str, body: bytes) -> None:
        parts = unquote(path).strip("/").split("/")
        if path == "/graphql":
            self._answer_graphql(query, body)
        elif self.command != "GET":
            self._answer(405, b"", "text/plain")
        elif path == "/healthz":
            self._answer(200, b"", "text/plain")
        elif parts[0] not in _MEDIA_ROOTS or parts in (["scene"], ["image"]):
            self._answer(200, _PAGE, _HTML)
        else:
            with self.server.state.library.lock:
                media = find_media(self.server.state.library, parts)
            if media is None:
                self._answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
            else:
                self._answer_media(media)

    def _goes_wrong(self) -> bool:
        """Do what the faults say; return whether that was the answer."""
        state = self.server.state
        faults = state.faults
        if not self.path.startswith(faults.only_paths):
            return False
        if faults.delay_seconds:
            self.server.stopping.wait(faults.delay_seconds)
        status = state.next_of(faults.statuses) or faults.status
        if faults.hang:
            state.record(self.exchange)
            self.keep_silent()
            self.close_connection = True
        elif faults.html is not None:
            self._answer(status or 200, faults.html.encode(), _HTML)
        elif status is not None:
            self._answer(status, b"it went wrong\n", "text/plain; charset=utf-8")
        else:
            return False
        return True

    def _is_refused(self, path: str, query: str) -> bool:
        """Refuse who may not come in, the way Stash tells addresses apart."""
        state = self.server.state
        given = self.headers.get("ApiKey") or parse_qs(query).get("apikey", [""])[0]
        if path in _OPEN_PATHS or given == state.api_key:
            return False
        if not given and state.session and self._cookie() == state.session:
            return False
        if given:
            # A wrong key is refused even where no key is wanted.
            status = 401 if parse_version(state.version) >= (0, 26) else 500
            self._answer(status, b"invalid API key\n", "text/plain; charset=utf-8")
        elif path == "/graphql" or "." in path.rpartition("/")[2]:
            self._answer(401, b"", "text/plain; charset=utf-8")
        else:
            back = {"Location": f"/login?returnURL={quote(self.path, safe='')}"}
            self._answer(302, b"", _HTML, back)
        return True

    def _cookie(self) -> str:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return cookies["session"].value if "session" in cookies else ""

    def _answer_graphql(self, query: str, body: bytes) -> None:
        state = self.server.state
        try:
            request = self._graphql_request(query, body)
        except (ValueError, TypeError) as error:
            message = f"json request body could not be decoded: {error}"
            text = json.dumps({"errors": [{"message": message}], "data": None})
            self._answer(400, text.encode(), _JSON)
            return
        self.exchange.operation = request.get("operationName")
        self.exchange.query = request.get("query")
        self.exchange.variables = request.get("variables") or {}
        exchange = Exchange(
            state.library, self._base_url(), state.api_key, state.version
        )
        meanwhile = state.faults.meanwhile.get(self.exchange.operation or "")
        if meanwhile is not None and (refusal := meanwhile()) is not None:
            refused = json.dumps({"data": None, "errors": [{"message": refusal}]})
            self._answer(200, refused.encode(), self._graphql_type())
            return
        answer = answer_request(request, exchange, is_query_only=self.command == "GET")
        kind = self._graphql_type() if answer.status == 200 else _JSON
        self._answer(answer.status, json.dumps(answer.body).encode(), kind)

    def _graphql_request(self, query: str, body: bytes) -> dict[str, Any]:
        if self.command == "POST":
            request = json.loads(body)
            if not isinstance(request, dict):
                raise ValueError("not an object")
            return request
        fields: dict[str, Any] = {k: v[0] for k, v in parse_qs(query).items()}
        if "variables" in fields:
            fields["variables"] = json.loads(fields["variables"])
        return fields

    def _graphql_type(self) -> str:
        first = self.headers.get("Accept", "").partition(",")[0].partition(";")[0]
        if first.strip() in ("", _JSON):
            return _JSON
        is_new = parse_version(self.server.state.version) >= (0, 29)
        return "application/graphql-response+json" if is_new else _JSON

    def _base_url(self) -> str:
        state = self.server.state
        if state.external_host:
            return state.external_host.rstrip("/")
        scheme = self.headers.get("X-Forwarded-Proto", "http")
        prefix = self.headers.get("X-Forwarded-Prefix", "").rstrip("/")
        return f"{scheme}://{self.headers.get('Host', '')}{prefix}"

    def _answer(
        self,
        status: int,
        body: bytes,
        content_type: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._send_head(
            status,
            {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                **(headers or {}),
            },
        )
        self._send_parts([body], len(body))

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.exchange.status = status
        self.server.state.record(self.exchange)
        self.send_head(status, headers)

    def _answer_media(self, media: Media) -> None:
        if isinstance(media.content, bytes):
            self._answer(200, media.content, media.content_type)
            return
        size = media.content.stat().st_size
        asked = self._asked_range(size) if media.has_ranges else None
        if asked is not None and asked[0] >= asked[1]:
            refused = {"Content-Range": f"bytes */{size}"}
            self._answer(416, b"", "text/plain; charset=utf-8", refused)
            return
        start, stop = asked or (0, size)
        modified = email.utils.formatdate(media.content.stat().st_mtime, usegmt=True)
        headers = {
            "Content-Type": media.content_type,
            "Content-Length": str(stop - start),
            "Last-Modified": modified,
        }
        if media.has_ranges and not self.server.state.faults.ignore_range:
            headers["Accept-Ranges"] = "bytes"
        if asked:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self._send_head(206 if asked else 200, headers)
        self._send_parts(_iter_file(media.content, start, stop), stop - start)

    def _asked_range(self, size: int) -> tuple[int, int] | None:
        """Return start and stop, empty where unsatisfiable; None for all of it."""
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if self.server.state.faults.ignore_range or found is None:
            return None
        if not found[1]:
            return (max(0, size - int(found[2])), size) if found[2] else None
        start = int(found[1])
        if not found[2]:
            return start, size
        last = int(found[2])
        return None if last < start else (start, min(last + 1, size))

    def _send_parts(self, parts: Any, total: int) -> None:
        """Send the body, or as much of it as the faults let through."""
        state = self.server.state
        faults = state.faults
        is_faulty = self.path.startswith(faults.only_paths)
        end = state.next_of(faults.drop_after_bytes) if is_faulty and total else None
        left = total if end is None else min(total, end)
        rate = faults.bytes_per_second if is_faulty else None
        step = max(1, rate // _SLOW_STEPS_PER_SECOND) if rate else _CHUNK_BYTES
        for part in parts:
            for begin in range(0, len(part), step):
                if left <= 0 or self.server.stopping.is_set():
                    break
                if rate:
                    self.server.stopping.wait(1 / _SLOW_STEPS_PER_SECOND)
                piece = part[begin : begin + min(step, left)]
                # Counted first: a client that has the bytes finds them counted.
                self.exchange.sent_bytes += len(piece)
                left -= len(piece)
                try:
                    self.wfile.write(piece)
                except OSError:
                    self.close_connection = True
                    return
        if self.exchange.sent_bytes < total:
            self.hang_up()


def _iter_file(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop and (part := file.read(min(_CHUNK_BYTES, stop - start))):
            start += len(part)
            yield part
