"""A stand-in Stash on the loopback, to try things against.

It speaks real HTTP and executes real GraphQL, and everything about it may be changed
between two requests: the rows, the key, the version, and what goes wrong.
"""

import dataclasses
import tempfile
from functools import partial
from pathlib import Path

from demo.http_host import LoopbackServer
from demo.stash import rows
from demo.stash.host import StashHost
from demo.stash.library import Library, MediaFile
from demo.stash.schema import parse_version
from demo.stash.state import Faults, Request, State
from demo.stash.variants import break_stretch

__all__ = ["Faults", "Request", "StashServer"]

DEFAULT_VERSION = "0.30.1"


class StashServer(LoopbackServer):
    """Serves a library until `stop` or the end of its `with`."""

    def __init__(
        self,
        library: Library,
        *,
        api_key: str = "",
        version: str = DEFAULT_VERSION,
        port: int = 0,
    ) -> None:
        parse_version(version)
        self._state = State(library, api_key, version)
        super().__init__(partial(StashHost, self._state), port)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def stop(self) -> None:
        super().stop()
        if self._scratch is not None:
            self._scratch.cleanup()

    @property
    def library(self) -> Library:
        """The rows, to look at and to change."""
        return self._state.library

    @library.setter
    def library(self, library: Library) -> None:
        self._state.library = library

    @property
    def api_key(self) -> str:
        return self._state.api_key

    @api_key.setter
    def api_key(self, key: str) -> None:
        self._state.api_key = key

    @property
    def version(self) -> str:
        return self._state.version

    @version.setter
    def version(self, version: str) -> None:
        parse_version(version)
        self._state.version = version

    @property
    def external_host(self) -> str:
        return self._state.external_host

    @external_host.setter
    def external_host(self, url: str) -> None:
        self._state.external_host = url

    @property
    def session(self) -> str:
        """The cookie of somebody who signed in; empty where nobody did."""
        return self._state.session

    @session.setter
    def session(self, session: str) -> None:
        self._state.session = session

    def plugin_connection(self) -> dict[str, object]:
        """Return the `server_connection` that Stash hands to its plugins."""
        cookie = {"Name": "session", "Value": self.session, "Path": "", "Domain": ""}
        return {
            "Scheme": "http",
            # What Stash is bound to, where it is not told otherwise.
            "Host": "0.0.0.0",
            "Port": self._port,
            "SessionCookie": cookie if self.session else None,
            "Dir": str(self.library.folder),
            "PluginDir": str(self.library.folder / "plugins" / "stash-sense"),
        }

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
        return self._state.requests()

    def graphql_requests(self) -> list[Request]:
        return [r for r in self.requests if r.path.startswith("/graphql")]

    def media_requests(self) -> list[Request]:
        """What was asked of streams, pictures and sprites."""
        return [r for r in self.requests if not r.path.startswith("/graphql")]

    def replace_video(self, scene_id: str, path: Path) -> MediaFile:
        """Put another video in place of the scene's; sprites and cover stay behind."""
        library = self.library
        file_id = library.scenes[scene_id].file_ids[0]
        # An absolute name stays what it is when it is put behind the folder.
        file = rows.video_file(
            library.folder, str(path.absolute()), file_id=file_id, phash=None
        )
        with library.lock:
            library.files[file_id] = file
        return file

    def damage_video(
        self, scene_id: str, *, begin_share: float = 0.4, end_share: float = 0.6
    ) -> None:
        """Write noise over a stretch of the scene's video, and nothing of its row."""
        library = self.library
        file = library.files[library.scenes[scene_id].file_ids[0]]
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="stand-in-")
        damaged = Path(self._scratch.name) / f"{file.id}-{Path(file.name).name}"
        damaged.write_bytes(
            break_stretch(
                library.path_of(file).read_bytes(),
                begin_share=begin_share,
                end_share=end_share,
            )
        )
        with library.lock:
            library.files[file.id] = dataclasses.replace(file, name=str(damaged))
