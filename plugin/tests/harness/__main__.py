"""Stash with the plugin, the service and the demo world, for a person in a browser.

    python -m plugin.tests.harness [--port PORT] [--stash-version VERSION] ...

The service is the real one, on a data folder of its own; Stash is the demo's, inside
the harness. A page that is loaded anew has the plugin's files as they are now.
"""

import argparse
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import requests

from benchmarks.data_folder import service_environment
from benchmarks.service import HOST, free_port
from demo.stash.drawing import ensure_library
from demo.stash.plans import default_plan
from demo.stash.server import DEFAULT_VERSION, StashServer
from demo.stashbox.content import box_of_library
from demo.stashbox.joining import STASHDB, add_box
from demo.stashbox.server import StashBoxServer
from demo.world import DEFAULT_PEOPLE_COUNT, DEFAULT_SEED, World
from plugin.tests.harness.bundle import NoPackages, ensure_bundle
from plugin.tests.harness.server import PLUGIN_PATH, HarnessServer
from stashsense import keys
from stashsense.data_folder import ROOT

DEFAULT_PORT = 9999
# Drawing the demo world takes minutes on a small machine.
_READY_SECONDS = 900
_STOP_SECONDS = 15


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; return the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    try:
        ensure_bundle()
    except NoPackages as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        _serve(options, stack)
        threading.Event().wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plugin.tests.harness")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--stash-version", default=DEFAULT_VERSION, metavar="VERSION")
    parser.add_argument(
        "--without-key",
        action="store_true",
        help="a Stash without a password; the plugin then wants the service's own key",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=ROOT / "data" / "harness",
        metavar="FOLDER",
        help="of the service and the drawn library (%(default)s)",
    )
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        metavar="YML",
        help="another plugin in place of ours; may be given again",
    )
    return parser


def _serve(options: argparse.Namespace, stack: ExitStack) -> None:
    data_dir = options.data_dir.absolute()
    _say("Drawing the library of the demo Stash, unless that is done ...")
    library = ensure_library(
        data_dir / "demo-stash", default_plan(World(DEFAULT_SEED, DEFAULT_PEOPLE_COUNT))
    )
    key = "" if options.without_key else keys.read_or_create(data_dir / "stash_key")
    stash = stack.enter_context(
        StashServer(library, api_key=key, version=options.stash_version)
    )
    box = stack.enter_context(StashBoxServer(box_of_library(library, STASHDB)))
    add_box(library, box.endpoint)
    harness = HarnessServer(stash, options.plugin or [PLUGIN_PATH], port=options.port)
    port = free_port()
    stack.enter_context(_service(data_dir, port, stash.url, key))
    for plugin_id in harness.plugins:
        harness.configure(plugin_id, sidecarUrl=f"http://{HOST}:{port}")
    stack.enter_context(harness)
    _say(f"Stash with the plugin is at {harness.url}/ and Ctrl-C ends all of it.")


@contextmanager
def _service(data_dir: Path, port: int, stash_url: str, key: str) -> Iterator[None]:
    """Run the service beside; its log goes on to standard output."""
    environment = {
        **service_environment(data_dir),
        "STASH_URL": stash_url,
        "STASH_API_KEY": key,
        "LOG_LEVEL": "info",
    }
    process = subprocess.Popen(
        [
            *[sys.executable, "-P", "-m", "stashsense.serve", "--host", HOST],
            *["--port", str(port), "--data-dir", str(data_dir)],
        ],
        cwd=ROOT,
        env=environment,
        # Ctrl-C is for this process, which then ends the other one in order.
        start_new_session=True,
    )
    try:
        _wait(lambda: _is_healthy(port), process)
        yield
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _is_healthy(port: int) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://{HOST}:{port}/health", timeout=5).ok
    return False


def _wait(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    pause = threading.Event()
    for _ in range(_READY_SECONDS):
        if condition():
            return
        if process.poll() is not None:
            raise SystemExit("The service did not start; see above.")
        pause.wait(1)
    raise SystemExit("The service did not answer; see above.")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _end(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
