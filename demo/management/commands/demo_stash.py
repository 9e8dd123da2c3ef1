"""manage.py demo_stash: a stand-in Stash on this machine, to try everything with."""

import os
import threading
from argparse import ArgumentTypeError
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.install import DEFAULT_WORLD, find_active_world
from demo.stash.drawing import NotALibrary, ensure_library
from demo.stash.library import Library
from demo.stash.plans import DEFAULT_CAST_COUNT, default_plan
from demo.stash.schema import parse_version
from demo.stash.server import DEFAULT_VERSION, StashServer
from demo.stashbox.content import box_of_library
from demo.stashbox.joining import STASHDB, add_box
from demo.stashbox.news import add_news
from demo.stashbox.server import StashBoxServer
from stashsense import processes

LIBRARY_DIR_NAME = "demo-stash"
DEFAULT_PORT = 9998
# Drawing takes every core for half a minute and must not slow down the service.
_DRAWING_NICENESS = 10


class Command(BaseCommand):
    """Draws its library at the first start, and only then listens."""

    help = (
        "Serve a stand-in Stash of drawn people on 127.0.0.1, and a stash-box that "
        "knows them, until Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        parser.add_argument(
            "--box-port", type=int, help="of the stash-box (the port before the other)"
        )
        parser.add_argument(
            "--folder",
            type=Path,
            help=f"where the library is drawn ({LIBRARY_DIR_NAME} in the data folder)",
        )
        parser.add_argument("--api-key", default="", help="without one all are let in")
        parser.add_argument(
            "--stash-version", type=_version, default=DEFAULT_VERSION, metavar="VERSION"
        )
        parser.add_argument(
            "--configured",
            action="store_true",
            help="take port and key from STASH_URL and STASH_API_KEY, and end with "
            "the process that started this, as scripts/serve --demo-stash has it",
        )

    def handle(self, **options: Any) -> None:
        port, api_key = options["port"], options["api_key"]
        if options["configured"]:
            processes.end_with_parent()
            port = urlsplit(settings.STASH_URL).port or 0
            api_key = settings.STASH_API_KEY or ""
        library = self._library(
            options["folder"] or settings.DATA_DIR / LIBRARY_DIR_NAME
        )
        try:
            server = StashServer(
                library, api_key=api_key, version=options["stash_version"], port=port
            )
        except OSError as error:
            raise CommandError(f"Port {port}: {error.strerror}") from error
        with ExitStack() as stack:
            # Before anybody can ask the Stash which stash-boxes it has.
            self._start_box(library, options["box_port"] or _box_port(port), stack)
            stack.enter_context(server)
            self._say(
                f"A stand-in Stash of {len(library.scenes)} scenes is at {server.url}/"
            )
            if not options["configured"]:
                self._say(f"Start the service with STASH_URL={server.url}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()

    def _start_box(self, library: Library, port: int, stack: ExitStack) -> None:
        """Serve a stash-box, and have the library's Stash know it."""
        box = box_of_library(library, STASHDB)
        add_news(box, library, STASHDB)
        try:
            server = StashBoxServer(box, port=port)
        except OSError as error:
            self._say(f"No stand-in stash-box: port {port}: {error.strerror}")
            return
        stack.enter_context(server)
        add_box(library, server.endpoint)
        self._say(
            f"A stand-in stash-box of {len(server.box.performers)} performers is at "
            f"{server.endpoint}"
        )

    def _library(self, folder: Path) -> Library:
        world = find_active_world() or DEFAULT_WORLD
        if world.people_count < DEFAULT_CAST_COUNT:
            raise CommandError(
                f"The active demo world has {world.people_count} people; "
                f"a library needs {DEFAULT_CAST_COUNT}."
            )
        # For the whole process: there is no way back, and serving takes little.
        os.nice(_DRAWING_NICENESS)
        try:
            return ensure_library(folder, default_plan(world), on_progress=self._report)
        except NotALibrary as error:
            raise CommandError(str(error)) from error

    def _report(self, done: int, total: int) -> None:
        if done == 0:
            self._say("Drawing a library for the stand-in Stash, about a minute ...")
        else:
            self._say(f"Drawing a library: {done} of {total} scenes")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _box_port(port: int) -> int:
    """Return the port before another one, but for that of the service."""
    return max(port - 2 if port - 1 == settings.PORT else port - 1, 0)


def _version(text: str) -> str:
    try:
        parse_version(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text
