"""Which fields of performers, tags, studios and scenes follow a stash-box, and how.

Each field says how it is read from an item of the library and from one of a stash-box
(`recommendations.items` says what an item may be), how the two are compared, and which
keys of Stash's update inputs it is written to. What is read are values that JSON knows,
a stash-box's already in Stash's words: so a snapshot can keep them, and what is shown
is what would be written.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from recommendations.compound import (
    body_modifications_text,
    breast_type_text,
    canonical_body_modifications,
    canonical_word,
    enum_text,
    expand_date,
    fold,
    gender_enum,
    overlay_career,
    overlay_measurements,
    parse_career,
    parse_measurements,
    year_of,
)
from recommendations.items import (
    as_items,
    items_of,
    stash_box_id_of,
    text_of,
    texts_of,
    value_of,
)

Value = object
# A local item is read for an endpoint: that decides which of its ids counts.
ReadLocal = Callable[[object, str], Value]
ReadUpstream = Callable[[object], Value]


class MergeType(StrEnum):
    """How two values of a field are put together, which decides how it is shown."""

    SIMPLE = "simple"
    TEXT = "text"
    NAME = "name"
    ALIAS_LIST = "alias_list"
    PERFORMER_LIST = "performer_list"
    ID_LIST = "id_list"


@dataclass(frozen=True)
class Field:
    """A field of an entity; `canonical` makes equal texts equal.

    `stash_keys` are the keys of Stash's update input, the newer Stash's first where
    there are several.
    """

    name: str
    label: str
    merge_type: MergeType
    stash_keys: tuple[str, ...]
    read_local: ReadLocal
    read_upstream: ReadUpstream
    canonical: Callable[[str], Hashable] = fold

    @property
    def is_scene_part(self) -> bool:
        """Whether this is compared by stash-box ids rather than by value."""
        return self.name in _SCENE_PARTS


_SCENE_PARTS = frozenset({"studio", "performers", "tags"})


def _local(key: str) -> ReadLocal:
    return lambda item, endpoint: value_of(item, key)


def _upstream(*keys: str) -> ReadUpstream:
    return lambda item: next(filter(None, (value_of(item, key) for key in keys)), None)


def _simple(
    name: str,
    label: str,
    *,
    key: str | None = None,
    merge_type: MergeType = MergeType.SIMPLE,
    read_upstream: ReadUpstream | None = None,
    canonical: Callable[[str], Hashable] = fold,
) -> Field:
    return Field(
        name=name,
        label=label,
        merge_type=merge_type,
        stash_keys=(key or name,),
        read_local=_local(key or name),
        read_upstream=read_upstream or _upstream(name),
        canonical=canonical,
    )


def _word(name: str, label: str) -> Field:
    """Return a field that a stash-box has as an enum and Stash as a text."""
    return _simple(
        name,
        label,
        read_upstream=lambda item: enum_text(value_of(item, name)),
        canonical=canonical_word,
    )


def _date(name: str, label: str, *upstream_keys: str) -> Field:
    return _simple(
        name,
        label,
        read_upstream=_upstream(*(upstream_keys or (name,))),
        canonical=lambda date: fold(expand_date(date)),
    )


def _list(name: str, label: str, *, key: str | None = None) -> Field:
    return Field(
        name=name,
        label=label,
        merge_type=MergeType.ALIAS_LIST,
        stash_keys=(key or name,),
        read_local=lambda item, endpoint: texts_of(item, key or name),
        read_upstream=lambda item: texts_of(item, name),
    )


def _urls() -> Field:
    return Field(
        name="urls",
        label="URLs",
        merge_type=MergeType.ALIAS_LIST,
        stash_keys=("urls",),
        read_local=lambda item, endpoint: texts_of(item, "urls"),
        read_upstream=_upstream_urls,
    )


def _upstream_urls(item: object) -> list[str]:
    urls = (
        url if isinstance(url, str) else text_of(url, "url")
        for url in items_of(item, "urls")
    )
    return [url for url in urls if url]


def _body(name: str, label: str) -> Field:
    return _simple(
        name,
        label,
        merge_type=MergeType.TEXT,
        read_upstream=lambda item: body_modifications_text(value_of(item, name)),
        canonical=canonical_body_modifications,
    )


def _size(name: str, label: str) -> Field:
    return Field(
        name=name,
        label=label,
        merge_type=MergeType.SIMPLE,
        stash_keys=("measurements",),
        read_local=lambda item, endpoint: getattr(
            parse_measurements(text_of(item, "measurements")), name
        ),
        read_upstream=_upstream(name),
    )


def _career_year(name: str, label: str, part: str, date_key: str) -> Field:
    def read_local(item: object, endpoint: str) -> int | None:
        # From 0.31 on Stash has dates, and both until a performer is saved anew.
        year = year_of(value_of(item, date_key))
        career = parse_career(text_of(item, "career_length"))
        known: int | None = getattr(career, part)
        return year or known

    return Field(
        name=name,
        label=label,
        merge_type=MergeType.SIMPLE,
        stash_keys=(date_key, "career_length"),
        read_local=read_local,
        read_upstream=_upstream(name),
    )


def _local_parent(item: object, endpoint: str) -> dict[str, object] | None:
    parent = value_of(item, "parent_studio")
    return None if parent is None else read_entity(parent, endpoint)


def read_entity(item: object, endpoint: str) -> dict[str, object]:
    """Return a library's item by what it is recognised by at the endpoint.

    Keys: `id`, `name`, `aliases`, and `stash_box_id`, None where it is not linked.
    """
    return {
        "id": text_of(item, "id"),
        "name": text_of(item, "name"),
        "aliases": [*texts_of(item, "alias_list"), *texts_of(item, "aliases")],
        "stash_box_id": stash_box_id_of(item, endpoint),
    }


def read_upstream_entity(item: object) -> dict[str, object]:
    """Return a stash-box's item by what it is recognised by.

    Keys: `stash_box_id`, `name`, `aliases`.
    """
    return {
        "stash_box_id": text_of(item, "id"),
        "name": text_of(item, "name"),
        "aliases": texts_of(item, "aliases"),
    }


def _upstream_parent(item: object) -> dict[str, object] | None:
    parent = value_of(item, "parent")
    return None if parent is None else read_upstream_entity(parent)


def _upstream_performers(item: object) -> list[dict[str, object]]:
    performers = []
    for appearance in items_of(item, "performers"):
        performer = value_of(appearance, "performer")
        credited = text_of(appearance, "as") or text_of(appearance, "credited_as")
        performers.append({**read_upstream_entity(performer), "as": credited or None})
    return performers


def _scene_part(name: str, label: str, merge_type: MergeType, key: str) -> Field:
    def read_local(item: object, endpoint: str) -> Value:
        if merge_type is MergeType.SIMPLE:
            entity = value_of(item, name)
            return None if entity is None else read_entity(entity, endpoint)
        return [read_entity(entity, endpoint) for entity in items_of(item, name)]

    def read_upstream(item: object) -> Value:
        if merge_type is MergeType.PERFORMER_LIST:
            return _upstream_performers(item)
        if merge_type is MergeType.ID_LIST:
            return [read_upstream_entity(entity) for entity in items_of(item, name)]
        entity = value_of(item, name)
        return None if entity is None else read_upstream_entity(entity)

    return Field(name, label, merge_type, (key,), read_local, read_upstream)


_NAME = _simple("name", "Name", merge_type=MergeType.NAME)

PERFORMER_FIELDS = (
    _NAME,
    _simple("disambiguation", "Disambiguation"),
    _list("aliases", "Aliases", key="alias_list"),
    _simple(
        "gender",
        "Gender",
        read_upstream=lambda item: gender_enum(value_of(item, "gender")),
        canonical=canonical_word,
    ),
    _date("birthdate", "Birthdate", "birth_date", "birthdate"),
    _date("death_date", "Death date"),
    _word("ethnicity", "Ethnicity"),
    _simple("country", "Country"),
    _word("eye_color", "Eye colour"),
    _word("hair_color", "Hair colour"),
    _simple("height", "Height (cm)", key="height_cm"),
    _size("cup_size", "Cup size"),
    _size("band_size", "Band size"),
    _size("waist_size", "Waist size"),
    _size("hip_size", "Hip size"),
    _simple(
        "breast_type",
        "Breast type",
        key="fake_tits",
        read_upstream=lambda item: breast_type_text(value_of(item, "breast_type")),
        canonical=lambda text: fold(breast_type_text(text) or ""),
    ),
    _body("tattoos", "Tattoos"),
    _body("piercings", "Piercings"),
    _career_year("career_start_year", "Career start", "start_year", "career_start"),
    _career_year("career_end_year", "Career end", "end_year", "career_end"),
    _urls(),
)
TAG_FIELDS = (
    _NAME,
    _simple("description", "Description", merge_type=MergeType.TEXT),
    _list("aliases", "Aliases"),
)
STUDIO_FIELDS = (
    _NAME,
    _urls(),
    Field(
        name="parent_studio",
        label="Parent studio",
        merge_type=MergeType.SIMPLE,
        stash_keys=("parent_id",),
        read_local=_local_parent,
        read_upstream=_upstream_parent,
    ),
)
SCENE_FIELDS = (
    _simple("title", "Title", merge_type=MergeType.NAME),
    _date("date", "Date", "release_date", "date"),
    _simple("details", "Details", merge_type=MergeType.TEXT),
    _simple("director", "Director"),
    _simple("code", "Studio code"),
    _urls(),
    _scene_part("studio", "Studio", MergeType.SIMPLE, "studio_id"),
    _scene_part("performers", "Performers", MergeType.PERFORMER_LIST, "performer_ids"),
    _scene_part("tags", "Tags", MergeType.ID_LIST, "tag_ids"),
)
FIELD_MAPS: Mapping[str, tuple[Field, ...]] = {
    "performer": PERFORMER_FIELDS,
    "tag": TAG_FIELDS,
    "studio": STUDIO_FIELDS,
    "scene": SCENE_FIELDS,
}


def get_fields(entity_type: str) -> tuple[Field, ...]:
    """Return the fields of an entity; ValueError with the known names if there is none.

    In the order in which a person would read them.
    """
    try:
        return FIELD_MAPS[entity_type]
    except KeyError:
        known = ", ".join(sorted(FIELD_MAPS))
        raise ValueError(
            f"unknown entity type {entity_type!r}, expected one of: {known}"
        ) from None


def check_switches(entity_type: str, names: object) -> None:
    """Raise ValueError, with the known names, unless every name is a field."""
    known = sorted(field.name for field in get_fields(entity_type))
    unknown = sorted({str(name) for name in as_items(names)} - set(known))
    if unknown:
        raise ValueError(
            f"unknown {entity_type} fields {', '.join(unknown)}, "
            f"expected some of: {', '.join(known)}"
        )


def read_local(entity_type: str, item: object, *, endpoint: str) -> dict[str, Value]:
    """Return a library's item by the names of its fields."""
    return {
        field.name: field.read_local(item, endpoint)
        for field in get_fields(entity_type)
    }


