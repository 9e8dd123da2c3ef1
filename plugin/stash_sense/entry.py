"""The edge of the process: stdin to stdout, and nothing else on stdout ever.

Stash reads stdout to its end and takes anything that is not the one document for the
output itself.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from .hooks import HOOKS
from .log import log, places_of
from .operations import answer_operation
from .refusals import Refusal
from .tasks import TASKS
from .worker import WORKER_ARGUMENT, relay_task, run_worker

# A bulk operation's arguments have some; Stash itself sends a few hundred bytes.
_MAX_INPUT_BYTES = 16 * 1024 * 1024
_NOT_FROM_STASH = (
    "Stash Sense's backend is for Stash to start: its input is one JSON object with"
    " “args” and “server_connection”."
)


def main(arguments: list[str]) -> None:
    """Answer one document of Stash; or be the other process of a task."""
    if arguments == [WORKER_ARGUMENT]:
        run_worker()
        return
    # Whatever else prints, prints into Stash's log.
    stdout, sys.stdout = sys.stdout, sys.stderr
    _write(stdout, answer_input(sys.stdin.buffer.read(_MAX_INPUT_BYTES + 1)))


def answer_input(written: bytes) -> dict[str, Any]:
    """Return the document for stdout."""
    document = _document(written)
    if document is None:
        return {"error": _NOT_FROM_STASH}
    named = document["args"].get("mode")
    mode = named if isinstance(named, str) else ""
    is_read_by_ui = mode not in TASKS and mode not in HOOKS
    try:
        if mode in TASKS:
            return relay_task(document)
        if mode in HOOKS:
            return HOOKS[mode](document)
        return {"output": answer_operation(mode, document)}
    except Refusal as refusal:
        failure = refusal
    except Exception as mistake:
        log("e", f"Unexpected {places_of(mistake)}")
        text = "Stash Sense's plugin failed; Stash's log says where."
        failure = Refusal(text, "unexpected")
    return {"output": failure.answer()} if is_read_by_ui else {"error": str(failure)}


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


def _write(stdout: TextIO, answer: dict[str, Any]) -> None:
    # Pure ASCII: what encoding the process was started with does not matter.
    stdout.write(json.dumps(answer))
    stdout.flush()
