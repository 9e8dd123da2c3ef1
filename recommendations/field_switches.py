"""Changes of which fields are proposed, for each stash-box."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from recommendations.endpoints import get_connection
from recommendations.exceptions import InvalidEndpointName, UnknownField
from recommendations.field_maps import get_fields
from recommendations.models import FieldSwitch, UpstreamSnapshot
from stashsense.turns import in_turn


@dataclass(frozen=True)
class Switch:
    """A field and whether changes of it are proposed."""

    name: str
    label: str
    is_enabled: bool


def field_switches(endpoint: str, entity_type: str) -> list[Switch]:
    """Return the fields of an entity; they are on where nobody switched them off."""
    stored = switched_off(endpoint, entity_type)
    return [
        Switch(field.name, field.label, field.name not in stored)
        for field in get_fields(entity_type)
    ]


def switched_off(endpoint: str, entity_type: str) -> frozenset[str]:
    """Return the names of the fields whose changes are not proposed."""
    rows = FieldSwitch.objects.filter(
        endpoint=endpoint, entity_type=entity_type, is_enabled=False
    )
    return frozenset(rows.values_list("field_name", flat=True))


def switch_fields(
    endpoint: str, entity_type: str, switches: Mapping[str, bool]
) -> None:
    """Store all of them, or none.

    Raises UnknownField, and UnknownStashBox where Stash has no such stash-box.
    """
    known = [field.name for field in get_fields(entity_type)]
    for name in switches:
        if name not in known:
            raise UnknownField(
                f"A {entity_type} has no field {name[:40]!a}; it has "
                f"{', '.join(sorted(known))}."
            )
    get_connection(endpoint)
    with in_turn():
        for name, is_enabled in switches.items():
            FieldSwitch.objects.update_or_create(
                endpoint=endpoint,
                entity_type=entity_type,
                field_name=name,
                defaults={"is_enabled": is_enabled},
            )
        # What was passed over may be proposed now, and the other way round.
        UpstreamSnapshot.objects.filter(
            endpoint=endpoint, entity_type=entity_type
        ).update(is_due=True)


def read_endpoint(encoded: str) -> str:
    """Return the address that a path has in base64, of either alphabet.

    Raises InvalidEndpointName.
    """
    plain = encoded.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        padded = plain + "=" * (-len(plain) % 4)
        endpoint = base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidEndpointName(
            f"{encoded[:80]!a} is no address in base64."
        ) from error
    if not endpoint.isprintable() or not endpoint:
        raise InvalidEndpointName(f"{encoded[:80]!a} is no address in base64.")
    return endpoint
