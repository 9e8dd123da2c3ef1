"""manage.py install_demo: the demo world into the data folder, ready to try."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from demo.install import PICTURES_DIR_NAME, install_demo_world


class Command(BaseCommand):
    help = "Install the demo world: networks, an active release, pictures to try."

    def handle(self, **options: Any) -> None:
        release = install_demo_world(settings.DATA_DIR, on_progress=self._report)
        self.stdout.write(
            f"Release {release.version} is active;"
            f" pictures to try are in {settings.DATA_DIR / PICTURES_DIR_NAME}."
        )

    def _report(self, step: str, done: int, total: int) -> None:
        if done in (0, total):
            self.stdout.write(f"{step}: {done}/{total}")
