"""The harness: a Stash as far as plugins see it, around a demo Stash."""

import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from demo.http_host import LoopbackServer
from demo.stash.server import StashServer
from plugin.tests.harness.host import HarnessHost, Site, graphql_of
from plugin.tests.harness.manifests import load_plugin
from plugin.tests.harness.operations import LogLine, Operations
from stashsense.data_folder import ROOT

PLUGIN_PATH = ROOT / "plugin" / "stash-sense.yml"


class HarnessServer(LoopbackServer):
    """Serves pages with plugins until `stop` or the end of its `with`.

    The demo Stash is in this process, and can be changed meanwhile: its rows, its key,
    its version. With a key only those who have a session or the key are let in; pages
    hand out sessions to everybody.
    """

    def __init__(
        self,
        stash: StashServer,
        plugin_paths: Iterable[Path] = (PLUGIN_PATH,),
        *,
        port: int = 0,
    ) -> None:
        self._config_dir = tempfile.TemporaryDirectory(prefix="harness-")
        self._paths = list(plugin_paths)
        self.stash = stash
        self.plugins = {p.id: p for p in map(load_plugin, self._paths)}
        self.operations = Operations(
            stash,
            self.plugins,
            config_dir=Path(self._config_dir.name),
            new_session=lambda: self._site.new_session(),
            own_port=lambda: self._port,
            reload=self.reload_plugins,
        )
        self._site = Site(stash, self.plugins, self.operations)
        super().__init__(partial(HarnessHost, self._site), port)

    def start(self) -> "HarnessServer":
        self.operations.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        self.operations.stop()
        self._config_dir.cleanup()

    @property
    def log(self) -> list[LogLine]:
        """What backends wrote on stderr."""
        return self.operations.log

    @property
    def asked(self) -> list[Any]:
        """What arguments runPluginOperation was given, oldest first."""
        return self.operations.asked

    def new_session(self) -> str:
        """Return the value of a cookie `session` that is let in."""
        return self._site.new_session()

    def reload_plugins(self) -> None:
        """Read the plugins' yml again."""
        self.plugins.update({p.id: p for p in map(load_plugin, self._paths)})

    def settings_of(self, plugin_id: str) -> dict[str, Any]:
        """Return what is saved for the plugin."""
        return self.stash.library.plugin_settings.setdefault(plugin_id, {})

    def configure(self, plugin_id: str, **settings: Any) -> None:
        """Save these settings of the plugin, in place of all it had."""
        self.stash.library.plugin_settings[plugin_id] = settings

    def graphql(self, query: str, **variables: Any) -> Any:
        """Return the data of a request by somebody who is signed in."""
        cookie = {"Cookie": f"session={self.new_session()}"}
        return graphql_of(self.url, query, variables, **cookie)

    def run_operation(self, plugin_id: str, **args: Any) -> Any:
        """Return what runPluginOperation answers to these arguments."""
        text = (
            "mutation Run($plugin_id: ID!, $args: Map!) "
            "{ runPluginOperation(plugin_id: $plugin_id, args: $args) }"
        )
        data = self.graphql(text, plugin_id=plugin_id, args=args)
        return data["runPluginOperation"]

    def fire_hook(self, hook_type: str, row_id: int, **context: Any) -> list[Any]:
        """Run the plugins' hooks of a type such as Scene.Create.Post."""
        return self.operations.fire(hook_type, row_id, **context)
