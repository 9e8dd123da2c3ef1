"""What a mode is: a route of the sidecar, and the arguments that fill it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from .arguments import BODY, PATH, QUERY, WHOLE_BODY, Argument, checked

GET, POST, PUT, DELETE = "GET", "POST", "PUT", "DELETE"
JSON, PICTURE = "json", "picture"

# What only looks something up in the sidecar's own rows.
QUICK_SECONDS = 10.0
# What asks Stash or a stash-box on the way. With the question to Stash before it (4 s),
# a second key (1 s), one of who it was that refused (2 s) and the start of Python (2 s
# on a slow machine), a call stays within 20 s.
LONG_SECONDS = 11.0


class Request:
    """A request of the sidecar; `path` is decoded, `target` is what is sent."""

    def __init__(
        self, method: str, path: str, target: str, query: str, body: bytes | None
    ) -> None:
        self.method = method
        self.path = path
        self.target = target
        self.query = query
        self.body = body


class Mode:
    """One mode by its name, as the UI calls it."""

    def __init__(
        self,
        name: str,
        method: str,
        route: str,
        *arguments: Argument,
        answers: str = JSON,
        seconds: float = QUICK_SECONDS,
    ) -> None:
        self.name = name
        self.method = method
        self.route = route
        self.arguments = arguments
        self.answers = answers
        self.seconds = seconds

    def place_of(self, argument: Argument) -> str:
        """Return where the argument goes."""
        if f"{{{argument.name}}}" in self.route:
            return PATH
        return argument.place or (QUERY if self.method in (GET, DELETE) else BODY)

    def request(self, given: dict[str, Any]) -> Request:
        """Return the request; raises BadArguments."""
        in_path: dict[str, str] = {}
        query: list[tuple[str, Any]] = []
        body: dict[str, Any] = {}
        whole_body = None
        for argument, value in checked(self.name, self.arguments, given):
            place = self.place_of(argument)
            if place == PATH:
                in_path[argument.name] = str(value)
            elif place == QUERY:
                query.append((argument.sent_as, _in_query(value)))
            elif place == WHOLE_BODY:
                whole_body = value
            else:
                body[argument.sent_as] = value
        sent = None
        if self.method in (POST, PUT):
            content = body if whole_body is None else whole_body
            sent = json.dumps(content, allow_nan=False).encode("ascii")
        path = self.route.format_map(in_path)
        target = self.route.format_map(
            {name: quote(value, safe="") for name, value in in_path.items()}
        )
        written = urlencode(query)
        if written:
            target += "?" + written
        return Request(self.method, path, target, written, sent)


def _in_query(value: Any) -> Any:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
