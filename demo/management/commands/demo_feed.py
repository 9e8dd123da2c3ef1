"""manage.py demo_feed: offer releases on this machine, as a feed to update from."""

import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dbupdates.exceptions import InvalidManifest
from dbupdates.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, parse_manifest
from demo.release_simulator import ReleaseSimulator


class Command(BaseCommand):
    help = "Serve the given release zips as a feed on 127.0.0.1, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument("archives", type=Path, nargs="+", metavar="PATH")

    def handle(self, **options: Any) -> None:
        archives = {_version_of(path): path for path in options["archives"]}
        try:
            simulator = ReleaseSimulator(options["port"])
        except OSError as exc:
            raise CommandError(f"Port {options['port']}: {exc.strerror}") from exc
        for version, path in archives.items():
            simulator.publish(version, path)
        with simulator:
            self.stdout.write(f"Serving {', '.join(archives)}. Start the service with")
            self.stdout.write(f"STASH_SENSE_RELEASE_FEED={simulator.feed_url}")
            self.stdout.flush()
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


def _version_of(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST_NAME) as content:
            return parse_manifest(content.read(MAX_MANIFEST_BYTES + 1)).version
    except (OSError, KeyError, zipfile.BadZipFile, InvalidManifest) as exc:
        raise CommandError(f"{path} is no release: {exc}") from exc
