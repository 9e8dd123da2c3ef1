"""What a running stand-in box serves and what goes wrong; edited by its owner."""

import threading
from dataclasses import dataclass, field
from typing import Any

from demo.stashbox.rows import Box


@dataclass
class Request:
    """A request that was answered, or is being answered. Header names are lower-case.

    `connection` numbers the connections from 1, so equal ones show reuse.
    """

    path: str
    headers: dict[str, str]
    connection: int
    status: int = 0
    operation: str | None = None
    query: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class Faults:
    """What goes wrong with requests to /graphql.

    `statuses` are used up from the front, one for each request; `status` is for all of
    them. `retry_after` is a header of both, in seconds or as a date. `body` is sent in
    place of the answer, as `content_type`. `hang` accepts and says nothing; `cut` sends
    half an answer. `refusals` are errors by the names of operations, and `failing_ids`
    fail alone among others that are asked for with them.
    """

    status: int | None = None
    statuses: list[int] = field(default_factory=list)
    retry_after: str | None = None
    body: bytes | None = None
    content_type: str = "text/html; charset=utf-8"
    hang: bool = False
    cut: bool = False
    refusals: dict[str, str] = field(default_factory=dict)
    failing_ids: set[str] = field(default_factory=set)


@dataclass
class State:
    """Everything the handlers read."""

    box: Box
    api_key: str
    faults: Faults = field(default_factory=Faults)
    lock: threading.Lock = field(default_factory=threading.Lock)
    requests: list[Request] = field(default_factory=list)

    def next_status(self) -> int | None:
        with self.lock:
            statuses = self.faults.statuses
            return statuses.pop(0) if statuses else self.faults.status
