"""Texts of Stash that hold several values, and values that the two sides spell apart.

Stash keeps measurements, a career and body modifications as one text each, where a
stash-box has parts; and it keeps a stash-box's enums as words. Here both are read and
written, and nothing that a text said is lost when one of its parts changes.

How Stash's own tagger writes them was read in its translation of a stash-box's answers:
"34C-24-36", "2015 - 2023", "2015 -", "- 2023", "Location, description; Location", and
enums in title case. Its GraphQL schema has a type for gender alone; the rest is text.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from recommendations.items import as_items, text_of

_DASHES = re.compile("[\u2010-\u2015]")
# A cup is one letter, once or repeated ("DD"): so "90cm" has none.
_BUST = re.compile(r"(\d+)?(?:\s?(([A-Za-z])\3*)(?![A-Za-z]))?", re.IGNORECASE)
_SIZE = re.compile(r"\s*(\d+)")
_CAREER = re.compile(r"(\d{4})?(?:\s*-\s*(\d{4})?)?(?!\d)")
_STILL = re.compile(r"(present|now|current|today|active|\?)\.?", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([^()]*)\)$")
_YEAR = re.compile(r"\s*(\d{4})(?!\d)")
_NATURAL, _AUGMENTED = "Natural", "Augmented"
# The field is called "fake tits" in Stash, so people answer it with yes and no, too.
_BREAST_TYPES = {
    "natural": _NATURAL,
    "no": _NATURAL,
    "fake": _AUGMENTED,
    "augmented": _AUGMENTED,
    "enhanced": _AUGMENTED,
    "implants": _AUGMENTED,
    "yes": _AUGMENTED,
}
# Two spellings of one word; other synonyms are left for a person to decide.
_SPELLINGS = {"gray": "grey", "blond": "blonde"}


@dataclass(frozen=True, slots=True)
class Measurements:
    """Sizes as Stash has them in one text; `remainder` is what else the text says."""

    band_size: int | None = None
    cup_size: str | None = None
    waist_size: int | None = None
    hip_size: int | None = None
    remainder: str = ""


@dataclass(frozen=True, slots=True)
class Career:
    """The years of a career; `remainder` is what else the text says."""

    start_year: int | None = None
    end_year: int | None = None
    remainder: str = ""


def fold(text: str) -> str:
    """Return the text as it is compared: without case, outer blanks and encodings."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def parse_measurements(text: str | None) -> Measurements:
    """Return the sizes in a text such as "34C-24-36", "34C--36" or "-24-36"."""
    plain, said = _without_brackets(text)
    if "-" not in plain:
        plain = re.sub(r"(?<=\w)\s*/\s*(?=\d)", "-", plain)
    parts = [part.strip() for part in plain.split("-", 2)]
    band, cup, rest = _bust(parts[0])
    sizes: list[int | None] = [None, None]
    remainders = [said, rest]
    for position, part in enumerate(parts[1:]):
        match = _SIZE.match(part)
        sizes[position] = int(match[1]) if match else None
        remainders.append(part[match.end() :] if match else part)
    remainder = " ".join(filter(None, map(_bare, remainders)))
    return Measurements(band, cup, sizes[0], sizes[1], remainder)


def build_measurements(measurements: Measurements) -> str:
    """Return the text of the sizes, "" when nothing is known.

    Empty parts in front keep their hyphens: "24-36" would be a band and a waist.
    """
    bust = f"{_text(measurements.band_size)}{measurements.cup_size or ''}"
    sizes = (bust, _text(measurements.waist_size), _text(measurements.hip_size))
    return _with_remainder("-".join(sizes).rstrip("-"), measurements.remainder)


def overlay_measurements(text: str | None, parts: Mapping[str, object]) -> str:
    """Return the text with the parts put in its place, everything else as it was."""
    measurements = parse_measurements(text)
    if "band_size" in parts:
        measurements = replace(measurements, band_size=_whole(parts["band_size"]))
    if "waist_size" in parts:
        measurements = replace(measurements, waist_size=_whole(parts["waist_size"]))
    if "hip_size" in parts:
        measurements = replace(measurements, hip_size=_whole(parts["hip_size"]))
    if "cup_size" in parts:
        cup = parts["cup_size"]
        cup_size = str(cup).strip().upper() if cup else None
        measurements = replace(measurements, cup_size=cup_size or None)
    return build_measurements(measurements)


