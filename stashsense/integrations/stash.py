"""A client of one Stash: what is asked of it, with typed answers.

Threads share a client, and with it its connections and its limit. A process has one,
by the settings: `configured_client`.
"""

import copy
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from django.conf import settings

from stashsense.integrations import stash_operations as operations
from stashsense.integrations.rate_limiter import RateLimiter, RateLimiterFigures
from stashsense.integrations.shared_rate_limiter import CheckStop, go_on
from stashsense.integrations.stash_address import StashAddress, parse_stash_url
from stashsense.integrations.stash_answers import (
    Node,
    read_gallery,
    read_image,
    read_performer,
    read_pictured_performer,
    read_scene,
    read_stash_box,
    read_stash_box_connection,
    read_system_status,
    read_tagged_performer,
)
from stashsense.integrations.stash_errors import (
    InvalidStashId,
    StashError,
    StashNotFound,
    StashTooOld,
)
from stashsense.integrations.stash_operations import Operation
from stashsense.integrations.stash_transport import (
    DEFAULT_PATIENCE,
    Patience,
    StashTransport,
)
from stashsense.integrations.stash_types import (
    Media,
    PerformersPage,
    PicturedPerformer,
    StashBoxConnection,
    StashBoxEndpoint,
    StashGallery,
    StashId,
    StashImage,
    StashPerformer,
    StashScene,
    StashVersion,
    SystemStatus,
    TaggedPerformer,
)

