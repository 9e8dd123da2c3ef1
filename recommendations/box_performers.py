"""A performer of a stash-box in the words that Stash keeps performers in."""

import uuid
from collections.abc import Sequence
from typing import Any

from recommendations.compound import (
    Career,
    Measurements,
    body_modifications_text,
    breast_type_text,
    build_career,
    build_measurements,
    enum_text,
    gender_enum,
)
from stashsense.integrations import stashbox_connections
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_errors import StashBoxNotFound
from stashsense.integrations.stashbox_types import BodyModification, BoxPerformer

# Of merges of merges; a box that goes on longer has them in a circle.
_MAX_MERGES = 5


def fetch_performer(name_or_url: str, performer_id: str) -> dict[str, Any]:
    """Return a performer of a stash-box as Stash would have them.

    Whoever was merged into somebody is that one. Raises UnknownStashBox,
    StashBoxNotFound, also for who was deleted, and other StashBoxErrors.
    """
    client = stashbox_connections.client_for(name_or_url)
    if not _is_id(performer_id):
        raise StashBoxNotFound(f"{client.name} has no performer {performer_id[:64]!a}.")
    return as_stash_has_it(client.endpoint, surviving_performer(client, performer_id))


def surviving_performer(client: StashBoxClient, performer_id: str) -> BoxPerformer:
    """Return the performer, or whom they were merged into; else StashBoxNotFound."""
    performer = client.get_performer(performer_id)
    for _ in range(_MAX_MERGES):
        if performer.merged_into_id is None:
            break
        performer = client.get_performer(performer.merged_into_id)
    if performer.deleted:
        raise StashBoxNotFound(f"{client.name} has deleted performer {performer.id}.")
    return performer


def as_stash_has_it(endpoint: str, performer: BoxPerformer) -> dict[str, Any]:
    """Return what there is of a performer by the names of Stash's fields."""
    measurements = Measurements(
        performer.band_size,
        performer.cup_size or None,
        performer.waist_size,
        performer.hip_size,
    )
    return {
        "name": performer.name,
        "disambiguation": performer.disambiguation or None,
        "alias_list": [*performer.aliases],
        "gender": gender_enum(performer.gender),
        "birthdate": performer.birth_date or None,
        "death_date": performer.death_date or None,
        "ethnicity": enum_text(performer.ethnicity),
        "country": performer.country or None,
        "eye_color": enum_text(performer.eye_color),
        "hair_color": enum_text(performer.hair_color),
        "height_cm": performer.height,
        "measurements": build_measurements(measurements) or None,
        "fake_tits": breast_type_text(performer.breast_type),
        "career_length": _career(performer),
        "tattoos": _body(performer.tattoos),
        "piercings": _body(performer.piercings),
        "details": None,
        "urls": [url.url for url in performer.urls],
        "image": performer.images[0].url if performer.images else None,
        "weight": None,
        "stash_ids": [{"endpoint": endpoint, "stash_id": performer.id}],
    }


def _is_id(text: str) -> bool:
    """Whether a stash-box could have given it out; they fail at anything else."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _career(performer: BoxPerformer) -> str | None:
    # An end without a beginning is no length.
    if performer.career_start_year is None:
        return None
    return build_career(Career(performer.career_start_year, performer.career_end_year))


def _body(modifications: Sequence[BodyModification]) -> str | None:
    return body_modifications_text(
        [
            {"location": each.location, "description": each.description}
            for each in modifications
        ]
    )
