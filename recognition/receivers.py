"""What recognition does when releases change."""

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from dbupdates.signals import release_activating

if TYPE_CHECKING:
    from dbupdates.store import ActiveRelease


@receiver(release_activating)
def require_networks(release: "ActiveRelease", **_: Any) -> None:
    """Refuse to activate a release whose networks are not installed."""
    # Every process loads this module; few need ONNX Runtime.
    from recognition.registry import network_set_of

    network_set_of(release).require_installed()
