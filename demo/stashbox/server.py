"""A stand-in stash-box on the loopback, to ask things of.

It speaks real HTTP and executes real GraphQL, and everything about it may be changed
between two requests: the rows, the key, and what goes wrong.
"""

import threading
from typing import Self

from demo.stashbox.host import StashBoxHost
from demo.stashbox.rows import Box
from demo.stashbox.state import Faults, Request, State

__all__ = ["DEMO_KEY", "Faults", "Request", "StashBoxServer"]

# Of an account that anybody may have: the box is on the loopback and invented.
DEMO_KEY = "drawn-box-key"


class StashBoxServer:
    """Serves a box until `stop` or the end of its `with`."""

    def __init__(self, box: Box, *, api_key: str = DEMO_KEY, port: int = 0) -> None:
        self._state = State(box, api_key)
        self._host: StashBoxHost | None = StashBoxHost(self._state, port)
        self._port = self._host.server_port
        self._thread: threading.Thread | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.endpoint = f"{self.url}/graphql"

    def start(self) -> Self:
        self._listen()
        return self

    def stop(self) -> None:
        """End every connection, whatever it was doing."""
        self.go_down()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def box(self) -> Box:
        """The rows, to look at and to change."""
        return self._state.box

    @property
    def api_key(self) -> str:
        return self._state.api_key

    @api_key.setter
    def api_key(self, key: str) -> None:
        self._state.api_key = key

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be edited and replaced."""
        return self._state.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._state.faults = faults

    @property
    def requests(self) -> list[Request]:
        """What was asked, oldest first."""
        with self._state.lock:
            return list(self._state.requests)

    @property
    def request_count(self) -> int:
        return len(self.requests)

    @property
    def connection_count(self) -> int:
        """How many connections were ever made."""
        return self._state.connection_count

    def go_down(self) -> None:
        """Refuse connections until `come_back`, and cut those there are."""
        host = self._host
        if host is None:
            return
        self._state.stopping.set()
        if self._thread is not None:
            host.shutdown()
            self._thread.join()
        host.server_close()
        host.cut_connections()
        self._host = self._thread = None

    def come_back(self) -> None:
        """Listen at the same address again."""
        if self._host is None:
            self._state.stopping.clear()
            self._host = StashBoxHost(self._state, self._port)
            self._listen()

    def _listen(self) -> None:
        assert self._host is not None, "a stopped server"
        # Polled often: tests stop many servers.
        self._thread = threading.Thread(
            target=self._host.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
