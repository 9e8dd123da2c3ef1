"""What a request's `fields` say, checked, as values of the fields we know.

The names are those of the field maps, and those of Stash's own inputs for them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from recommendations.compound import fold
from recommendations.exceptions import InvalidFieldValue, UnknownField
from recommendations.field_maps import get_fields, stash_input
from recommendations.items import text_of, texts_of

Fields = Mapping[str, Any]

# Longer than Stash shows anywhere; details of scenes are the longest.
MAX_TEXT = 100_000
MAX_LIST = 20_000
# What is added to those that are there; the first as the predecessor named it.
ALIAS_ADD = "_alias_add"
URL_ADD = "_url_add"

_SYNONYMS = {
    "performer": {
        "alias_list": "aliases",
        "height_cm": "height",
        "fake_tits": "breast_type",
        "career_start": "career_start_year",
        "career_end": "career_end_year",
        "birth_date": "birthdate",
    }
}


def read_fields(kind: str, fields: Fields) -> dict[str, Any]:
    """Return the values by our names; raises UnknownField and InvalidFieldValue.

    A blank text is None, which clears. `_alias_add` and `_url_add` are left in.
    """
    synonyms = _SYNONYMS.get(kind, {})
    readers = _READERS[kind]
    read: dict[str, Any] = {}
    for given, value in fields.items():
        name = synonyms.get(given, given)
        if name not in readers:
            known = ", ".join(sorted(readers))
            raise UnknownField(
                f"A {kind} has no field {str(given)[:80]!a}; there are {known}."
            )
        read[name] = readers[name](name, value)
    if "name" in read and read["name"] is None:
        raise InvalidFieldValue("name: A name cannot be empty.")
    return read


def as_stash_input(
    kind: str, values: Fields, *, local: object, has_career_dates: bool
) -> dict[str, Any]:
    """Return the keys of Stash's update input for values of the field map.

    Values of other fields go as they are. Parts of measurements and careers are put
    into the texts that `local` has now, or that the values give as a whole; `_url_add`
    joins the urls.
    """
    values = _with_added_urls(values, local)
    mapped = {field.name for field in get_fields(kind)}
    accepted = {name: value for name, value in values.items() if name in mapped}
    plain = {name: value for name, value in values.items() if name not in mapped}
    wholes = {
        name: plain.get(name) if name in plain else text_of(local, name)
        for name in ("measurements", "career_length")
    }
    try:
        written = stash_input(
            kind, accepted, local=wholes, has_career_dates=has_career_dates
        )
    except ValueError as exc:
        raise InvalidFieldValue(f"{exc}.") from exc
    return {**plain, **written}


def _with_added_urls(values: Fields, local: object) -> Fields:
    given = dict(values)
    added = given.pop(URL_ADD, [])
    if added:
        urls = list(given.get("urls", texts_of(local, "urls")))
        known = {_url_key(url) for url in urls}
        given["urls"] = [*urls, *(url for url in added if _url_key(url) not in known)]
    return given


def _url_key(url: str) -> str:
    return fold(url).removesuffix("/")


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidFieldValue(f"{name}: A text is wanted.")
    text = str(value).strip()
    if len(text) > MAX_TEXT:
        raise InvalidFieldValue(f"{name}: At most {MAX_TEXT} characters.")
    return text or None


def _whole(least: int, most: int) -> Callable[[str, object], int | None]:
    def read(name: str, value: object) -> int | None:
        text = _text(name, value)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise InvalidFieldValue(
                f"{name}: A whole number from {least} to {most} is wanted."
            )
        return int(text)

    return read


def _number(name: str, value: object) -> float | None:
    text = _text(name, value)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1
    # Neither NaN nor infinity is within.
    if not 0 <= number <= 1000:
        raise InvalidFieldValue(f"{name}: A number from 0 to 1000 is wanted.")
    return number


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidFieldValue(f"{name}: true or false is wanted.")
    return value


def _texts(name: str, value: object) -> list[str]:
    """Return texts; urls may come as a stash-box has them, each with its site."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise InvalidFieldValue(f"{name}: A list of at most {MAX_LIST} is wanted.")
    texts = [
        _text(name, each.get("url") if isinstance(each, dict) else each)
        for each in value
    ]
    return list(dict.fromkeys(text for text in texts if text))


def _modifications(name: str, value: object) -> object:
    if not isinstance(value, list):
        return _text(name, value)
    for each in value:
        if not isinstance(each, dict):
            raise InvalidFieldValue(f"{name}: Each has a location and a description.")
        _text(name, each.get("location"))
        _text(name, each.get("description"))
    return value


def _choice(*words: str) -> Callable[[str, object], str | None]:
    def read(name: str, value: object) -> str | None:
        text = _text(name, value)
        word = text and text.upper().replace(" ", "_").replace("-", "_")
        if word and word not in words:
            raise InvalidFieldValue(f"{name}: One of {', '.join(words)} is wanted.")
        return word

    return read


def _as_it_is(name: str, value: object) -> object:
    return value


_SIZE = _whole(0, 999)
_YEAR = _whole(1800, 2999)
_RATING = _whole(1, 100)
_READERS: Mapping[str, Mapping[str, Callable[[str, Any], Any]]] = {
    "performer": {
        **dict.fromkeys(
            (
                *("name", "disambiguation", "birthdate", "death_date", "ethnicity"),
                *("country", "eye_color", "hair_color", "cup_size", "breast_type"),
                *("details", "measurements", "career_length"),
            ),
            _text,
        ),
        "gender": _choice(
            *("MALE", "FEMALE", "TRANSGENDER_MALE", "TRANSGENDER_FEMALE"),
            *("INTERSEX", "NON_BINARY"),
        ),
        "circumcised": _choice("CUT", "UNCUT"),
        **dict.fromkeys(("band_size", "waist_size", "hip_size"), _SIZE),
        "height": _SIZE,
        "weight": _SIZE,
        "penis_length": _number,
        "career_start_year": _YEAR,
        "career_end_year": _YEAR,
        "rating100": _RATING,
        **dict.fromkeys(("favorite", "ignore_auto_tag"), _flag),
        **dict.fromkeys(("tattoos", "piercings"), _modifications),
        **dict.fromkeys(("aliases", "urls", ALIAS_ADD, URL_ADD), _texts),
    },
    "tag": {
        **dict.fromkeys(("name", "description"), _text),
        **dict.fromkeys(("favorite", "ignore_auto_tag"), _flag),
        **dict.fromkeys(("aliases", ALIAS_ADD), _texts),
    },
    "studio": {
        **dict.fromkeys(("name", "details"), _text),
        "rating100": _RATING,
        **dict.fromkeys(("favorite", "ignore_auto_tag"), _flag),
        **dict.fromkeys(("aliases", "urls", ALIAS_ADD, URL_ADD), _texts),
        # An id upstream, which the action looks up.
        "parent_studio": _as_it_is,
    },
    "scene": {
        **dict.fromkeys(("title", "date", "details", "director", "code"), _text),
        "rating100": _RATING,
        "organized": _flag,
        **dict.fromkeys(("urls", URL_ADD), _texts),
    },
}
