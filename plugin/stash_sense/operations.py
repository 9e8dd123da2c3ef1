"""What the UI calls: one mode, one answer, within 20 s."""

from __future__ import annotations

from typing import Any

from . import PLUGIN_VERSION
from .modes import MODES
from .refusals import UnknownMode
from .sidecar import Sidecar, is_compatible
from .stash import Settings, fetch_settings

# With the longest mode after it, a call ends within 20 s.
STASH_SECONDS = 4.0
# Not arguments of any mode: which mode it is, and the address that an older UI chose.
_NO_ARGUMENTS = ("mode", "sidecar_url")


def answer_operation(mode: str, document: dict[str, Any]) -> Any:
    """Return what the mode's route answers; raises Refusal."""
    if mode not in MODES:
        raise UnknownMode(f"The plugin has no mode {mode[:40]!a}.")
    given = {
        name: value
        for name, value in document["args"].items()
        if name not in _NO_ARGUMENTS
    }
    # Looked at before anybody is asked.
    MODES[mode].request(given)
    settings = fetch_settings(document.get("server_connection"), STASH_SECONDS)
    sidecar = Sidecar(settings)
    if mode == "health":
        return _health(sidecar, settings)
    return sidecar.ask(MODES[mode], given)


def _health(sidecar: Sidecar, settings: Settings) -> dict[str, Any]:
    told = sidecar.health(MODES["health"].seconds)
    return dict(
        told,
        plugin_version=PLUGIN_VERSION,
        is_compatible=is_compatible(told),
        stash_has_key=settings.stash_secret is not None,
    )
