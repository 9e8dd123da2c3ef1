"""Which matches are performers of this Stash, and which of those are tagged already."""

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings

from recognition.runtime.local_overlay import local_stash_id, local_universal_id
from recognition.runtime.recognizer import Match
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import (
    InvalidStashId,
    StashError,
    StashNotFound,
)
from stashsense.integrations.stash_types import TaggedPerformer

logger = logging.getLogger(__name__)

# What the id of a performer begins with whom this Stash alone has; then comes its own.
LOCAL_ONLY = "local:"


@dataclass(frozen=True)
class LocalMatch:
    """A match, with the id of the same performer in this Stash, if it has them."""

    match: Match
    local_performer_id: str | None = None
    is_tagged: bool = False


@dataclass(frozen=True)
class LocalPerformers:
    """The performers of this Stash by universal id, and the universal ids tagged.

    `tagged_bare_ids` are ids without an endpoint, as clients of the predecessor send
    them.
    """

    local_ids: dict[str, str]
    tagged_ids: frozenset[str] = frozenset()
    tagged_bare_ids: frozenset[str] = frozenset()

    def localized(self, matches: Iterable[Match]) -> list[LocalMatch]:
        """Return the matches with what this Stash knows of them."""
        return [
            LocalMatch(
                match=match,
                local_performer_id=self._local_id(match.performer.universal_id),
                is_tagged=self.is_tagged(match.performer.universal_id),
            )
            for match in matches
        ]

    def _local_id(self, universal_id: str) -> str | None:
        if universal_id.startswith(LOCAL_ONLY):
            return universal_id.removeprefix(LOCAL_ONLY)
        return self.local_ids.get(universal_id)

    def is_tagged(self, universal_id: str) -> bool:
        """Say whether the performer is tagged, by any of their stash ids."""
        bare_id = universal_id.rpartition(":")[2]
        return universal_id in self.tagged_ids or bare_id in self.tagged_bare_ids


NO_LOCAL_PERFORMERS = LocalPerformers({})


def every_universal_id(performers: Iterable[TaggedPerformer]) -> frozenset[str]:
    """Return every universal id of the performers, by which they may be matched."""
    return frozenset(_local_ids(performers))


# After Stash did not answer, pictures are not kept waiting for it for so long.
QUIET_SECONDS = 30.0
_quiet_until = 0.0


def look_up_in_configured(matches: Iterable[Match]) -> LocalPerformers:
    """Ask the Stash of the settings, if they name one and it answered of late."""
    global _quiet_until
    if not settings.STASH_URL or time.monotonic() < _quiet_until:
        return NO_LOCAL_PERFORMERS
    try:
        return _ask(configured_client(), matches, tagged=())
    except StashError as error:
        logger.warning("Matches could not be looked up in Stash: %s", error)
        _quiet_until = time.monotonic() + QUIET_SECONDS
        return NO_LOCAL_PERFORMERS


def find_with_ids(universal_id: str) -> list[TaggedPerformer]:
    """Return whom the Stash of the settings has by this id, by ascending id.

    Nobody where there is no Stash, or it did not answer just now or of late.
    """
    global _quiet_until
    if not settings.STASH_URL or time.monotonic() < _quiet_until:
        return []
    try:
        client = configured_client()
        if stash_id := local_stash_id(universal_id):
            return [client.get_performer(stash_id)]
        return client.find_performers_by_stash_ids([universal_id])
    except (StashNotFound, InvalidStashId):
        return []
    except StashError as error:
        logger.warning("Stash was not asked for further ids: %s", error)
        _quiet_until = time.monotonic() + QUIET_SECONDS
        return []


def look_up(
    client: StashClient,
    matches: Iterable[Match],
    *,
    tagged: Collection[TaggedPerformer] = (),
    tagged_bare_ids: frozenset[str] = frozenset(),
) -> LocalPerformers:
    """Ask Stash which of the matched performers it has, all of them at once.

    Who is tagged is known without asking. If Stash does not answer, the others stay
    unknown: the names are worth more than where they are filed.
    """
    try:
        local_ids = _ask(client, matches, tagged=tagged).local_ids
    except StashError as error:
        logger.warning("Matches could not be looked up in Stash: %s", error)
        local_ids = _local_ids(tagged)
    return LocalPerformers(local_ids, every_universal_id(tagged), tagged_bare_ids)


def _ask(
    client: StashClient,
    matches: Iterable[Match],
    *,
    tagged: Collection[TaggedPerformer],
) -> LocalPerformers:
    local_ids = _local_ids(tagged)
    wanted = {match.performer.universal_id for match in matches} - local_ids.keys()
    for universal_id in sorted(wanted):
        # Learnt from this very Stash: nobody need be asked.
        if stash_id := local_stash_id(universal_id):
            local_ids[universal_id] = stash_id
    wanted -= local_ids.keys()
    if wanted:
        for performer in client.find_performers_by_stash_ids(sorted(wanted)):
            for universal_id in performer.universal_ids & wanted:
                local_ids.setdefault(universal_id, str(performer.id))
    return LocalPerformers(local_ids)


def _local_ids(performers: Iterable[TaggedPerformer]) -> dict[str, str]:
    return {
        universal_id: str(each.id)
        for each in performers
        for universal_id in (*each.universal_ids, local_universal_id(each.id))
    }
