"""The stash-boxes of Stash in the order in which they are believed, and the disabled.

Which ones there are is Stash's configuration; what their owner prefers are our rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max

from recommendations import findings
from recommendations.models import EndpointPreference, HighWaterMark
from stashsense.integrations import stashbox_connections
from stashsense.integrations.stash_types import StashBoxConnection
from stashsense.integrations.stashbox_errors import UnknownStashBox
from stashsense.turns import in_turn


@dataclass(frozen=True)
class Endpoints:
    """Stash's stash-boxes: those that are asked, the most believed first, and not."""

    enabled: list[StashBoxConnection]
    disabled: list[StashBoxConnection]


def all_endpoints() -> Endpoints:
    """Return every stash-box, those nobody put in order last; raises StashError."""
    preferences = {row.endpoint: row for row in EndpointPreference.objects.all()}
    enabled: list[tuple[bool, int, StashBoxConnection]] = []
    disabled: list[StashBoxConnection] = []
    for connection in stashbox_connections.connections():
        preference = preferences.get(connection.endpoint)
        if preference is not None and preference.is_disabled:
            disabled.append(connection)
            continue
        position = preference.position if preference is not None else None
        enabled.append((position is None, position or 0, connection))
    # Stash's own order holds among those without a place.
    enabled.sort(key=lambda place: place[:2])
    return Endpoints([connection for *_, connection in enabled], disabled)


def ordered_endpoints() -> list[StashBoxConnection]:
    """Return the stash-boxes that analyses may ask, the most believed first.

    Without those that are disabled, or that Stash has no key for. Raises StashError.
    """
    return [each for each in all_endpoints().enabled if each.is_usable]


def has_priorities() -> bool:
    """Return whether somebody put stash-boxes in order."""
    return EndpointPreference.objects.filter(position__isnull=False).exists()


def set_priorities(endpoints: Sequence[str]) -> None:
    """Have these believed in this order, and before all others.

    Raises UnknownStashBox where Stash has no such stash-box; nothing is stored then.
    """
    wanted = [get_connection(endpoint).endpoint for endpoint in endpoints]
    with in_turn():
        EndpointPreference.objects.update(position=None)
        for position, endpoint in enumerate(dict.fromkeys(wanted)):
            EndpointPreference.objects.update_or_create(
                endpoint=endpoint, defaults={"position": position}
            )


def disable_endpoint(endpoint: str) -> None:
    """Have analyses ask it no more; raises UnknownStashBox."""
    EndpointPreference.objects.update_or_create(
        endpoint=get_connection(endpoint).endpoint,
        defaults={"is_disabled": True, "position": None},
    )


def close_recommendations(endpoint: str) -> int:
    """Resolve what waits about a stash-box; returns how many.

    They are no dismissals: enabled again, it is looked at from the beginning and what
    is found is proposed again. Raises UnknownStashBox.
    """
    endpoint = get_connection(endpoint).endpoint
    with in_turn():
        HighWaterMark.objects.filter(endpoint=endpoint).delete()
        return findings.close_endpoint(endpoint)


def enable_endpoint(endpoint: str) -> None:
    """Have it asked again, believed after those that have a place.

    Raises UnknownStashBox. One that was enabled stays where it is.
    """
    endpoint = get_connection(endpoint).endpoint
    with in_turn():
        rows = EndpointPreference.objects.select_for_update()
        row = rows.filter(endpoint=endpoint, is_disabled=True).first()
        if row is None:
            return
        last = EndpointPreference.objects.aggregate(last=Max("position"))["last"]
        # Where nobody put them in order, Stash's order goes on to hold.
        row.position = None if last is None else last + 1
        row.is_disabled = False
        row.save()


def get_connection(endpoint: str) -> StashBoxConnection:
    """Return Stash's stash-box of exactly this address; or raise UnknownStashBox."""
    for connection in stashbox_connections.connections():
        if connection.endpoint == endpoint:
            return connection
    raise UnknownStashBox(
        f"Stash is not configured with a stash-box {endpoint[:200]!a}."
    )
