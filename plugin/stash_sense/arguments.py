"""What a mode takes: each argument's type, and where it goes in the request.

Everything is looked at before anything is sent, so that no argument can become part
of a path, a query or a body that it was not meant for.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Callable, Iterable

from .refusals import BadArguments

PATH, QUERY, BODY, WHOLE_BODY = "path", "query", "body", "whole body"

# As many digits as Stash's ids may have at the sidecar.
_ID_DIGITS = 18
_MAX_TEXT = 20_000
_MAX_LIST = 10_000
_MAX_JSON_CHARACTERS = 2_000_000
# 401, 403 and 404 of the sidecar speak for the rest; these cannot reach another route.
_WORD = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}")

Check = Callable[[Any], Any]


class Argument:
    """One argument of a mode; `sent_as` is its name at the sidecar."""

    def __init__(
        self,
        name: str,
        check: Check,
        is_required: bool = False,
        place: str = "",
        sent_as: str = "",
        fixed: Any = None,
    ) -> None:
        self.name = name
        self.check = check
        self.is_required = is_required
        self.place = place
        self.sent_as = sent_as or name
        self.fixed = fixed


def need(name: str, check: Check, place: str = "", sent_as: str = "") -> Argument:
    """Return an argument that must be there."""
    return Argument(name, check, True, place, sent_as)


def may(name: str, check: Check, place: str = "", sent_as: str = "") -> Argument:
    """Return an argument that may be left out, or null, which is the same."""
    return Argument(name, check, False, place, sent_as)


class Unfit(Exception):
    """A value is not of its argument's type; the text says what is wanted."""


def integer(value: Any) -> int:
    """Return a whole number, written as one or in digits."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or value != value or abs(value) >= 10**_ID_DIGITS:
        raise Unfit("a whole number")
    if value != int(value):
        raise Unfit("a whole number")
    return int(value)


def row_id(value: Any) -> int:
    """Return the number of one of the sidecar's rows."""
    try:
        number = integer(value)
    except Unfit:
        number = -1
    if number < 0:
        raise Unfit(f"a number of at most {_ID_DIGITS} digits")
    return number


def stash_id(value: Any) -> str:
    """Return an id of Stash, which is a number in digits."""
    number = row_id(value)
    if number < 1:
        raise Unfit("an id of Stash, which is a number")
    return str(number)


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit("a number")
    if not math.isfinite(value):
        raise Unfit("a number")
    return value


def boolean(value: Any) -> bool:
    """Return true or false; tasks' default arguments are texts."""
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("a text")
    if len(value) > _MAX_TEXT:
        raise Unfit(f"a text of at most {_MAX_TEXT} characters")
    if "\x00" in value:
        raise Unfit("a text without the character NUL")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unfit("a text of whole characters") from None
    return value


def word(value: Any) -> str:
    """Return a name that may stand in a path: letters, digits and `_.:@+-`."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise Unfit("a name of letters, digits and _.:@+-")
    if value.strip(".") == "":
        # A step up in a path, whichever way it is written.
        raise Unfit("a name, and not dots alone")
    return value


def one_of(*choices: str) -> Check:
    """Return the check for one of these texts."""

    def check(value: Any) -> str:
        if value not in choices or not isinstance(value, str):
            raise Unfit("one of " + ", ".join(choices))
        return value

    return check


def list_of(check: Check) -> Check:
    """Return the check for a list of what the other check lets through."""

    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > _MAX_LIST:
            raise Unfit(f"a list of at most {_MAX_LIST}")
        return [check(each) for each in value]

    return check_all


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit("an object")
    anything(value)
    return value


def anything(value: Any) -> Any:
    """Return what JSON can say, if it is not endless."""
    try:
        written = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise Unfit("a value of JSON") from None
    if len(written) > _MAX_JSON_CHARACTERS:
        raise Unfit(f"a value of at most {_MAX_JSON_CHARACTERS} characters")
    return value


def or_null(check: Check) -> Check:
    """Return the check that lets null through as well, and sends it."""

    def check_unless_null(value: Any) -> Any:
        return None if value is None else check(value)

    check_unless_null.lets_null_through = True  # type: ignore[attr-defined]
    return check_unless_null


def checked(
    mode: str, arguments: Iterable[Argument], given: dict[str, Any]
) -> list[tuple[Argument, Any]]:
    """Return the arguments that were given with their values, in the table's order.

    Raises BadArguments for one that is unknown, missing or of another type.
    """
    taken = list(arguments)
    names = {each.name for each in taken if each.fixed is None}
    unknown = sorted(ascii(name[:40])[1:-1] for name in given if name not in names)
    if unknown:
        known, strange = ", ".join(sorted(names)), ", ".join(unknown[:5])
        takes = f"it takes {known}" if known else "it takes none"
        raise BadArguments(f"{mode} does not take {strange}; {takes}.")
    values = []
    for argument in taken:
        if argument.fixed is not None:
            values.append((argument, argument.fixed))
        elif _is_given(argument, given):
            values.append((argument, _value(mode, argument, given[argument.name])))
        elif argument.is_required:
            raise BadArguments(f"{mode} needs {argument.name}.")
    return values


def _is_given(argument: Argument, given: dict[str, Any]) -> bool:
    if given.get(argument.name) is not None:
        return True
    lets_null_through = getattr(argument.check, "lets_null_through", False)
    return argument.name in given and lets_null_through


def _value(mode: str, argument: Argument, given: Any) -> Any:
    try:
        return argument.check(given)
    except Unfit as wanted:
        text = f"{argument.name} of {mode} must be {wanted}."
        raise BadArguments(text) from None
