"""What a running stand-in serves and what goes wrong with it; edited by its owner."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.stash.library import Library


@dataclass(frozen=True)
class Request:
    """A request that was answered, or is being answered. Header names are lower-case.

    `connection` numbers the connections from 1, so equal ones show reuse. `sent_bytes`
    is of the body, and never less than what has left. `operation` and `variables` are
    those of GraphQL.
    """

    method: str
    path: str
    headers: dict[str, str]
    connection: int
    status: int
    sent_bytes: int
    operation: str | None
    query: str | None
    variables: dict[str, object]


@dataclass
class Exchanged:
    """A request while it is being answered."""

    method: str
    path: str
    headers: dict[str, str]
    connection: int
    status: int = 0
    sent_bytes: int = 0
    operation: str | None = None
    query: str | None = None
    variables: dict[str, object] = field(default_factory=dict)


@dataclass
class Faults:
    """What goes wrong, with requests whose path begins with `only_paths`.

    `statuses` are used up from the front, one for each request, as is
    `drop_after_bytes`, which cuts the connection after so many bytes of a body; an
    entry larger than the body cuts nothing. `status` is for all of them. `html` is a
    page that a proxy sends in place of the answer. `hang` accepts and says nothing.
    What `meanwhile` has for an operation of GraphQL is called before that is executed;
    a text that it returns is the error that is answered instead.
    """

    only_paths: str = ""
    status: int | None = None
    statuses: list[int] = field(default_factory=list)
    html: str | None = None
    hang: bool = False
    delay_seconds: float = 0.0
    bytes_per_second: int | None = None
    drop_after_bytes: list[int] = field(default_factory=list)
    ignore_range: bool = False
    meanwhile: dict[str, Callable[[], str | None]] = field(default_factory=dict)


@dataclass
class State:
    """Everything the handlers read.

    `external_host` replaces scheme, host and port. Whoever sends the cookie `session`
    is somebody who signed in; it is empty where nobody did.
    """

    library: Library
    api_key: str = ""
    version: str = "0.30.1"
    external_host: str = ""
    session: str = ""
    faults: Faults = field(default_factory=Faults)
    lock: threading.Lock = field(default_factory=threading.Lock)
    exchanges: list[Exchanged] = field(default_factory=list)

    def record(self, exchange: Exchanged) -> None:
        with self.lock:
            self.exchanges.append(exchange)

    def requests(self) -> list[Request]:
        """Return what was asked, oldest first."""
        with self.lock:
            return [Request(**vars(exchange)) for exchange in self.exchanges]

    def next_of(self, values: list[int]) -> int | None:
        """Take the first entry of a list of faults."""
        with self.lock:
            return values.pop(0) if values else None
