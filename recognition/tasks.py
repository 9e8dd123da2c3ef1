"""What django-q2 calls, and what happens when one of its processes starts."""

from typing import Any

from django.dispatch import receiver
from django_q.signals import post_spawn

from recognition.model_downloads import (
    execute_download,
    look_after_dead_downloads,
)


def download_model(download_id: int) -> None:
    """Work at the download until it has ended; its row says how."""
    execute_download(download_id)


@receiver(post_spawn)
def look_after_downloads(**_: Any) -> None:
    """Go on with downloads whose process has died, or that nobody has begun."""
    look_after_dead_downloads()
