"""What a plugin's yml says, read as strictly as Stash reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_KEYS = {
    "name", "description", "url", "version", "interface", "exec", "errLog", "ui",
    "settings", "tasks", "hooks",
}  # fmt: skip
_UI_KEYS = {"requires", "javascript", "css", "assets", "csp"}
_SETTING_KEYS = {"displayName", "description", "type"}
_SETTING_TYPES = {"STRING", "NUMBER", "BOOLEAN"}
_TASK_KEYS = {"name", "description", "defaultArgs", "execArgs"}
_HOOK_KEYS = {*_TASK_KEYS, "triggeredBy"}
_CSP_KEYS = {"script-src", "style-src", "connect-src"}


class BadManifest(Exception):
    """Stash would not load the plugin; the message says why."""


@dataclass(frozen=True)
class Plugin:
    """A plugin by its yml; the name of that file is the plugin's id."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.path.stem

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def name(self) -> str:
        return str(self.manifest.get("name", self.id))

    @property
    def ui(self) -> Mapping[str, Any]:
        return self.manifest.get("ui") or {}

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return self.manifest.get("tasks") or []

    @property
    def hooks(self) -> list[dict[str, Any]]:
        return self.manifest.get("hooks") or []

    def local_files(self, kind: str) -> list[Path]:
        """Return the files of `javascript` or `css` that are joined and served."""
        return [
            self.folder / name for name in self.ui.get(kind) or [] if _is_file(name)
        ]

    def addresses(self, kind: str) -> list[str]:
        """Return where a page loads `javascript` or `css` from."""
        named = self.ui.get(kind) or []
        own = [f"/plugin/{self.id}/{kind}"] if any(map(_is_file, named)) else []
        return [*own, *(name for name in named if not _is_file(name))]

    def find_asset(self, name: str) -> Path | None:
        """Return the file behind a path below assets/, or None where there is none."""
        assets: Mapping[str, str] = self.ui.get("assets") or {}
        for prefix in sorted(assets, key=len, reverse=True):
            begin = prefix.strip("/") + "/" if prefix.strip("/") else ""
            if name.startswith(begin):
                folder = (self.folder / assets[prefix]).resolve()
                path = (folder / name[len(begin) :]).resolve()
                is_inside = path.is_relative_to(folder)
                return path if is_inside and path.is_file() else None
        return None

    def content_sources(self, kind: str) -> list[str]:
        """Return what the plugin adds to a directive of the page's CSP."""
        files = {"script-src": "javascript", "style-src": "css"}.get(kind)
        listed = list((self.ui.get("csp") or {}).get(kind) or [])
        return [*listed, *(self.addresses_outside(files) if files else [])]

    def addresses_outside(self, kind: str) -> list[str]:
        return [name for name in self.ui.get(kind) or [] if not _is_file(name)]

    def as_graphql(self) -> dict[str, Any]:
        """Return what the query `plugins` tells."""
        settings: Mapping[str, Any] = self.manifest.get("settings") or {}
        tasks = [_named(task) for task in self.tasks]
        return {
            "id": self.id,
            "name": self.name,
            "description": self.manifest.get("description"),
            "url": self.manifest.get("url"),
            "version": self.manifest.get("version"),
            "enabled": True,
            "requires": self.ui.get("requires") or [],
            "settings": [
                {
                    "name": name,
                    "display_name": (setting or {}).get("displayName"),
                    "description": (setting or {}).get("description"),
                    "type": (setting or {}).get("type", "STRING"),
                }
                for name, setting in sorted(settings.items())
            ],
            "tasks": tasks,
            "hooks": [
                {**_named(hook), "hooks": hook.get("triggeredBy") or []}
                for hook in self.hooks
            ],
            "paths": {kind: self.addresses(kind) for kind in ("javascript", "css")},
        }


def load_plugin(path: Path) -> Plugin:
    """Return the plugin of a yml; BadManifest where Stash would refuse it."""
    manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise BadManifest(f"{path.name} is no mapping")
    _require_keys(path.name, manifest, _KEYS)
    ui = manifest.get("ui") or {}
    _require_keys("ui", ui, _UI_KEYS)
    _require_keys("ui.csp", ui.get("csp") or {}, _CSP_KEYS)
    for name, setting in (manifest.get("settings") or {}).items():
        _require_keys(f"settings.{name}", setting or {}, _SETTING_KEYS)
        if (setting or {}).get("type", "STRING") not in _SETTING_TYPES:
            raise BadManifest(f"settings.{name} has the type {setting['type']}")
    for kind, keys in (("tasks", _TASK_KEYS), ("hooks", _HOOK_KEYS)):
        for place, entry in enumerate(manifest.get(kind) or []):
            _require_keys(f"{kind}[{place}]", entry, keys)
    plugin = Plugin(path, manifest)
    files = [*plugin.local_files("javascript"), *plugin.local_files("css")]
    if missing := [file.name for file in files if not file.is_file()]:
        raise BadManifest(f"{path.name} names files that are not there: {missing}")
    return plugin


def _require_keys(where: str, found: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(found) - known):
        raise BadManifest(f"{where} has keys that Stash does not know: {unknown}")


def _is_file(name: str) -> bool:
    return not urlsplit(name).scheme


def _named(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": entry["name"], "description": entry.get("description")}