def read_upstream(entity_type: str, item: object) -> dict[str, Value]:
    """Return a stash-box's item by the names of its fields, in Stash's words."""
    return {field.name: field.read_upstream(item) for field in get_fields(entity_type)}


def stash_input(
    entity_type: str,
    accepted: Mapping[str, Value],
    *,
    local: object,
    has_career_dates: bool = False,
) -> dict[str, Value]:
    """Return the keys of Stash's update input that write the accepted values.

    `local` is the item as it is in Stash now: its measurements and career keep the
    parts that nothing was accepted for. `has_career_dates` tells of Stash 0.31 and
    later. Studios, performers and tags are ids of the library here. ValueError for an
    unknown field, an empty name, and a size or year that is no number.
    """
    check_switches(entity_type, list(accepted))
    written: dict[str, Value] = {}
    for field in get_fields(entity_type):
        if field.name not in accepted:
            continue
        value = accepted[field.name]
        if field.stash_keys == ("measurements",):
            text = text_of(local, "measurements")
            written["measurements"] = overlay_measurements(text, accepted)
        elif "career_length" in field.stash_keys and has_career_dates:
            written[field.stash_keys[0]] = str(value) if value else None
        elif "career_length" in field.stash_keys:
            text = text_of(local, "career_length")
            written["career_length"] = overlay_career(text, accepted)
        else:
            written[field.stash_keys[0]] = _written(field, value)
    return written


def _written(field: Field, value: Value) -> Value:
    match field.name:
        case "name" if not str(value or "").strip():
            raise ValueError("a name cannot be empty")
        case "gender":
            return gender_enum(value)
        case "breast_type":
            return breast_type_text(value)
        case "ethnicity" | "eye_color" | "hair_color":
            return enum_text(value)
        case "tattoos" | "piercings":
            return body_modifications_text(value)
        case "height":
            return int(str(value)) if value else None
    if field.merge_type in (MergeType.SIMPLE, MergeType.TEXT, MergeType.NAME):
        return value or None
    return as_items(value)
