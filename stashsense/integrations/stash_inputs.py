"""What goes into a mutation, fitted to the server's version; nothing is sent.

Values are by Stash's newest names. A version refuses a whole input for one field that
it does not know, so that such a field is put into an older one, or left out and named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from stashsense.integrations.stash_errors import StashTooOld
from stashsense.integrations.stash_library_types import SceneGroup
from stashsense.integrations.stash_types import StashId, StashVersion

Values = Mapping[str, object]


class Mode(StrEnum):
    """What a bulk update does with a list; ADD and REMOVE race with nobody's change."""

    SET = "SET"
    ADD = "ADD"
    REMOVE = "REMOVE"


@dataclass(frozen=True)
class BulkIds:
    """The performers, tags or galleries that a bulk update adds, removes or sets."""

    mode: Mode
    ids: Sequence[int]


@dataclass(frozen=True)
class BulkTexts:
    """The same of texts such as aliases and urls."""

    mode: Mode
    values: Sequence[str]


@dataclass(frozen=True)
class CustomFields:
    """What becomes of custom fields: `full` replaces them all, the others change some.

    Stash removes by name from 0.30 on; `full` does the same before.
    """

    full: Mapping[str, object] | None = None
    partial: Mapping[str, object] | None = None
    remove: Sequence[str] = ()


@dataclass(frozen=True)
class FittedInput:
    """The fields to send, and the names of those that the version cannot keep."""

    fields: dict[str, object]
    left_out: tuple[str, ...]


Kind = Literal["scene", "image", "gallery", "performer", "tag", "studio"]

_SINCE: dict[Kind, dict[str, StashVersion]] = {
    "scene": {"custom_fields": StashVersion(0, 31)},
    "image": {"custom_fields": StashVersion(0, 31)},
    "gallery": {"custom_fields": StashVersion(0, 31)},
    "performer": {
        "urls": StashVersion(0, 27),
        "custom_fields": StashVersion(0, 28),
        "career_start": StashVersion(0, 31),
        "career_end": StashVersion(0, 31),
    },
    "tag": {
        "favorite": StashVersion(0, 26),
        "sort_name": StashVersion(0, 28),
        "stash_ids": StashVersion(0, 30),
        "custom_fields": StashVersion(0, 31),
    },
    "studio": {
        "favorite": StashVersion(0, 26),
        "tag_ids": StashVersion(0, 27),
        "urls": StashVersion(0, 30),
        "custom_fields": StashVersion(0, 31),
    },
}
# Without which what was asked for would not be done at all.
_ESSENTIAL = frozenset({"stash_ids"})
_TIMES_OF_STASH_IDS_SINCE = StashVersion(0, 28)
_GROUPS_SINCE = StashVersion(0, 27)
_REMOVING_SINCE = StashVersion(0, 30)
_TWITTER = frozenset({"twitter.com", "x.com"})
_INSTAGRAM = frozenset({"instagram.com"})


def fit_input(
    kind: Kind, values: Values, version: StashVersion, *, is_new: bool = False
) -> FittedInput:
    """Return what a create, an update or a bulk update of that kind may be given.

    Raises StashTooOld where a field is lacking that the change is about.
    """
    fields: dict[str, object] = {}
    left_out: list[str] = []
    for name, value in values.items():
        if version >= _SINCE[kind].get(name, version):
            fields |= _as_sent(name, value, version, is_new=is_new)
        elif name in _ESSENTIAL:
            since = _SINCE[kind][name]
            raise StashTooOld(
                f"Stash is of version {version}; a {kind} has {name} from "
                f"{since.major}.{since.minor} on. Nothing was changed."
            )
        else:
            older, is_whole = _in_older_fields(kind, name, values)
            fields |= older
            left_out += [] if is_whole else [name]
    return FittedInput(fields, tuple(left_out))