def parse_career(text: str | None) -> Career:
    """Return the years in a text such as "2015-2023", "2015 - present" or "-2020"."""
    plain, said = _without_brackets(text)
    match = _CAREER.match(plain)
    start, end = (match[1], match[2]) if match else (None, None)
    rest = plain[match.end() :] if match and (start or end) else plain
    rest = _bare(rest)
    if _STILL.fullmatch(rest):
        rest = ""
    remainder = " ".join(filter(None, (_bare(said), rest)))
    return Career(_whole(start), _whole(end), remainder)


def build_career(career: Career) -> str:
    """Return the text of the years, "" when neither is known."""
    is_known = career.start_year or career.end_year
    years = f"{_text(career.start_year)}-{_text(career.end_year)}" if is_known else ""
    return _with_remainder(years, career.remainder)


def overlay_career(text: str | None, parts: Mapping[str, object]) -> str:
    """Return the text with `career_start_year` and `career_end_year` put in."""
    career = parse_career(text)
    if "career_start_year" in parts:
        career = replace(career, start_year=_whole(parts["career_start_year"]))
    if "career_end_year" in parts:
        career = replace(career, end_year=_whole(parts["career_end_year"]))
    return build_career(career)


def year_of(date: object) -> int | None:
    """Return the year that a date, possibly "2015" alone, begins with."""
    match = _YEAR.match(str(date)) if date else None
    return int(match[1]) if match else None


def body_modifications_text(modifications: object) -> str | None:
    """Return a stash-box's tattoos or piercings as "Location: description; …".

    None when there are none. A text, as an older snapshot has it, stays as it is.
    """
    if isinstance(modifications, str):
        return modifications.strip() or None
    items = []
    for modification in as_items(modifications):
        words = (text_of(modification, name) for name in ("location", "description"))
        items.append(": ".join(filter(None, map(str.strip, words))))
    return "; ".join(filter(None, items)) or None


def canonical_body_modifications(text: str) -> frozenset[str]:
    """Return what a text of body modifications says, whoever wrote it.

    "Arm: rose", as we write it, and "Arm, rose", as Stash's tagger does, are the same,
    and so are two orders of the same items.
    """
    words = (
        " ".join(re.sub(r"[:,.]", " ", fold(item)).split())
        for item in re.split(r"[;\n]", text)
    )
    return frozenset(filter(None, words))


def breast_type_text(breast_type: object) -> str | None:
    """Return "Natural" or "Augmented" for what either side calls it.

    None for NA and nothing; words that are neither side's stay as they are.
    """
    word = str(breast_type or "").strip()
    if fold(word) in ("", "na", "n/a"):
        return None
    return _BREAST_TYPES.get(fold(word), enum_text(word))


def enum_text(value: object) -> str | None:
    """Return an enum of a stash-box as Stash keeps it: MIDDLE_EASTERN, Middle Eastern.

    What is not all capitals is a person's text and stays as it is.
    """
    word = str(value or "").strip()
    if not word:
        return None
    return word.replace("_", " ").title() if word.isupper() else word


def canonical_word(text: str) -> str:
    """Return an enum's word as it is compared, be it spelt GREY, Grey or gray."""
    word = " ".join(fold(text).replace("_", " ").split())
    return _SPELLINGS.get(word, word)


def gender_enum(gender: object) -> str | None:
    """Return a gender as Stash's own enum, which is a stash-box's, too."""
    word = str(gender or "").strip()
    return word.upper().replace(" ", "_").replace("-", "_") or None


def expand_date(date: str) -> str:
    """Return a date in full: "1990" and "1990-05" begin with their first day."""
    day = date.strip()[:10]
    return {4: f"{day}-01-01", 7: f"{day}-01"}.get(len(day), day)


def _bust(part: str) -> tuple[int | None, str | None, str]:
    match = _BUST.match(part)
    # A cup without a band counts only where nothing else is said: "C", not "a rose".
    if match is None or (match[1] is None and match.end() != len(part)):
        return None, None, part
    return _whole(match[1]), match[2].upper() if match[2] else None, part[match.end() :]


def _without_brackets(text: str | None) -> tuple[str, str]:
    """Return the text with plain hyphens, and what its last brackets hold."""
    plain = _DASHES.sub("-", text or "").strip()
    match = _IN_BRACKETS.search(plain)
    return (plain[: match.start()].strip(), match[1]) if match else (plain, "")


def _bare(text: str) -> str:
    return text.strip(" \t\n-,;()")


def _with_remainder(text: str, remainder: str) -> str:
    return f"{text} ({remainder})".strip() if remainder else text


def _whole(value: object) -> int | None:
    """Return a size or a year that says something, else None; ValueError if neither."""
    if value is None or value == "":
        return None
    return int(str(value)) or None


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
