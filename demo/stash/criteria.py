"""What a filter says about a row: the criteria of Stash's find queries."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from demo.stash.library import MediaFile, Row, StashId

Criterion = Mapping[str, Any]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": operator.eq,
    "NOT_EQUALS": operator.ne,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
}


def matches_number(value: float, criterion: Criterion) -> bool:
    modifier: str = criterion["modifier"]
    if modifier in ("BETWEEN", "NOT_BETWEEN"):
        is_between: bool = criterion["value"] <= value <= (criterion.get("value2") or 0)
        return is_between == (modifier == "BETWEEN")
    return _order(modifier)(value, criterion["value"])


def matches_time(value: str, criterion: Criterion) -> bool:
    modifier: str = criterion["modifier"]
    moment = as_moment(value)
    if modifier in ("BETWEEN", "NOT_BETWEEN"):
        first = as_moment(criterion["value"])
        is_between = first <= moment <= as_moment(criterion.get("value2") or value)
        return is_between == (modifier == "BETWEEN")
    return _order(modifier)(moment, as_moment(criterion["value"]))


def as_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise GraphQLError(f"cannot parse {text} as a time") from None
    return moment.astimezone()


def matches_text(value: str | None, criterion: Criterion) -> bool:
    modifier: str = criterion["modifier"]
    wanted: str = criterion["value"]
    if modifier in ("IS_NULL", "NOT_NULL"):
        return bool(value) == (modifier == "NOT_NULL")
    text = value or ""
    if modifier in ("EQUALS", "NOT_EQUALS"):
        # Letter case is of no matter, as in SQL's LIKE.
        return (text.lower() == wanted.lower()) == (modifier == "EQUALS")
    if modifier in ("INCLUDES", "EXCLUDES"):
        return (wanted.lower() in text.lower()) == (modifier == "INCLUDES")
    if modifier in ("MATCHES_REGEX", "NOT_MATCHES_REGEX"):
        return bool(re.search(wanted, text)) == (modifier == "MATCHES_REGEX")
    raise _unsupported(modifier)


def matches_any_text(values: Sequence[str], criterion: Criterion) -> bool:
    """Return whether one of a row's texts matches, or none where it must not."""
    modifier: str = criterion["modifier"]
    if modifier in ("NOT_EQUALS", "EXCLUDES", "NOT_MATCHES_REGEX"):
        return all(matches_text(value, criterion) for value in values)
    if modifier in ("IS_NULL", "NOT_NULL"):
        return bool(values) == (modifier == "NOT_NULL")
    return any(matches_text(value, criterion) for value in values)


def matches_ids(ids: Sequence[str], criterion: Criterion) -> bool:
    modifier: str = criterion["modifier"]
    wanted = set(criterion.get("value") or ())
    if modifier in ("IS_NULL", "NOT_NULL"):
        return bool(ids) == (modifier == "NOT_NULL")
    if wanted.intersection(ids) and modifier == "EXCLUDES":
        return False
    if set(criterion.get("excludes") or ()).intersection(ids):
        return False
    if modifier == "EXCLUDES" or not wanted:
        return True
    if modifier == "INCLUDES":
        return bool(wanted.intersection(ids))
    if modifier == "INCLUDES_ALL":
        return wanted.issubset(ids)
    if modifier == "EQUALS":
        return wanted == set(ids)
    raise _unsupported(modifier)


def matches_stash_id(stash_ids: Sequence[StashId], criterion: Criterion) -> bool:
    """Return whether the row has, or lacks, an id, by endpoint if one is given."""
    endpoint = criterion.get("endpoint")
    at_box = [s.stash_id for s in stash_ids if not endpoint or s.endpoint == endpoint]
    modifier: str = criterion["modifier"]
    wanted = criterion.get("stash_ids") or [criterion.get("stash_id")]
    if modifier in ("IS_NULL", "NOT_NULL"):
        return bool(at_box) == (modifier == "NOT_NULL")
    if modifier in ("EQUALS", "INCLUDES"):
        return bool(set(wanted).intersection(at_box))
    if modifier in ("NOT_EQUALS", "EXCLUDES"):
        return not set(wanted).intersection(at_box)
    raise _unsupported(modifier)


def matches_phash(files: Sequence[MediaFile], criterion: Criterion) -> bool:
    is_wanted: bool = criterion["modifier"] == "EQUALS"
    distance = criterion.get("distance") or 0
    return is_wanted == any(
        hamming_distance(file.fingerprints["phash"], criterion["value"]) <= distance
        for file in files
        if "phash" in file.fingerprints
    )


def matches_hashes(file: MediaFile, wanted: Sequence[Mapping[str, Any]]) -> bool:
    return any(_matches_hash(file, each) for each in wanted)


def _matches_hash(file: MediaFile, wanted: Mapping[str, Any]) -> bool:
    value = file.fingerprints.get(wanted["type"])
    if value is None:
        return False
    if wanted["type"] != "phash":
        return bool(value == wanted["value"])
    distance = hamming_distance(value, wanted["value"])
    return distance <= (wanted.get("distance") or 0)


def hamming_distance(first: str, second: str) -> int:
    try:
        return (int(first, 16) ^ int(second, 16)).bit_count()
    except ValueError:
        raise GraphQLError(f"{second} is no perceptual hash") from None


def is_missing(row: Row, what: str) -> bool:
    """Return whether the row has nothing of that name; unknown names are refused."""
    attribute = _MISSING.get(what, what)
    if not hasattr(row, attribute):
        raise GraphQLError(f"is_missing knows no {what} here")
    return not getattr(row, attribute)


_MISSING = {
    "url": "urls",
    "galleries": "gallery_ids",
    "scenes": "scene_ids",
    "studio": "studio_id",
    "performers": "performer_ids",
    "tags": "tag_ids",
    "stash_id": "stash_ids",
    "cover": "has_cover",
    "image": "picture_name",
    "aliases": "alias_list",
}


def _order(modifier: str) -> Callable[[Any, Any], bool]:
    if modifier not in _ORDERS:
        raise _unsupported(modifier)
    return _ORDERS[modifier]


def _unsupported(modifier: str) -> GraphQLError:
    return GraphQLError(f"unsupported modifier {modifier} for this criterion")
