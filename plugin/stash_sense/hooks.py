"""What Stash calls in the middle of a scan: it must be quick, and may never fail."""

from __future__ import annotations

from typing import Any

from .log import log
from .modes import MODES
from .refusals import Refusal
from .sidecar import Sidecar
from .stash import fetch_settings

# A scan waits for each new scene's hook.
_STASH_SECONDS = 2.0
_SIDECAR_SECONDS = 3.0


def scene_created(document: dict[str, Any]) -> dict[str, Any]:
    """Put the new scene on the sidecar's list, if the user wants that."""
    context = document["args"].get("hookContext")
    scene_id = context.get("id") if isinstance(context, dict) else None
    try:
        settings = fetch_settings(document.get("server_connection"), _STASH_SECONDS)
        if not settings.identifies_new_scenes:
            return {"output": {"is_enqueued": False}}
        Sidecar(settings).ask(
            MODES["fp_enqueue"], {"scene_ids": [scene_id]}, _SIDECAR_SECONDS
        )
    except Refusal as refusal:
        log("w", f"Scene {scene_id!a} was not put on the list: {refusal}")
        return {"output": {"is_enqueued": False}}
    return {"output": {"is_enqueued": True}}


HOOKS = {"hook_scene_created": scene_created}
