"""A stand-in stash-box on the loopback, to ask things of.

It speaks real HTTP and executes real GraphQL, and everything about it may be changed
between two requests: the rows, the key, and what goes wrong.
"""

from functools import partial

from demo.http_host import LoopbackServer
from demo.stashbox.host import StashBoxHost
from demo.stashbox.rows import Box
from demo.stashbox.state import Faults, Request, State

__all__ = ["DEMO_KEY", "Faults", "Request", "StashBoxServer"]

# Of an account that anybody may have: the box is on the loopback and invented.
DEMO_KEY = "drawn-box-key"


class StashBoxServer(LoopbackServer):
    """Serves a box until `stop` or the end of its `with`."""

    def __init__(self, box: Box, *, api_key: str = DEMO_KEY, port: int = 0) -> None:
        self._state = State(box, api_key)
        super().__init__(partial(StashBoxHost, self._state), port)
        self.endpoint = f"{self.url}/graphql"

    @property
    def box(self) -> Box:
        """The rows, to look at and to change."""
        return self._state.box

    @box.setter
    def box(self, box: Box) -> None:
        self._state.box = box

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
