"""A client of one stash-box: what is asked of it, with typed answers.

Threads share a client, and with it its connections; the processes of this machine share
its limit. `stashbox_connections` makes them by Stash's configuration.
"""

import copy
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar

from stashsense.integrations import stashbox_operations as operations
from stashsense.integrations.graphql_http import Patience, error_messages
from stashsense.integrations.rate_limiter import RateLimiterFigures
from stashsense.integrations.shared_rate_limiter import (
    CheckStop,
    SharedRateLimiter,
    go_on,
)
from stashsense.integrations.stash_answers import Node
from stashsense.integrations.stash_types import endpoint_domain
from stashsense.integrations.stashbox_answers import (
    read_edit,
    read_performer,
    read_scene,
    read_studio,
    read_tag,
)
from stashsense.integrations.stashbox_errors import StashBoxError, StashBoxNotFound
from stashsense.integrations.stashbox_operations import (
    MAX_IDS_PER_DOCUMENT,
    MAX_SCENES_PER_CALL,
    BoxOperation,
    Kind,
)
from stashsense.integrations.stashbox_paging import Page, iter_newest_first
from stashsense.integrations.stashbox_transport import (
    BOX_PATIENCE,
    BoxAnswer,
    StashBoxTransport,
)
from stashsense.integrations.stashbox_types import (
    AppliedEdit,
    BoxFingerprint,
    BoxPerformer,
    BoxScene,
    BoxStudio,
    BoxTag,
    EditOperation,
    TargetType,
)

logger = logging.getLogger(__name__)

PAGE_SIZE = 100
SEARCH_LIMIT = 10
# What boxes give out; anything else is nobody's.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
# How some answer for an id they never gave, where others answer null.
_NO_SUCH = re.compile(r"not found|no rows", re.IGNORECASE)
# How stash-box itself answers for one of another form. Whoever asks for that one alone
# made it up; among many it is a reason to leave what is kept of it as it is.
_NO_ID = re.compile(rf"{_NO_SUCH.pattern}|incorrect uuid", re.IGNORECASE)
_Item = TypeVar("_Item", BoxPerformer, BoxScene, BoxStudio, BoxTag)


