"""Which stash-box a request means, and what that box says."""

from urllib.parse import urlsplit

from recommendations.exceptions import InvalidFieldValue, TargetGone
from stashsense.integrations.stash import STASH_ID
from stashsense.integrations.stash_types import StashId
from stashsense.integrations.stashbox_connections import client_for, find_connection
from stashsense.integrations.stashbox_types import BoxPerformer, BoxStudio, BoxTag


def stash_id_of(endpoint: str, stash_id: str) -> StashId:
    """Return the id at the box that is meant by an address, a domain or a name.

    A box that Stash has no entry of is meant by its address alone.
    """
    if not STASH_ID.fullmatch(stash_id):
        raise InvalidFieldValue("stashbox_id: That is no id of a stash-box.")
    connection = find_connection(endpoint)
    if connection is not None:
        return StashId(connection.endpoint, stash_id)
    try:
        is_address = urlsplit(endpoint).scheme in ("http", "https")
    except ValueError:
        is_address = False
    if not is_address:
        raise InvalidFieldValue(
            f"endpoint: Stash is configured with no stash-box {endpoint[:200]!a}."
        )
    return StashId(endpoint, stash_id)


def upstream_of(kind: str, stash_id: StashId) -> BoxPerformer | BoxTag | BoxStudio:
    """Return what the box has there; raises TargetGone where it was deleted there.

    And StashBoxNotFound, UnknownStashBox and whatever else the client raises.
    """
    client = client_for(stash_id.endpoint)
    found: BoxPerformer | BoxTag | BoxStudio
    match kind:
        case "performer":
            found = client.get_performer(stash_id.stash_id)
        case "tag":
            found = client.get_tag(stash_id.stash_id)
        case _:
            found = client.get_studio(stash_id.stash_id)
    if found.deleted:
        into = getattr(found, "merged_into_id", None)
        merged = f"; it was merged into {into}" if into else ""
        raise TargetGone(f"{found.name} is deleted at {client.name}{merged}.")
    return found
