"""A task's two processes: one that Stash sees and may kill, and one that works.

Stash stops a task by SIGKILL of the process it started, so that one cannot stop
anything any more. It only relays; the other works, and sees by the end of its stdin
that Stash is gone. It holds neither Stash's stdout, which Stash reads to its end, nor
its stderr.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from . import log as stash_log
from .operations import STASH_SECONDS
from .refusals import Refusal
from .sidecar import Sidecar
from .stash import fetch_settings
from .tasks import TASKS, TaskFailed
from .work import Stopped, Work

WORKER_ARGUMENT = "--worker"
_BACKEND = Path(__file__).resolve().parent.parent / "stash_sense_backend.py"
# Windows: no console window for it, and no part in what ends the other one.
_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "CREATE_NEW_PROCESS_GROUP", 0
)


def relay_task(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the task ended with, after all it told meanwhile."""
    worker = subprocess.Popen(
        [sys.executable, str(_BACKEND), WORKER_ARGUMENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=_FLAGS,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(json.dumps(document).encode("ascii") + b"\n")
    worker.stdin.flush()
    ended: dict[str, Any] = {"error": "The task's process ended before its time."}
    for line in worker.stdout:
        told = json.loads(line.decode("ascii"))
        if "progress" in told:
            stash_log.show_progress(told["progress"])
        elif "log" in told:
            stash_log.log(*told["log"])
        else:
            ended = told
    # Only now: until then it would take this for Stash's end.
    worker.stdin.close()
    worker.wait()
    worker.stdout.close()
    return ended


def run_worker() -> None:
    """Work at the task that stdin names until it ends, or stdin does."""
    document = json.loads(sys.stdin.buffer.readline().decode("ascii"))
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(stopping,), daemon=True).start()
    answer = _worked(document, stopping)
    if answer is not None:
        _tell(answer)


def _watch(stopping: threading.Event) -> None:
    # Nothing more is sent: what ends this wait is the end of who would send. Read past
    # Python's own buffer, whose lock must be free when this process ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stopping.set()


def _worked(
    document: dict[str, Any], stopping: threading.Event
) -> dict[str, Any] | None:
    try:
        # Once, at the start: a session lives an hour, a task may take days.
        settings = fetch_settings(document.get("server_connection"), STASH_SECONDS)
        work = Work(
            Sidecar(settings),
            stopping,
            lambda share: _tell({"progress": share}),
            lambda level, text: _tell({"log": [level, text]}),
        )
        return {"output": TASKS[document["args"]["mode"]](work)}
    except Stopped:
        return None
    except (Refusal, TaskFailed) as failure:
        return {"error": str(failure)}
    except Exception as mistake:
        where = stash_log.places_of(mistake)
        _tell({"log": ["e", f"Unexpected {where}"]})
        return {"error": "Stash Sense's plugin failed; the log says where."}


def _tell(event: dict[str, Any]) -> None:
    """Tell the other process, if it is still there."""
    try:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
    except OSError:
        # Stash ended it; the end of stdin says so as well.
        pass