def _as_sent(
    name: str, value: object, version: StashVersion, *, is_new: bool
) -> dict[str, object]:
    """Return the field as JSON, and by the name that the version has for it."""
    if name == "groups":
        return _groups(value, version)
    if isinstance(value, CustomFields):
        return {name: _custom_fields(value, version, is_new=is_new)}
    if isinstance(value, BulkIds):
        return {name: {"ids": as_ids(value.ids), "mode": value.mode.value}}
    if isinstance(value, BulkTexts):
        return {name: {"values": list(value.values), "mode": value.mode.value}}
    if name == "stash_ids" and isinstance(value, Iterable):
        return {name: [_stash_id(each, version) for each in value]}
    if name.endswith("_ids") and isinstance(value, Iterable):
        return {name: as_ids(value)}
    if name.endswith("_id") and value is not None:
        return {name: str(value)}
    return {name: list(value) if isinstance(value, tuple) else value}


def as_ids(ids: Iterable[object]) -> list[str]:
    """Return the ids as Stash takes them, each once."""
    return list(dict.fromkeys(str(each) for each in ids))


def _stash_id(value: object, version: StashVersion) -> dict[str, str]:
    assert isinstance(value, StashId), value
    sent = {"endpoint": value.endpoint, "stash_id": value.stash_id}
    if value.updated_at is not None and version >= _TIMES_OF_STASH_IDS_SINCE:
        sent["updated_at"] = value.updated_at.isoformat()
    return sent


def _groups(value: object, version: StashVersion) -> dict[str, object]:
    """Return the groups, which were called movies once."""
    is_new = version >= _GROUPS_SINCE
    name, id_name = ("groups", "group_id") if is_new else ("movies", "movie_id")
    sent = []
    for each in value if isinstance(value, Sequence) else ():
        assert isinstance(each, SceneGroup), each
        sent.append({id_name: str(each.group.id), "scene_index": each.scene_index})
    return {name: sent}


def _custom_fields(
    given: CustomFields, version: StashVersion, *, is_new: bool
) -> dict[str, object]:
    if is_new:
        return {**(given.full or {}), **(given.partial or {})}
    if given.remove and version < _REMOVING_SINCE:
        raise StashTooOld(
            f"Stash is of version {version}; it removes custom fields by name from "
            "0.30 on. Nothing was changed."
        )
    sent: dict[str, object] = {}
    if given.full is not None:
        sent["full"] = dict(given.full)
    if given.partial is not None:
        sent["partial"] = dict(given.partial)
    if given.remove:
        sent["remove"] = list(given.remove)
    return sent


def _in_older_fields(
    kind: Kind, name: str, values: Values
) -> tuple[dict[str, object], bool]:
    """Return older fields for a newer one, and whether they hold all of it."""
    value = values[name]
    if name == "urls" and isinstance(value, BulkTexts):
        return {}, False
    if name == "urls" and isinstance(value, Iterable | None):
        urls = [str(each) for each in value or ()]
        return _performer_urls(urls) if kind == "performer" else _studio_url(urls)
    if name in ("career_start", "career_end"):
        return _career_length(values)
    return {}, not value


def _studio_url(urls: Sequence[str]) -> tuple[dict[str, object], bool]:
    return {"url": urls[0] if urls else None}, len(urls) <= 1


def _performer_urls(urls: Sequence[str]) -> tuple[dict[str, object], bool]:
    """Return the three that there were place for; those without one are cleared."""
    kept: dict[str, object] = {"url": None, "twitter": None, "instagram": None}
    for url in urls:
        place = _place_of(url)
        if kept[place] is None:
            kept[place] = url
    return kept, len(urls) <= sum(each is not None for each in kept.values())


def _place_of(url: str) -> str:
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    if host in _TWITTER:
        return "twitter"
    return "instagram" if host in _INSTAGRAM else "url"


def _career_length(values: Values) -> tuple[dict[str, object], bool]:
    """Return years as the text there was for them, unless that is given as well."""
    if "career_length" in values:
        return {}, True
    if not {"career_start", "career_end"} <= values.keys():
        # One year would overwrite the other, which is in the same text.
        return {}, False
    start, end = values["career_start"] or "", values["career_end"] or ""
    text = f"{start}-{end}" if start or end else None
    return {"career_length": text}, True
