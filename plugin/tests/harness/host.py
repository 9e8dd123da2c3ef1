"""The HTTP of the harness: pages, plugins' files, and the way to the demo Stash."""

import email.utils
import http.client
import json
import mimetypes
import secrets
import select
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from demo.http_host import Connections, LoopbackHandler, LoopbackHost
from demo.stash.server import StashServer
from plugin.tests.harness.manifests import Plugin
from plugin.tests.harness.operations import Operations
from stashsense.data_folder import ROOT

BUNDLE_DIR = ROOT / "plugin" / "tests" / "harness" / "dist"
COOKIE_NAME = "session"
_MEDIA = {"scene", "image", "gallery", "performer", "studio", "tag"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}
_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"
_CHUNK_BYTES = 64 * 1024

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")


@dataclass
class Site:
    """What is served, and who is signed in: every browser is, at its first page."""

    stash: StashServer
    plugins: dict[str, Plugin]
    operations: Operations
    bundle_dir: Path = BUNDLE_DIR
    sessions: set[str] = field(default_factory=set)

    def new_session(self) -> str:
        session = secrets.token_urlsafe()
        self.sessions.add(session)
        return session


class HarnessHost(LoopbackHost):
    def __init__(self, site: Site, port: int, connections: Connections) -> None:
        self.site = site
        super().__init__(port, _Handler, connections)


