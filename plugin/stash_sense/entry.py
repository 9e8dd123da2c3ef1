"""The edge of the process: stdin to stdout, and nothing else on stdout ever.

Stash reads stdout to its end and takes anything that is not the one document for the
output itself.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from .log import log
from .operations import answer_operation
from .refusals import Refusal

# A bulk operation's arguments have some; Stash itself sends a few hundred bytes.
_MAX_INPUT_BYTES = 16 * 1024 * 1024


def main(arguments: list[str]) -> None:
    """Answer one document of Stash."""
    # Whatever else prints, prints into Stash's log.
    stdout, sys.stdout = sys.stdout, sys.stderr
    answer = answer_input(sys.stdin.buffer.read(_MAX_INPUT_BYTES + 1))
    _write(stdout, answer)


def answer_input(written: bytes) -> dict[str, Any]:
    """Return the document for stdout."""
    document = _document(written)
    if document is None:
        return {
            "error": "Stash Sense's backend is for Stash to start: its input is"
            " one JSON object with “args” and “server_connection”."
        }
    mode = document["args"].get("mode")
    try:
        if not isinstance(mode, str):
            raise Refusal("The arguments name no mode.", "unknown_mode")
        return {"output": answer_operation(mode, document)}
    except Refusal as refusal:
        return {"output": refusal.answer()}
    except Exception as mistake:
        return {"output": _unexpected(mistake).answer()}


def _document(written: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(written.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    # Stash leaves them out where there are none.
    if document.get("args") is None:
        document["args"] = {}
    return document if isinstance(document["args"], dict) else None


def _unexpected(mistake: Exception) -> Refusal:
    """Return what is told of a mistake of ours: where, and no value of anything."""
    steps = traceback.extract_tb(mistake.__traceback__)
    places = [f"{Path(each.filename).name}:{each.lineno}" for each in reversed(steps)]
    kind, where = type(mistake).__name__, " < ".join(places)
    log("e", f"Unexpected {kind} at {where}")
    return Refusal(
        f"Stash Sense's plugin failed ({kind}); Stash's log says where.", "unexpected"
    )


def _write(stdout: TextIO, answer: dict[str, Any]) -> None:
    # Pure ASCII: what encoding the process was started with does not matter.
    stdout.write(json.dumps(answer))
    stdout.flush()