# The predecessor's default of stash_api_rate.
DEFAULT_REQUESTS_PER_SECOND = 5.0
PAGE_SIZE = 100
# Of rows without files and people: ten thousand take two seconds at the default rate.
PERFORMERS_PER_PAGE = 1000
SEARCH_PAGE_SIZE = 10
# Stash may be replaced by another version while we run; its failing tells us sooner.
_VERSION_LIFE_SECONDS = 300
# Stash compares times as text, each in the zone it was written in.
_TIME_ZONE_MARGIN = timedelta(days=1, hours=2)
_ID = re.compile(r"[0-9]{1,18}")
# What stash-boxes give out; Stash would take % and _ for wildcards.
STASH_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class StashClient:
    """Asks the Stash at `url`; raises StashNotConfigured when that cannot be one.

    Every method that asks raises StashError, and of its kinds StashUnreachable,
    StashUnauthorized and StashTooOld at any time.
    """

    def __init__(
        self,
        url: str,
        api_key: str = "",
        *,
        patience: Patience = DEFAULT_PATIENCE,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.limiter = limiter or RateLimiter(None)
        self._address = parse_stash_url(url)
        self._transport = StashTransport(
            self._address, api_key, patience=patience, limiter=self.limiter
        )
        self._version: tuple[StashVersion, float] | None = None
        self._check_stop: CheckStop = go_on

    def stopped_by(self, check_stop: CheckStop) -> Self:
        """Return a client that calls this about twice a second while it waits.

        What it raises breaks the waiting off. Connections and limit are shared.
        """
        client = copy.copy(self)
        client._check_stop = check_stop
        return client

    def close(self) -> None:
        """Close the connections that are kept; the next question opens one again."""
        self._transport.close()

    @property
    def media_headers(self) -> dict[str, str]:
        """Headers to read Stash's addresses with, for readers of their own."""
        return self._transport.own_headers

    @property
    def address(self) -> StashAddress:
        """Where Stash is, to rebase the addresses that it answers with."""
        return self._address

    def rate_limiter_figures(self) -> RateLimiterFigures:
        return self.limiter.figures()

    # The server

    def get_version(self) -> StashVersion:
        """Ask Stash for its version; raises StashTooOld for one below 0.25.

        A build that was made without a version counts as the oldest that will do.
        """
        data = self._ask(operations.VERSION, {}, operations.OLDEST_VERSION)
        text = data.child("version").optional_text("version")
        version = StashVersion.parse(text) or operations.OLDEST_VERSION
        if version < operations.OLDEST_VERSION:
            oldest = operations.OLDEST_VERSION
            raise StashTooOld(
                f"Stash is of version {version}; Stash Sense works with "
                f"{oldest.major}.{oldest.minor} and newer."
            )
        self._version = version, time.monotonic()
        return version

    def get_system_status(self) -> SystemStatus:
        """Ask whether Stash is set up, without asking for its version first."""
        data = self._ask(operations.SYSTEM_STATUS, {}, operations.OLDEST_VERSION)
        return read_system_status(data.child("systemStatus"))

    def get_stash_box_endpoints(self) -> list[StashBoxEndpoint]:
        return [read_stash_box(box) for box in self._boxes(operations.STASH_BOXES)]

    def get_stash_box_connections(self) -> list[StashBoxConnection]:
        """Return the stash-boxes with their keys, which are for asking them alone."""
        boxes = self._boxes(operations.STASH_BOX_CONNECTIONS)
        return [read_stash_box_connection(box) for box in boxes]

    # Scenes, images, galleries

    def get_scene(self, scene_id: int | str) -> StashScene:
        return read_scene(self._get(operations.SCENE, "scene", scene_id), self._address)

    def get_image(self, image_id: int | str) -> StashImage:
        return read_image(self._get(operations.IMAGE, "image", image_id), self._address)

    def get_gallery(self, gallery_id: int | str) -> StashGallery:
        return read_gallery(self._get(operations.GALLERY, "gallery", gallery_id))

    def iter_scenes(
        self, *, updated_after: datetime | None = None, after_id: int = 0
    ) -> Iterator[StashScene]:
        """Yield the library's scenes by ascending id, each once, from `after_id` on.

        Scenes that come or go meanwhile move no other one out of the way.
        """
        items = updated_filter(updated_after)
        for node in self.iter_by_id(operations.SCENES, items, after_id=after_id):
            scene = read_scene(node, self._address)
            if updated_after is None or scene.updated_at > updated_after:
                yield scene

    def iter_gallery_images(self, gallery_id: int | str) -> Iterator[StashImage]:
        """Yield a gallery's images by ascending id; none where there is no gallery."""
        number = number_of(gallery_id, "gallery")
        galleries = {"value": [str(number)], "modifier": "INCLUDES"}
        for node in self.iter_by_id(operations.IMAGES, {"galleries": galleries}):
            yield read_image(node, self._address)

    def count_scenes(self) -> int:
        return self._count(operations.SCENE_COUNT, "findScenes")

    # Performers

    def get_performer(self, performer_id: int | str) -> PicturedPerformer:
        node = self._get(operations.PERFORMER, "performer", performer_id)
        return read_pictured_performer(node, self._address)

    def performers_page(self, page: int) -> PerformersPage:
        """Return a page of the library's performers, from 1 on, by ascending id.

        Stash filters performers by no id: those who go meanwhile move the others
        forward, and somebody may be on no page.
        """
        paging = {
            "page": page,
            "per_page": PERFORMERS_PER_PAGE,
            "sort": "id",
            "direction": "ASC",
        }
        found = self.execute(operations.PERFORMERS, {"page": paging})
        answer = found.child("findPerformers")
        performers = [
            read_pictured_performer(node, self._address)
            for node in answer.children("performers")
        ]
        total_count = answer.integer("count")
        is_short = len(performers) < PERFORMERS_PER_PAGE
        return PerformersPage(
            performers,
            total_count=total_count,
            is_last=is_short or page * PERFORMERS_PER_PAGE >= total_count,
        )

    def find_images_alone(
        self, performer_id: int | str, *, limit: int
    ) -> list[StashImage]:
        """Return the newest images that the performer and nobody else is tagged in."""
        performers = {
            "value": [str(number_of(performer_id, "performer"))],
            "modifier": "INCLUDES",
        }
        alone = {"value": 1, "modifier": "EQUALS"}
        page = {"page": 1, "per_page": limit, "sort": "id", "direction": "DESC"}
        data = self.execute(
            operations.IMAGES,
            {
                "items": {"performers": performers, "performer_count": alone},
                "page": page,
            },
        )
        nodes = data.child("findImages").children("images")
        return [read_image(node, self._address) for node in nodes]

    def find_performers_by_stash_ids(
        self, ids: Iterable[StashId | str]
    ) -> list[TaggedPerformer]:
        """Return the library's performers that have one of the ids, in order of id.

        A text is a universal id such as "stashdb.org:<id>". What can be no such id is
        nobody's.
        """
        wanted = {id.universal_id if isinstance(id, StashId) else id for id in ids}
        bare = {universal_id.partition(":")[2] for universal_id in wanted}
        searched = sorted(id for id in bare if STASH_ID.fullmatch(id))
        found: dict[int, TaggedPerformer] = {}
        for start in range(0, len(searched), operations.MAX_IDS_PER_DOCUMENT):
            chunk = searched[start : start + operations.MAX_IDS_PER_DOCUMENT]
            data = self.execute(
                operations.performers_by_stash_ids(len(chunk)),
                {f"id{n}": stash_id for n, stash_id in enumerate(chunk)},
            )
            for n in range(len(chunk)):
                for node in data.child(f"found{n}").children("performers"):
                    performer = read_tagged_performer(node)
                    # The same id at another stash-box is somebody else.
                    if performer.universal_ids & wanted:
                        found[performer.id] = performer
        return [found[performer_id] for performer_id in sorted(found)]

    def search_performers(self, query: str) -> list[StashPerformer]:
        """Return up to ten performers whose name or alias has the words, by name."""
        page = {
            "q": query,
            "page": 1,
            "per_page": SEARCH_PAGE_SIZE,
            "sort": "name",
            "direction": "ASC",
        }
        data = self.execute(operations.SEARCH_PERFORMERS, {"page": page})
        nodes = data.child("findPerformers").children("performers")
        return [read_performer(node, self._address) for node in nodes]

    # Files

    def fetch_media(self, url: str, *, max_bytes: int, timeout_seconds: float) -> Media:
        """Return the file at one of Stash's addresses, whichever host it names.

        Raises StashNotFound where Stash has no such file, StashMediaTooLarge for more
        than `max_bytes`. Not counted by the limiter.
        """
        return self._transport.fetch(
            url,
            max_bytes=max_bytes,
            timeout_seconds=timeout_seconds,
            stop=self._check_stop,
        )

    # Asking

    def execute(
        self, operation: Operation, variables: Mapping[str, object] | None = None
    ) -> Node:
        """Return the data that Stash answers the operation with.

        Raises StashTooOld, and asks nothing, where Stash's version lacks it.
        """
        version = self.known_version()
        if version < operation.since:
            since = operation.since
            raise StashTooOld(
                f"Stash is of version {version}; {operation.name} is in Stash from "
                f"{since.major}.{since.minor} on."
            )
        return self._ask(operation, variables or {}, version)

    def _ask(
        self,
        operation: Operation,
        variables: Mapping[str, object],
        version: StashVersion,
    ) -> Node:
        try:
            data = self._transport.ask(
                operation.document_for(version),
                variables,
                name=operation.name,
                may_repeat=operation.is_read,
                # A change that was sent is waited for.
                stop=self._check_stop if operation.is_read else go_on,
            )
        except StashError:
            # It may have gone away to come back as another version.
            self._version = None
            raise
        return Node.of(data, "data")

    def known_version(self) -> StashVersion:
        """Return the version that Stash told of some minutes ago at most."""
        known = self._version
        if known is not None and time.monotonic() - known[1] < _VERSION_LIFE_SECONDS:
            return known[0]
        return self.get_version()

    def _get(self, operation: Operation, kind: str, id: int | str) -> Node:
        number = number_of(id, kind)
        data = self.execute(operation, {"id": str(number)})
        node = data.optional(f"find{operation.name}")
        if node is None:
            raise StashNotFound(f"{operation.name} {number} not found.")
        return node

    def _boxes(self, operation: Operation) -> list[Node]:
        configuration = self.execute(operation).child("configuration")
        return configuration.child("general").children("stashBoxes")

    def iter_by_id(
        self,
        operation: Operation,
        items: Mapping[str, object],
        *,
        after_id: int = 0,
        page_size: int = PAGE_SIZE,
        finder: str = "",
    ) -> Iterator[Node]:
        """Yield what lies after an id, page by page, each page after the last's end.

        `finder` is the query that the operation asks with, where it is not named so.
        """
        finder = finder or f"find{operation.name}"
        items_name = finder.removeprefix("find").lower()
        page = {"page": 1, "per_page": page_size, "sort": "id", "direction": "ASC"}
        while True:
            began_after = after_id
            after = {"value": after_id, "modifier": "GREATER_THAN"}
            data = self.execute(
                operation, {"items": {**items, "id": after}, "page": page}
            )
            nodes = data.child(finder).children(items_name)
            for node in nodes:
                if node.id() < after_id:
                    raise StashError(f"Stash answered {operation.name} out of order.")
                if node.id() > after_id:
                    after_id = node.id()
                    yield node
            if len(nodes) < page_size:
                return
            if after_id == began_after:
                raise StashError(
                    f"Stash answered {operation.name} with one page twice."
                )

    def _count(self, operation: Operation, name: str) -> int:
        data = self.execute(operation, {"items": {}, "page": {"per_page": 1}})
        return data.child(name).integer("count")


_lock = threading.Lock()
_configured: tuple[tuple[str, str], StashClient] | None = None


def configured_client() -> StashClient:
    """Return this process's client of the Stash that the settings name.

    Raises StashNotConfigured where they name none. All callers share its limiter, at
    the rate that users have set.
    """
    # Rows: a client can do without them, and be made before there are any.
    from stashsense.integrations.preferences import stash_api_rate

    client = process_client()
    client.limiter.requests_per_second = stash_api_rate()
    return client


def process_client() -> StashClient:
    """Return the same at the rate it last had, without asking the database."""
    global _configured
    wanted = settings.STASH_URL, settings.STASH_API_KEY or ""
    with _lock:
        if _configured is None or _configured[0] != wanted:
            limiter = RateLimiter(DEFAULT_REQUESTS_PER_SECOND)
            _configured = wanted, StashClient(*wanted, limiter=limiter)
        return _configured[1]


def _forget_parents_client() -> None:
    """Let a forked process make its own: two must not speak on one connection."""
    global _configured, _lock
    _configured, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_parents_client)


def number_of(id: int | str, kind: str) -> int:
    text = str(id)
    if not _ID.fullmatch(text) or int(text) == 0:
        # Whatever it is, it may be long or not printable.
        shown = ascii(text[:40])
        raise InvalidStashId(f"The id of a Stash {kind} is a number, not {shown}.")
    return int(text)


def updated_filter(updated_after: datetime | None) -> dict[str, object]:
    """Return a filter that leaves in more than what was updated after the moment."""
    if updated_after is None:
        return {}
    since = (updated_after.astimezone(UTC) - _TIME_ZONE_MARGIN).isoformat(
        "T", "seconds"
    )
    return {"updated_at": {"value": since, "modifier": "GREATER_THAN"}}