class _Handler(LoopbackHandler):
    server: HarnessHost

    def do_GET(self) -> None:
        self._answer_request()

    def do_POST(self) -> None:
        self._answer_request()

    def _answer_request(self) -> None:
        body = self.read_body()
        address = urlsplit(self.path)
        parts = unquote(address.path).strip("/").split("/")
        is_page = parts[0] not in {"graphql", "plugin", "harness", "favicon.ico"} and (
            parts[0] not in _MEDIA or len(parts) < 2
        )
        if is_page:
            self._answer_page(address.query)
        elif parts[0] == "harness":
            self._answer_file(self.server.site.bundle_dir / parts[-1])
        elif parts[0] == "favicon.ico":
            self._answer(200, b"", "image/x-icon")
        elif not self._is_let_in(address.query):
            self._answer(401, b"", _PLAIN)
        elif parts[0] == "plugin":
            self._answer_plugin(parts[1:])
        elif parts[0] == "graphql":
            self._answer_graphql(body)
        else:
            self._forward(body)

    def _is_let_in(self, query: str) -> bool:
        site = self.server.site
        key = site.stash.api_key
        if not key:
            return True
        given = self.headers.get("ApiKey") or parse_qs(query).get("apikey", [""])[0]
        return given == key if given else self._session() in site.sessions

    def _session(self) -> str | None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE_NAME)
        return cookie.value if cookie else None

    # Pages

    def _answer_page(self, query: str) -> None:
        site = self.server.site
        headers = {"Content-Security-Policy": _policy(site.plugins.values())}
        if self._session() not in site.sessions:
            headers["Set-Cookie"] = (
                f"{COOKIE_NAME}={site.new_session()}; Path=/; HttpOnly; SameSite=Lax"
            )
        version = parse_qs(query).get("stash_version", [site.stash.version])[0]
        page = (
            '<!DOCTYPE html><html lang="en"><head><base href="/"><meta charset="utf-8">'
            '<title>Stash</title><meta name="viewport" content="width=device-width, '
            'initial-scale=1"><link rel="stylesheet" href="/harness/harness.css">'
            f'</head><body><div id="root" data-stash-version="{escape(version)}">'
            '</div><script src="/harness/harness.js"></script></body></html>'
        )
        self._answer(200, page.encode(), "text/html; charset=utf-8", headers)

    def _answer_plugin(self, parts: list[str]) -> None:
        plugin = self.server.site.plugins.get(parts[0])
        match parts[1:]:
            case ["javascript" | "css" as kind] if plugin is not None:
                texts = [file.read_bytes() for file in plugin.local_files(kind)]
                content_type = "text/javascript" if kind == "javascript" else "text/css"
                self._answer(200, b"\n".join(texts), content_type, _FRESH)
            case ["assets", *rest] if plugin is not None:
                self._answer_file(plugin.find_asset("/".join(rest)))
            case _:
                # Also pages at /plugin/...: Stash has no page there.
                self._answer(404, b"404 page not found\n", _PLAIN)

    def _answer_file(self, path: Path | None) -> None:
        if path is None or not path.is_file():
            self._answer(404, b"404 page not found\n", _PLAIN)
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        modified = email.utils.formatdate(path.stat().st_mtime, usegmt=True)
        self._answer(
            200, path.read_bytes(), kind, {"Last-Modified": modified, **_FRESH}
        )

    # GraphQL and media

    def _answer_graphql(self, body: bytes) -> None:
        operations = self.server.site.operations
        try:
            request = json.loads(body) if self.command == "POST" else None
        except ValueError:
            request = None
        if not (isinstance(request, dict) and operations.concern(request)):
            self._forward(body)
            return
        answer = operations.answer(
            request,
            base_url=f"http://{self.headers.get('Host', '')}",
            is_cancelled=self._is_client_gone,
        )
        self._answer(answer.status, json.dumps(answer.body).encode(), _JSON)

    def _is_client_gone(self) -> bool:
        if self.server.stopping.is_set():
            return True
        try:
            if not select.select([self.connection], [], [], 0)[0]:
                return False
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _forward(self, body: bytes) -> None:
        """Ask the demo Stash with its key, so that its addresses are this server's."""
        stash = self.server.site.stash
        address = urlsplit(stash.url)
        asked = http.client.HTTPConnection(address.hostname or "", address.port)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"cookie", "apikey", "connection", "accept-encoding"}
        }
        if stash.api_key:
            headers["ApiKey"] = stash.api_key
        try:
            asked.request(self.command, self.path, body or None, headers)
            answer = asked.getresponse()
            kept = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in _HOP_BY_HOP
            }
            self.send_head(answer.status, kept)
            while chunk := answer.read(_CHUNK_BYTES):
                self.wfile.write(chunk)
        except (OSError, http.client.HTTPException):
            # Either side went away; what was promised of the answer cannot be kept.
            self.hang_up()
        finally:
            asked.close()

    def _answer(
        self,
        status: int,
        body: bytes,
        content_type: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        length = {"Content-Type": content_type, "Content-Length": str(len(body))}
        try:
            self.send_head(status, {**length, **(headers or {})})
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


# So that a change of a file is seen at the next load.
_FRESH = {"Cache-Control": "no-cache"}


def _policy(plugins: Iterable[Plugin]) -> str:
    """Return the Content-Security-Policy of Stash's pages, with what plugins add."""
    each = list(plugins)

    def added(kind: str) -> str:
        return "".join(f" {source}" for p in each for source in p.content_sources(kind))

    return (
        "default-src data: 'self' 'unsafe-inline'; "
        f"connect-src data: 'self' ws: wss:{added('connect-src')}; "
        "img-src data: *; "
        "script-src 'self' http://www.gstatic.com https://www.gstatic.com "
        f"'unsafe-inline' 'unsafe-eval'{added('script-src')}; "
        f"style-src 'self' 'unsafe-inline'{added('style-src')}; "
        "media-src blob: 'self'; worker-src blob:; child-src 'none'; "
        "object-src 'none'; form-action 'self'"
    )


def graphql_of(url: str, query: str, variables: Any = None, **headers: str) -> Any:
    """Return the data of a request to the GraphQL of a server; raises on errors."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    try:
        connection.request(
            "POST",
            "/graphql",
            json.dumps({"query": query, "variables": variables or {}}),
            {"Content-Type": _JSON, "Accept": _JSON, **headers},
        )
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if answer.get("errors"):
        raise RuntimeError(answer["errors"][0]["message"])
    return answer["data"]
