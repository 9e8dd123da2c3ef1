"""What recognition does when releases change."""

from typing import Any

from django.dispatch import receiver

from dbupdates.signals import release_activating
from dbupdates.store import describe


@receiver(release_activating)
def require_networks(release: Any, **_: Any) -> None:
    """Refuse to activate a release whose networks are not installed."""
    # Every process loads this module; few need ONNX Runtime.
    from recognition.registry import network_set_of

    network_set_of(describe(release)).require_installed()
