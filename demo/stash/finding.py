"""The find queries: which rows a filter leaves, in which order, which page."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations, islice
from typing import Any, Generic, TypeVar

from graphql import GraphQLError

from demo.stash import criteria
from demo.stash.library import (
    Gallery,
    Image,
    Library,
    MediaFile,
    Performer,
    Row,
    Scene,
    Studio,
    Tag,
    Tagged,
)

DEFAULT_PER_PAGE = 25
AnyRow = TypeVar("AnyRow", bound="Row | MediaFile")
Test = Callable[[Library, Any, Any], bool]
Key = Callable[[Library, Any], Any]


class Found(Generic[AnyRow]):
    """The rows of a page, in order, and all that match, which are only then looked at.

    A page by ascending id reads no further than its end, so that passing through a
    large library takes a time in proportion to it.
    """

    def __init__(
        self,
        library: Library,
        rows: Mapping[str, AnyRow],
        *,
        row_filter: Mapping[str, Any] | None,
        ids: Sequence[str] | None,
        paging: Mapping[str, Any] | None,
        sorts: Mapping[str, Key],
    ) -> None:
        self._library = library
        self._rows = rows
        self._filter = row_filter or {}
        self._ids = ids
        self._paging = paging or {}
        self._sorts = sorts

    @cached_property
    def page(self) -> list[AnyRow]:
        per_page = self._paging.get("per_page")
        per_page = DEFAULT_PER_PAGE if per_page is None else per_page
        if per_page < 0:
            return self.all
        begin = (max(1, self._paging.get("page") or 1) - 1) * per_page
        if not self._is_by_id:
            return self.all[begin : begin + per_page]
        return list(islice(self._iter_by_id(), begin, begin + per_page))

    @cached_property
    def all(self) -> list[AnyRow]:
        if self._is_by_id:
            return list(self._iter_by_id())
        found = list(filter(self._is_wanted, self._rows.values()))
        return _in_order(self._library, found, self._paging, self._sorts)

    @property
    def count(self) -> int:
        is_everything = not self._filter and self._ids is None and not self._words
        return len(self._rows) if is_everything else len(self.all)

    @property
    def _is_by_id(self) -> bool:
        is_ascending = self._paging.get("direction") != "DESC"
        return self._paging.get("sort") == "id" and is_ascending

    def _iter_by_id(self) -> Iterator[AnyRow]:
        # In order already, but for what tests put in, which takes no time to find out.
        numbers = sorted(map(int, self._rows))
        after = self._filter.get("id") or {}
        is_after = after.get("modifier") == "GREATER_THAN"
        begin = bisect_right(numbers, after["value"]) if is_after else 0
        for number in islice(numbers, begin, None):
            row = self._rows[str(number)]
            if self._is_wanted(row):
                yield row

    @cached_property
    def _words(self) -> list[str]:
        words: str = self._paging.get("q") or ""
        return words.lower().split()

    @cached_property
    def _wanted_ids(self) -> set[str] | None:
        return None if self._ids is None else {require_id(each) for each in self._ids}

    def _is_wanted(self, row: AnyRow) -> bool:
        if self._wanted_ids is not None and row.id not in self._wanted_ids:
            return False
        if self._words and not _has_words(self._library, row, self._words):
            return False
        return not self._filter or _matches(self._library, row, self._filter)


def require_id(text: str) -> str:
    """Return the id, or refuse what is no number as Stash does."""
    if not text.lstrip("-").isdecimal():
        raise GraphQLError(f'converting id: strconv.Atoi: parsing "{text}"')
    return text


def duplicate_scenes(
    library: Library, *, distance: int, duration_diff: float
) -> list[list[Scene]]:
    """Return groups of scenes whose perceptual hashes and durations are that near."""
    groups: list[list[Scene]] = []
    for first, second in combinations(library.scenes.values(), 2):
        apart = abs(_duration(library, first) - _duration(library, second))
        is_as_long = duration_diff < 0 or apart <= duration_diff
        if not (is_as_long and _are_near(library, first, second, distance)):
            continue
        known = next((g for g in groups if first in g or second in g), None)
        if known is None:
            groups.append([first, second])
        else:
            known += [scene for scene in (first, second) if scene not in known]
    return groups


def _are_near(library: Library, first: Scene, second: Scene, distance: int) -> bool:
    hashes = [
        [f.fingerprints["phash"] for f in files_of(library, s) if _has_phash(f)]
        for s in (first, second)
    ]
    return any(
        criteria.hamming_distance(one, other) <= distance
        for one in hashes[0]
        for other in hashes[1]
    )


def _has_phash(file: MediaFile) -> bool:
    return "phash" in file.fingerprints


def files_of(library: Library, row: Tagged) -> list[MediaFile]:
    return [library.files[each] for each in row.file_ids]


def path_of(library: Library, row: Any) -> str:
    """Return where a file, a gallery's folder or a row's primary file lies."""
    if isinstance(row, MediaFile):
        return str(library.path_of(row))
    if isinstance(row, Gallery):
        return str(library.folder / row.folder_name)
    file = library.primary_file(row)
    return "" if file is None else str(library.path_of(file))


def _has_words(library: Library, row: Any, words: Sequence[str]) -> bool:
    texts = [getattr(row, "name", ""), getattr(row, "title", "")]
    texts += getattr(row, "alias_list", []) or getattr(row, "aliases", [])
    if isinstance(row, Tagged | MediaFile):
        texts.append(path_of(library, row))
    text = " ".join(texts).lower()
    return all(word in text for word in words)


def _in_order(
    library: Library,
    rows: list[AnyRow],
    paging: Mapping[str, Any],
    sorts: Mapping[str, Key],
) -> list[AnyRow]:
    name = paging.get("sort")
    if not name:
        name = next(iter(sorts))
    is_descending = paging.get("direction") == "DESC"
    if name.startswith("random"):
        # random_<seed> is an order that can be paged through.
        return random.Random(name).sample(rows, len(rows))
    if name not in sorts:
        raise GraphQLError(f"invalid sort: {name}")
    by_id = sorted(rows, key=lambda row: int(row.id))
    return sorted(
        by_id, key=lambda row: sorts[name](library, row), reverse=is_descending
    )


def _matches(library: Library, row: Any, row_filter: Mapping[str, Any]) -> bool:
    is_match = all(
        _matches_criterion(library, row, name, criterion)
        for name, criterion in row_filter.items()
        if criterion is not None and name not in ("AND", "OR", "NOT")
    )
    if (also := row_filter.get("AND")) is not None:
        is_match = is_match and _matches(library, row, also)
    if (otherwise := row_filter.get("OR")) is not None:
        is_match = is_match or _matches(library, row, otherwise)
    if (unless := row_filter.get("NOT")) is not None:
        is_match = is_match and not _matches(library, row, unless)
    return is_match


def _matches_criterion(library: Library, row: Any, name: str, criterion: Any) -> bool:
    if name in _TESTS:
        return _TESTS[name](library, row, criterion)
    if name in ("created_at", "updated_at"):
        return criteria.matches_time(getattr(row, name), criterion)
    if name in ("performers", "tags", "galleries"):
        ids = getattr(row, f"{name[:-1] if name != 'galleries' else 'gallery'}_ids")
        return criteria.matches_ids(ids, criterion)
    return criteria.matches_text(getattr(row, name), criterion)


_TESTS: dict[str, Test] = {
    "id": lambda _, row, c: criteria.matches_number(int(row.id), c),
    "path": lambda lib, row, c: criteria.matches_text(path_of(lib, row), c),
    "basename": lambda _, row, c: criteria.matches_text(row.name.split("/")[-1], c),
    "hashes": lambda _, row, c: criteria.matches_hashes(row, c),
    "oshash": lambda lib, row, c: _has_hash(lib, row, "oshash", c),
    "checksum": lambda lib, row, c: _has_hash(lib, row, "md5", c),
    "phash_distance": lambda lib, row, c: criteria.matches_phash(files_of(lib, row), c),
    "organized": lambda _, row, wanted: row.organized == wanted,
    "filter_favorites": lambda _, row, wanted: row.favorite == wanted,
    "is_missing": lambda _, row, what: criteria.is_missing(row, what),
    "duration": lambda lib, row, c: criteria.matches_number(_duration(lib, row), c),
    "file_count": lambda _, row, c: criteria.matches_number(len(row.file_ids), c),
    "performer_count": lambda _, row, c: criteria.matches_number(
        len(row.performer_ids), c
    ),
    "studios": lambda _, row, c: criteria.matches_ids(
        [row.studio_id] if row.studio_id else [], c
    ),
    "image_count": lambda lib, row, c: criteria.matches_number(
        image_count(lib, row), c
    ),
    "scene_count": lambda lib, row, c: criteria.matches_number(
        len(linked(lib.scenes.values(), row)), c
    ),
    "gallery_count": lambda lib, row, c: criteria.matches_number(
        len(linked(lib.galleries.values(), row)), c
    ),
    "tag_count": lambda _, row, c: criteria.matches_number(len(row.tag_ids), c),
    "ignore_auto_tag": lambda _, row, wanted: row.ignore_auto_tag == wanted,
    "aliases": lambda _, row, c: criteria.matches_any_text(aliases_of(row), c),
    "stash_id_endpoint": lambda _, row, c: criteria.matches_stash_id(row.stash_ids, c),
    "stash_ids_endpoint": lambda _, row, c: criteria.matches_stash_id(row.stash_ids, c),
}


def aliases_of(row: Performer | Tag | Studio) -> list[str]:
    return row.alias_list if isinstance(row, Performer) else row.aliases


def linked(rows: Iterable[AnyRow], to: Row) -> list[AnyRow]:
    """Return the rows that a performer, tag, studio or gallery is put to."""
    if isinstance(to, Studio):
        return [row for row in rows if getattr(row, "studio_id", None) == to.id]
    kind = type(to).__name__.lower()
    return [row for row in rows if to.id in getattr(row, f"{kind}_ids", ())]


def image_count(library: Library, row: Row) -> int:
    return len(linked(library.images.values(), row))


def _has_hash(library: Library, row: Tagged, kind: str, criterion: Any) -> bool:
    values = [f.fingerprints.get(kind, "") for f in files_of(library, row)]
    return criteria.matches_any_text(values, criterion)


def _duration(library: Library, row: Scene) -> float:
    file = library.primary_file(row)
    return (file.duration or 0.0) if file is not None else 0.0


_ROW_SORTS: dict[str, Key] = {
    "id": lambda _, row: int(row.id),
    "created_at": lambda _, row: criteria.as_moment(row.created_at),
    "updated_at": lambda _, row: criteria.as_moment(row.updated_at),
}
_MEDIA_SORTS: dict[str, Key] = {
    "path": path_of,
    "title": lambda lib, row: (row.title or path_of(lib, row)).lower(),
    "date": lambda _, row: row.date or "",
    "rating": lambda _, row: row.rating100 or 0,
    "tag_count": lambda _, row: len(row.tag_ids),
    "performer_count": lambda _, row: len(row.performer_ids),
    "file_count": lambda _, row: len(row.file_ids),
    **_ROW_SORTS,
}
SCENE_SORTS: dict[str, Key] = {
    **_MEDIA_SORTS,
    "duration": _duration,
    "code": lambda _, row: row.code,
    "filesize": lambda lib, row: sum(f.size for f in files_of(lib, row)),
}
IMAGE_SORTS: dict[str, Key] = {
    **_MEDIA_SORTS,
    "filesize": lambda lib, row: sum(f.size for f in files_of(lib, row)),
}
GALLERY_SORTS: dict[str, Key] = {**_MEDIA_SORTS, "images_count": image_count}
PERFORMER_SORTS: dict[str, Key] = {
    "name": lambda _, row: row.name.lower(),
    "birthdate": lambda _, row: row.birthdate or "",
    "height": lambda _, row: row.height_cm or 0,
    "rating": lambda _, row: row.rating100 or 0,
    "scenes_count": lambda lib, row: len(linked(lib.scenes.values(), row)),
    "images_count": image_count,
    "tag_count": lambda _, row: len(row.tag_ids),
    **_ROW_SORTS,
}
NAMED_SORTS: dict[str, Key] = {
    "name": lambda _, row: row.name.lower(),
    "scenes_count": lambda lib, row: len(linked(lib.scenes.values(), row)),
    **_ROW_SORTS,
}
FILE_SORTS: dict[str, Key] = {
    "path": path_of,
    "mod_time": lambda _, row: criteria.as_moment(row.mod_time),
    "size": lambda _, row: row.size,
    **_ROW_SORTS,
}
KINDS: dict[type[Any], Mapping[str, Key]] = {
    Scene: SCENE_SORTS,
    Image: IMAGE_SORTS,
    Gallery: GALLERY_SORTS,
    Performer: PERFORMER_SORTS,
    Tag: NAMED_SORTS,
    Studio: NAMED_SORTS,
    MediaFile: FILE_SORTS,
}