class StashBoxClient:
    """Asks the stash-box at `endpoint`, as whoever the key belongs to.

    Raises UnknownStashBox for an address or a key that cannot be one. Every method that
    asks raises StashBoxError, and of its kinds StashBoxUnreachable, StashBoxBusy and
    StashBoxUnauthorized at any time.
    """

    def __init__(
        self,
        endpoint: str,
        api_key: str,
        *,
        limiter: SharedRateLimiter,
        name: str = "",
        patience: Patience = BOX_PATIENCE,
    ) -> None:
        self._transport = StashBoxTransport(
            endpoint,
            api_key,
            name=name or endpoint_domain(endpoint),
            patience=patience,
            limiter=limiter,
        )
        self._check_stop: CheckStop = go_on

    @property
    def endpoint(self) -> str:
        return self._transport.endpoint

    @property
    def name(self) -> str:
        """What Stash calls the box, for messages to people."""
        return self._transport.name

    @property
    def limiter(self) -> SharedRateLimiter:
        return self._transport.limiter

    def close(self) -> None:
        """Close the connections that are kept; the next question opens one again."""
        self._transport.close()

    def stopped_by(self, check_stop: CheckStop) -> Self:
        """Return a client that calls this about twice a second while it waits.

        What it raises breaks the waiting off. Connections and limit are shared.
        """
        client = copy.copy(self)
        client._check_stop = check_stop
        return client

    def rate_limiter_figures(self) -> RateLimiterFigures:
        return self._transport.limiter.figures()

    # One, or many by their ids

    def get_performer(self, performer_id: str) -> BoxPerformer:
        """Return a performer, deleted and merged ones too; else StashBoxNotFound."""
        return self._get(operations.PERFORMER, read_performer, performer_id)

    def get_scene(self, scene_id: str) -> BoxScene:
        return self._get(operations.SCENE, read_scene, scene_id)

    def get_studio(self, studio_id: str) -> BoxStudio:
        return self._get(operations.STUDIO, read_studio, studio_id)

    def get_tag(self, tag_id: str) -> BoxTag:
        return self._get(operations.TAG, read_tag, tag_id)

    def find_performers(self, ids: Sequence[str]) -> dict[str, BoxPerformer | None]:
        """Return who has each id, deleted and merged ones too; None for nobody.

        An id that the box failed to answer for is not in the result: nothing is known
        of it, and it should be asked for again.
        """
        return self._find(operations.PERFORMER, read_performer, ids)

    def find_scenes(self, ids: Sequence[str]) -> dict[str, BoxScene | None]:
        """Return scenes by their ids as `find_performers` does performers."""
        return self._find(operations.SCENE, read_scene, ids)

    def find_studios(self, ids: Sequence[str]) -> dict[str, BoxStudio | None]:
        """Return studios by their ids as `find_performers` does performers."""
        return self._find(operations.STUDIO, read_studio, ids)

    def find_tags(self, ids: Sequence[str]) -> dict[str, BoxTag | None]:
        """Return tags by their ids as `find_performers` does performers."""
        return self._find(operations.TAG, read_tag, ids)

    # What changed

    def iter_performers_changed(
        self, since: datetime | None, *, per_page: int = PAGE_SIZE
    ) -> Iterator[BoxPerformer]:
        """Yield who was changed at that time or later, the newest first, each once.

        None is for all. Deleted and merged ones are not among them. Who changes while
        this goes on may be missing, and is newer than everything that was yielded
        first: the newest `updated` of one call is `since` of the next.
        """
        kind = operations.PERFORMER
        return self._changed(kind, read_performer, since, per_page)

    def iter_scenes_changed(
        self, since: datetime | None, *, per_page: int = PAGE_SIZE
    ) -> Iterator[BoxScene]:
        """Yield changed scenes as `iter_performers_changed` does performers."""
        return self._changed(operations.SCENE, read_scene, since, per_page)

    def iter_studios_changed(
        self, since: datetime | None, *, per_page: int = PAGE_SIZE
    ) -> Iterator[BoxStudio]:
        """Yield changed studios as `iter_performers_changed` does performers."""
        return self._changed(operations.STUDIO, read_studio, since, per_page)

    def iter_tags_changed(
        self, since: datetime | None, *, per_page: int = PAGE_SIZE
    ) -> Iterator[BoxTag]:
        """Yield changed tags as `iter_performers_changed` does performers."""
        return self._changed(operations.TAG, read_tag, since, per_page)

    def iter_edits_applied(
        self, since: datetime | None, target_type: TargetType
    ) -> Iterator[AppliedEdit]:
        """Yield what was merged at that time or later, then what was destroyed."""
        for operation in EditOperation:
            asked = {
                # Some statuses stand for an edit that was accepted; only this is sure.
                "applied": True,
                "target_type": target_type.value,
                "operation": operation.value,
                "sort": "CLOSED_AT",
            }
            nodes = self._pages(
                operations.EDITS,
                query_name="queryEdits",
                list_name="edits",
                asked=asked,
                per_page=PAGE_SIZE,
                moment_name="closed",
            )
            for node in nodes:
                edit = read_edit(node, operation, target_type)
                if edit is None:
                    continue
                if since is not None and edit.closed_at < since:
                    break
                yield edit

    # Searching

    def find_scenes_by_fingerprints(
        self, fingerprints: Sequence[Sequence[BoxFingerprint]]
    ) -> list[list[BoxScene]]:
        """Return the box's scenes for each of ours, by its fingerprints, in that order.

        PHASH is compared within a distance that the box decides on, so that a scene may
        be found that shares no fingerprint. MD5 is left out, as boxes ignore it.
        """
        found: list[list[BoxScene]] = [[] for _ in fingerprints]
        asked = [
            (place, values)
            for place, each in enumerate(fingerprints)
            if (values := [_query(one) for one in each if one.algorithm != "MD5"])
        ]
        operation = operations.SCENES_BY_FINGERPRINTS
        for start in range(0, len(asked), MAX_SCENES_PER_CALL):
            chunk = asked[start : start + MAX_SCENES_PER_CALL]
            variables = {"fingerprints": [values for _, values in chunk]}
            answer = self._whole(operation, variables)
            lists = answer.data.get("findScenesBySceneFingerprints")
            if not isinstance(lists, list) or len(lists) != len(chunk):
                raise self._error(f"has no list for each scene in {operation.name}")
            for (place, _), scenes in zip(chunk, lists, strict=True):
                nodes = self._nodes(scenes, operation.name)
                found[place] = [read_scene(node) for node in nodes]
        return found

    def search_performers(
        self, term: str, limit: int = SEARCH_LIMIT
    ) -> list[BoxPerformer]:
        """Return up to so many performers whose names are like the term, best first."""
        operation = operations.SEARCH_PERFORMERS
        answer = self._whole(operation, {"term": term, "limit": limit})
        found = self._node(answer).child("searchPerformers").children("performers")
        return [read_performer(node) for node in found]

    # Asking

    def _get(self, kind: Kind, read: Callable[[Node], _Item], id: str) -> _Item:
        if not _ID.fullmatch(id):
            raise StashBoxNotFound(f"{self.name} has no {kind.singular.lower()} {id!a}")
        answer = self._ask(operations.find_by_ids(kind, 1), {"id0": id})
        found, messages = answer.data.get("found0"), error_messages(answer.errors)
        is_none = found is None and all(_NO_ID.search(each) for each in messages)
        if answer.errors and not is_none:
            raise self._transport.refusal(kind.find_name, answer.errors)
        if is_none:
            raise StashBoxNotFound(f"{self.name} has no {kind.singular.lower()} {id}.")
        return read(self._node(answer).child("found0"))

    def _find(
        self, kind: Kind, read: Callable[[Node], _Item], ids: Sequence[str]
    ) -> dict[str, _Item | None]:
        wanted = list(dict.fromkeys(ids))
        found: dict[str, _Item | None] = {
            id: None for id in wanted if not _ID.fullmatch(id)
        }
        asked = [id for id in wanted if id not in found]
        for start in range(0, len(asked), MAX_IDS_PER_DOCUMENT):
            chunk = asked[start : start + MAX_IDS_PER_DOCUMENT]
            answer = self._ask(
                operations.find_by_ids(kind, len(chunk)),
                {f"id{n}": id for n, id in enumerate(chunk)},
            )
            found |= self._found(answer, kind, read, chunk)
        return found

    def _found(
        self,
        answer: BoxAnswer,
        kind: Kind,
        read: Callable[[Node], _Item],
        ids: Sequence[str],
    ) -> dict[str, _Item | None]:
        """Return what each id is answered with; an error of one is not the others'."""
        failed: dict[object, str] = {}
        for error in answer.errors:
            path = error.get("path")
            if not isinstance(path, list) or not path:
                raise self._transport.refusal(f"Find{kind.plural}", answer.errors)
            failed[path[0]] = str(error.get("message"))
        found: dict[str, _Item | None] = {}
        root = self._node(answer)
        for n, id in enumerate(ids):
            reason = failed.get(f"found{n}")
            try:
                node = root.optional(f"found{n}")
                # An error in one of its fields leaves that field out: of no use either.
                if node is not None and reason is None:
                    found[id] = read(node)
                elif node is None and (reason is None or _NO_SUCH.search(reason)):
                    found[id] = None
            except StashBoxError as error:
                reason = str(error)
            if id not in found:
                logger.warning(
                    "%s did not answer for %s %s: %s",
                    *(
                        self.name,
                        kind.singular,
                        id,
                        self._transport.shown(reason or ""),
                    ),
                )
        return found

    def _changed(
        self,
        kind: Kind,
        read: Callable[[Node], _Item],
        since: datetime | None,
        per_page: int,
    ) -> Iterator[_Item]:
        nodes = self._pages(
            operations.query_page(kind),
            query_name=kind.query_name,
            list_name=kind.list_name,
            asked={"sort": "UPDATED_AT"},
            per_page=per_page,
            moment_name="updated",
        )
        for node in nodes:
            item = read(node)
            if since is not None and item.updated < since:
                return
            yield item

    def _pages(
        self,
        operation: BoxOperation,
        *,
        query_name: str,
        list_name: str,
        asked: Mapping[str, object],
        per_page: int,
        moment_name: str,
    ) -> Iterator[Node]:
        def ask(page: int, size: int) -> Page:
            paging = {"page": page, "per_page": size, "direction": "DESC"}
            answer = self._whole(operation, {"input": {**asked, **paging}})
            result = self._node(answer).child(query_name)
            return Page(result.integer("count"), result.children(list_name))

        return iter_newest_first(ask, per_page=per_page, moment_name=moment_name)

    def _whole(
        self, operation: BoxOperation, variables: Mapping[str, object]
    ) -> BoxAnswer:
        """Return an answer that lacks nothing."""
        answer = self._ask(operation, variables)
        if answer.errors:
            raise self._transport.refusal(operation.name, answer.errors)
        return answer

    def _ask(
        self, operation: BoxOperation, variables: Mapping[str, object]
    ) -> BoxAnswer:
        return self._transport.ask(operation, variables, self._check_stop)

    def _node(self, answer: BoxAnswer) -> Node:
        return Node.of(answer.data, "data", whose=self._whose, error=StashBoxError)

    def _nodes(self, values: object, where: str) -> list[Node]:
        if not isinstance(values, list):
            raise self._error(f"has no list at {where}")
        return [
            Node.of(value, where, whose=self._whose, error=StashBoxError)
            for value in values
            if value is not None
        ]

    @property
    def _whose(self) -> str:
        return f"{self.name}'s"

    def _error(self, what: str) -> StashBoxError:
        return StashBoxError(f"{self._whose} answer {what}.")


def _query(fingerprint: BoxFingerprint) -> dict[str, str]:
    return {"algorithm": fingerprint.algorithm, "hash": fingerprint.hash}
