"""What analyzers read of a library: row by row, by ids, by names, by stash ids.

Nothing is changed from here. Every method raises StashError, and of its kinds what
`StashClient` says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from stashsense.integrations import stash_library_answers as answers
from stashsense.integrations import stash_library_operations as operations
from stashsense.integrations.stash import (
    STASH_ID,
    StashClient,
    number_of,
    updated_filter,
)
from stashsense.integrations.stash_answers import Node
from stashsense.integrations.stash_errors import StashNotFound
from stashsense.integrations.stash_library_operations import Finder, Shape
from stashsense.integrations.stash_library_types import (
    FullScene,
    LeanScene,
    PerformerName,
    PerformerRow,
    SceneRow,
    StudioRow,
    TagRow,
)
from stashsense.integrations.stash_operations import MAX_IDS_PER_DOCUMENT
from stashsense.integrations.stash_tags import TaggedKind
from stashsense.integrations.stash_types import StashId

# A hundred thousand scenes are a hundred questions, twenty seconds at the default rate.
LEAN_PAGE_SIZE = 1000
# A scene with its files is about 2 kB: a page stays well below 10 MB.
ROW_PAGE_SIZE = 500
# What a document asks for of these by their ids, which are looked up and not searched.
SCENE_ROWS_PER_DOCUMENT = 200
SEARCH_HITS = 10
# What somebody who deletes all the while may make us go back for.
_MAX_STEPS_BACK = 100
_ID_PAGES = {
    TaggedKind.SCENE: (operations.SCENE_IDS, "findScenes"),
    TaggedKind.IMAGE: (operations.IMAGE_IDS, "findImages"),
    TaggedKind.GALLERY: (operations.GALLERY_IDS, "findGalleries"),
}

Row = TypeVar("Row")


class Updated(Protocol):
    @property
    def updated_at(self) -> datetime: ...


class Linked(Protocol):
    @property
    def stash_ids(self) -> tuple[StashId, ...]: ...


class StashLibrary:
    """Reads the library of the client's Stash."""

    def __init__(self, client: StashClient) -> None:
        self._client = client

    # Scenes

    def iter_lean_scenes(self) -> Iterator[LeanScene]:
        """Yield every scene by ascending id, each once, a thousand a question."""
        operation = operations.page_of(operations.SCENES, operations.LEAN_SCENE)
        nodes = self._client.iter_by_id(
            operation,
            {},
            page_size=LEAN_PAGE_SIZE,
            finder="findScenes",
        )
        return map(answers.read_lean_scene, nodes)

    def iter_scene_rows(
        self, *, updated_after: datetime | None = None, after_id: int = 0
    ) -> Iterator[SceneRow]:
        """Yield scenes by ascending id, each once, from `after_id` on."""
        return self._scene_rows({}, updated_after, after_id)

    def iter_scenes_linked_to(
        self,
        endpoint: str,
        *,
        updated_after: datetime | None = None,
    ) -> Iterator[SceneRow]:
        """Yield the scenes with an id at that stash-box, as `iter_scene_rows` does."""
        items = self._box_filter(endpoint, "NOT_NULL")
        rows = self._scene_rows(items, updated_after)
        return (row for row in rows if is_linked(row, endpoint))

    def iter_scenes_not_linked_to(
        self,
        endpoint: str,
        *,
        updated_after: datetime | None = None,
        after_id: int = 0,
    ) -> Iterator[SceneRow]:
        """Yield the scenes without an id there, as `iter_scene_rows` does."""
        items = self._box_filter(endpoint, "IS_NULL")
        rows = self._scene_rows(items, updated_after, after_id)
        return (row for row in rows if not is_linked(row, endpoint))

    def iter_scenes_with_several_files(
        self, *, after_id: int = 0
    ) -> Iterator[SceneRow]:
        """Yield the scenes of more than one file, as `iter_scene_rows` does."""
        several = {"file_count": {"value": 1, "modifier": "GREATER_THAN"}}
        return self._scene_rows(several, None, after_id)

    def find_scene_rows(self, ids: Sequence[int]) -> list[SceneRow]:
        """Return those of the scenes that are there, in the order of the ids."""
        nodes = self._by_ids(
            operations.SCENES,
            operations.SCENE_ROW,
            ids,
            at_once=SCENE_ROWS_PER_DOCUMENT,
        )
        return [answers.read_scene_row(node) for node in nodes]

    def find_full_scenes(self, ids: Sequence[int]) -> list[FullScene]:
        """Return the same with all that a merge might lose."""
        nodes = self._by_ids(operations.SCENES, operations.FULL_SCENE, ids)
        return [answers.read_full_scene(node, self._client.address) for node in nodes]

    def get_full_scene(self, scene_id: int | str) -> FullScene:
        """Return the scene as it is now; raises StashNotFound where there is none."""
        found = self.find_full_scenes([number_of(scene_id, "scene")])
        return _only(found, "Scene", scene_id)

    def find_scenes_by_stash_ids(self, ids: Iterable[StashId]) -> list[SceneRow]:
        """Return the scenes that have one of the ids at its stash-box, by id."""
        shape = operations.SCENE_ROW
        return self._by_stash_ids(operations.SCENES, shape, ids, answers.read_scene_row)

    # What somebody is in

    def iter_ids_with(self, performer_id: int | str, kind: TaggedKind) -> Iterator[int]:
        """Yield the scenes, images or galleries the performer is tagged in, by id."""
        operation, finder = _ID_PAGES[kind]
        number = number_of(performer_id, "performer")
        performers = {"value": [str(number)], "modifier": "INCLUDES"}
        nodes = self._client.iter_by_id(
            operation,
            {"performers": performers},
            page_size=LEAN_PAGE_SIZE,
            finder=finder,
        )
        return (node.id() for node in nodes)

    # Performers

    def iter_performer_rows(
        self, *, linked_to: str | None = None, updated_after: datetime | None = None
    ) -> Iterator[PerformerRow]:
        """Yield performers by ascending id, each once; of one stash-box if named.

        Stash pages performers by numbers only. When some are deleted meanwhile the
        pages that moved are asked for again; one who is missed was moved while as many
        were created.
        """
        finder, shape = operations.PERFORMERS, operations.PERFORMER_ROW
        rows = map(
            self._performer,
            self._numbered_pages(
                finder, shape, self._row_filter(linked_to, updated_after)
            ),
        )
        return _chosen(rows, linked_to, updated_after)

    def iter_performer_names(self) -> Iterator[PerformerName]:
        """Yield every performer as `iter_performer_rows` does, by what names them."""
        finder, shape = operations.PERFORMERS, operations.PERFORMER_NAME
        nodes = self._numbered_pages(finder, shape, {})
        return map(answers.read_performer_name, nodes)

    def find_performer_rows(self, ids: Sequence[int]) -> list[PerformerRow]:
        """Return those of the performers that are there, in the order of the ids."""
        nodes = self._by_ids(operations.PERFORMERS, operations.PERFORMER_ROW, ids)
        return [self._performer(node) for node in nodes]

    def get_performer_row(self, performer_id: int | str) -> PerformerRow:
        """Return the performer as they are now; raises StashNotFound for none."""
        found = self.find_performer_rows([number_of(performer_id, "performer")])
        return _only(found, "Performer", performer_id)

    def find_performers_named(self, name: str) -> list[PerformerName]:
        """Return those whose name or alias it is, whatever the letter case, by id."""
        found = map(
            answers.read_performer_name,
            self._named(operations.PERFORMERS, operations.PERFORMER_NAME, name),
        )
        return [row for row in found if _is_called(row.name, row.alias_list, name)]

    def find_performers_by_stash_ids(
        self, ids: Iterable[StashId]
    ) -> list[PerformerName]:
        """Return those who have one of the ids at its stash-box, by id."""
        finder, shape = operations.PERFORMERS, operations.PERFORMER_NAME
        return self._by_stash_ids(finder, shape, ids, answers.read_performer_name)

    def search_performers(self, query: str) -> list[PerformerName]:
        """Return up to ten whose name or alias has the words, by name."""
        nodes = self._search(operations.PERFORMERS, operations.PERFORMER_NAME, query)
        return [answers.read_performer_name(node) for node in nodes]

    # Tags

    def iter_tag_rows(
        self, *, linked_to: str | None = None, updated_after: datetime | None = None
    ) -> Iterator[TagRow]:
        """Yield tags as `iter_performer_rows` does; before 0.30 none is linked."""
        version = self._client.known_version()
        has_filter = version >= operations.TAGS_BY_STASH_IDS_SINCE
        items = self._row_filter(linked_to if has_filter else None, updated_after)
        nodes = self._numbered_pages(operations.TAGS, operations.TAG_ROW, items)
        return _chosen(map(self._tag, nodes), linked_to, updated_after)

    def find_tag_rows(self, ids: Sequence[int]) -> list[TagRow]:
        nodes = self._by_ids(operations.TAGS, operations.TAG_ROW, ids)
        return [self._tag(node) for node in nodes]

    def get_tag_row(self, tag_id: int | str) -> TagRow:
        """Return the tag as it is now; raises StashNotFound where there is none."""
        return _only(self.find_tag_rows([number_of(tag_id, "tag")]), "Tag", tag_id)

    def find_tags_named(self, name: str) -> list[TagRow]:
        """Return those whose name or alias it is, whatever the letter case, by id."""
        nodes = self._named(operations.TAGS, operations.TAG_ROW, name)
        found = (self._tag(node) for node in nodes)
        return [row for row in found if _is_called(row.name, row.aliases, name)]

    def find_tags_by_stash_ids(self, ids: Iterable[StashId]) -> list[TagRow]:
        """Return the tags that have one of the ids, by id; none before Stash 0.30."""
        if self._client.known_version() < operations.TAGS_BY_STASH_IDS_SINCE:
            return []
        return self._by_stash_ids(operations.TAGS, operations.TAG_ROW, ids, self._tag)

    def search_tags(self, query: str) -> list[TagRow]:
        """Return up to ten whose name or alias has the words, by name."""
        nodes = self._search(operations.TAGS, operations.TAG_ROW, query)
        return [self._tag(node) for node in nodes]

    # Studios

    def iter_studio_rows(
        self, *, linked_to: str | None = None, updated_after: datetime | None = None
    ) -> Iterator[StudioRow]:
        """Yield studios as `iter_performer_rows` does."""
        items = self._row_filter(linked_to, updated_after)
        nodes = self._numbered_pages(operations.STUDIOS, operations.STUDIO_ROW, items)
        return _chosen(map(self._studio, nodes), linked_to, updated_after)

    def find_studio_rows(self, ids: Sequence[int]) -> list[StudioRow]:
        nodes = self._by_ids(operations.STUDIOS, operations.STUDIO_ROW, ids)
        return [self._studio(node) for node in nodes]

    def get_studio_row(self, studio_id: int | str) -> StudioRow:
        """Return the studio as it is now; raises StashNotFound where there is none."""
        found = self.find_studio_rows([number_of(studio_id, "studio")])
        return _only(found, "Studio", studio_id)

    def find_studios_named(self, name: str) -> list[StudioRow]:
        """Return those whose name or alias it is, whatever the letter case, by id."""
        nodes = self._named(operations.STUDIOS, operations.STUDIO_ROW, name)
        found = (self._studio(node) for node in nodes)
        return [row for row in found if _is_called(row.name, row.aliases, name)]

    def find_studios_by_stash_ids(self, ids: Iterable[StashId]) -> list[StudioRow]:
        """Return the studios that have one of the ids at its stash-box, by id."""
        return self._by_stash_ids(
            operations.STUDIOS, operations.STUDIO_ROW, ids, self._studio
        )

    def search_studios(self, query: str) -> list[StudioRow]:
        """Return up to ten whose name or alias has the words, by name."""
        nodes = self._search(operations.STUDIOS, operations.STUDIO_ROW, query)
        return [self._studio(node) for node in nodes]

    # Asking

    def _performer(self, node: Node) -> PerformerRow:
        return answers.read_performer_row(node, self._client.address)

    def _tag(self, node: Node) -> TagRow:
        return answers.read_tag_row(node, self._client.address)

    def _studio(self, node: Node) -> StudioRow:
        return answers.read_studio_row(node, self._client.address)

    def _scene_rows(
        self,
        items: Mapping[str, object],
        updated_after: datetime | None,
        after_id: int = 0,
    ) -> Iterator[SceneRow]:
        nodes = self._client.iter_by_id(
            operations.page_of(operations.SCENES, operations.SCENE_ROW),
            {**items, **updated_filter(updated_after)},
            after_id=after_id,
            page_size=ROW_PAGE_SIZE,
            finder="findScenes",
        )
        rows = map(answers.read_scene_row, nodes)
        return _chosen(rows, None, updated_after)

    def _row_filter(
        self, endpoint: str | None, updated_after: datetime | None
    ) -> dict[str, object]:
        items = updated_filter(updated_after)
        if endpoint is not None:
            items |= self._box_filter(endpoint, "NOT_NULL")
        return items

    def _box_filter(self, endpoint: str, modifier: str) -> dict[str, object]:
        """Return a filter by stash-box, or none where Stash must not be given that.

        Stash puts the endpoint into its SQL as it is, so it gets back what it has told
        of and that ends no text of SQL; who asks looks at the rows in any case.
        """
        boxes = self._client.get_stash_box_endpoints()
        is_known = endpoint in {box.endpoint for box in boxes}
        if not is_known or set(endpoint) & set("'\"\\"):
            return {}
        return {"stash_id_endpoint": {"endpoint": endpoint, "modifier": modifier}}

    def _numbered_pages(
        self, finder: Finder, shape: Shape, items: Mapping[str, object]
    ) -> Iterator[Node]:
        """Yield rows that Stash cannot be asked for by id, each once."""
        operation = operations.page_of(finder, shape)
        seen: set[int] = set()
        number, known_count, steps_back = 1, 0, 0
        while True:
            page = {
                "page": number,
                "per_page": LEAN_PAGE_SIZE,
                "sort": "id",
                "direction": "ASC",
            }
            data = self._client.execute(operation, {"items": items, "page": page})
            answer = data.child(finder.many)
            count, nodes = answer.integer("count"), answer.children(finder.items)
            lost, known_count = known_count - count, count
            if lost > 0 and steps_back < _MAX_STEPS_BACK:
                # Those behind the lost ones moved to pages that we have had.
                steps_back += 1
                number = max(1, number - -(-lost // LEAN_PAGE_SIZE))
                continue
            for node in nodes:
                if node.id() not in seen:
                    seen.add(node.id())
                    yield node
            if len(nodes) < LEAN_PAGE_SIZE:
                return
            number += 1

    def _by_ids(
        self,
        finder: Finder,
        shape: Shape,
        ids: Sequence[int],
        *,
        at_once: int = MAX_IDS_PER_DOCUMENT,
    ) -> Iterator[Node]:
        wanted = list(dict.fromkeys(number_of(each, finder.items) for each in ids))
        for start in range(0, len(wanted), at_once):
            chunk = wanted[start : start + at_once]
            data = self._client.execute(
                operations.by_ids(finder, shape, len(chunk)),
                {f"id{n}": str(each) for n, each in enumerate(chunk)},
            )
            for n in range(len(chunk)):
                if (node := data.optional(f"found{n}")) is not None:
                    yield node

    def _by_stash_ids(
        self,
        finder: Finder,
        shape: Shape,
        ids: Iterable[StashId],
        read: Callable[[Node], "LinkedRow"],
    ) -> "list[LinkedRow]":
        wanted = {(each.endpoint, each.stash_id) for each in ids}
        searched = sorted(
            {stash_id for _, stash_id in wanted if STASH_ID.fullmatch(stash_id)}
        )
        found: dict[int, LinkedRow] = {}
        for start in range(0, len(searched), MAX_IDS_PER_DOCUMENT):
            chunk = searched[start : start + MAX_IDS_PER_DOCUMENT]
            data = self._client.execute(
                operations.by_stash_ids(finder, shape, len(chunk)),
                {f"id{n}": stash_id for n, stash_id in enumerate(chunk)},
            )
            for n in range(len(chunk)):
                for node in data.child(f"found{n}").children(finder.items):
                    row = read(node)
                    # The same id at another stash-box is something else.
                    if wanted & {(s.endpoint, s.stash_id) for s in row.stash_ids}:
                        found[node.id()] = row
        return [found[each] for each in sorted(found)]

    def _named(self, finder: Finder, shape: Shape, name: str) -> list[Node]:
        """Return the rows that Stash takes for so named: % and _ are any text to it."""
        # An empty name is nobody's, and Stash would return everything.
        if not name.strip():
            return []
        equal = {"value": name.strip(), "modifier": "EQUALS"}
        items = {"name": equal, "OR": {"aliases": equal}}
        page = {"page": 1, "per_page": -1, "sort": "id", "direction": "ASC"}
        operation = operations.page_of(finder, shape)
        data = self._client.execute(operation, {"items": items, "page": page})
        return data.child(finder.many).children(finder.items)

    def _search(self, finder: Finder, shape: Shape, query: str) -> list[Node]:
        page = {
            "q": query,
            "page": 1,
            "per_page": SEARCH_HITS,
            "sort": "name",
            "direction": "ASC",
        }
        operation = operations.page_of(finder, shape)
        data = self._client.execute(operation, {"items": {}, "page": page})
        return data.child(finder.many).children(finder.items)


class _LinkedAndUpdated(Linked, Updated, Protocol):
    """What a row of any kind tells of itself."""


LinkedRow = TypeVar("LinkedRow", bound=Linked)
AnyRow = TypeVar("AnyRow", bound=_LinkedAndUpdated)


def is_linked(row: Linked, endpoint: str) -> bool:
    """Return whether the row has an id at that stash-box."""
    return any(each.endpoint == endpoint for each in row.stash_ids)


def _chosen(
    rows: Iterator[AnyRow], linked_to: str | None, updated_after: datetime | None
) -> Iterator[AnyRow]:
    """Yield what is as asked: Stash's filters leave in more than that."""
    for row in rows:
        is_of_box = linked_to is None or is_linked(row, linked_to)
        is_newer = updated_after is None or row.updated_at > updated_after
        if is_of_box and is_newer:
            yield row


def _is_called(name: str, aliases: Sequence[str], wanted: str) -> bool:
    folded = wanted.strip().casefold()
    return any(each.strip().casefold() == folded for each in (name, *aliases))


def _only(found: Sequence[Row], kind: str, id: int | str) -> Row:
    if not found:
        raise StashNotFound(f"{kind} {id} not found.")
    return found[0]
