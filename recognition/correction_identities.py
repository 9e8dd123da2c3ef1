"""By which ids those are known of whom the owner spoke: all that Stash has for them.

A performer of Stash may have ids at several stash-boxes and has one in Stash itself; a
release may have them by any. Ids that a correction has stay: it is to hold however the
performer is known later.
"""

import logging
from collections.abc import Iterable

from recognition.local_performers import every_universal_id
from recognition.models import Correction, Fingerprint
from recognition.runtime.local_overlay import local_stash_id
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError, StashNotFound
from stashsense.integrations.stash_types import TaggedPerformer
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)


def ask_for_further_ids() -> None:
    """Ask Stash about all of whom the owner spoke, and keep the ids they have now.

    Without an answer things stay as they are: matching need not wait for Stash.
    """
    wanted = frozenset[str]().union(*(row.known_ids for row in _about_somebody()))
    if not wanted:
        return
    try:
        add_ids_of(_performers_of(configured_client(), wanted))
    except StashError as error:
        logger.warning("Corrections hold for the ids they have: %s", error)


def add_ids_of(performers: Iterable[TaggedPerformer]) -> None:
    """Keep the ids of these performers with what the owner said of them.

    What becomes of that is for the next match: what it is about is due for one.
    """
    linked = [each for each in performers if each.stash_ids]
    ids: dict[str, frozenset[str]] = {}
    for performer in linked:
        its_ids = every_universal_id([performer])
        for universal_id in its_ids:
            ids[universal_id] = its_ids | ids.get(universal_id, frozenset())
    if not ids:
        return
    grown = []
    # Undone ones as well, which may hold again.
    for row in _about_somebody():
        known = row.known_ids.union(*(ids.get(one, ()) for one in row.known_ids))
        if known != row.known_ids:
            row.other_ids = sorted(known - {row.universal_id})
            grown.append(row)
    _keep(grown)


def _keep(grown: Iterable[Correction]) -> None:
    # Off by a match that read the correction and writes after this (0.1 s): what it
    # is about is matched with the further ids the next time only.
    for row in grown:
        with in_turn():
            if row.local_performer_id is None:
                row.local_performer_id = _local_id_of(row)
            row.save(update_fields=["other_ids", "local_performer_id"])
            if row.is_active:
                Fingerprint.objects.filter(kind=row.kind, stash_id=row.stash_id).update(
                    is_match_due=True
                )


def _about_somebody() -> Iterable[Correction]:
    return Correction.objects.exclude(universal_id="").defer("vectors", "places")


def _performers_of(client: StashClient, ids: frozenset[str]) -> list[TaggedPerformer]:
    """Return whom Stash has by any of the ids."""
    local_ids = {int(one) for each in ids if (one := local_stash_id(each))}
    found: dict[int, TaggedPerformer] = {
        performer.id: performer
        for performer in client.find_performers_by_stash_ids(
            each for each in ids if not local_stash_id(each)
        )
    }
    for stash_id in sorted(local_ids - found.keys()):
        try:
            found[stash_id] = client.get_performer(stash_id)
        except StashNotFound:
            # Deleted, or merged into another, who has their stash ids.
            continue
    return [*found.values()]


def _local_id_of(row: Correction) -> int | None:
    ids = sorted(int(one) for each in row.known_ids if (one := local_stash_id(each)))
    return ids[0] if ids else None
