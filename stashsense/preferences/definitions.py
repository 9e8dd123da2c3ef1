"""Which settings there are, and what each may be. No database here.

Each app registers the settings it uses; this module knows none by name.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from stashsense.exceptions import StashSenseError

Value = bool | int | float

_TRUE = {"true", "1", "yes"}
_FALSE = {"false", "0", "no"}


class UnknownPreference(StashSenseError):
    """There is no setting of this name; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "unknown_setting"


class InvalidPreference(StashSenseError):
    """A setting cannot have the value given; nothing was changed.

    The message says what it may be.
    """

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_setting"


class Kind(StrEnum):
    """What a value is, as the API spells it."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"


class Applies(StrEnum):
    """When a change counts.

    LIVE: for the next request, within a second in every process. AFTER_RELOAD: once
    each process has opened again what it serves, which it does by itself and beside
    what answers meanwhile.
    """

    LIVE = "live"
    AFTER_RELOAD = "after reload"


@dataclass(frozen=True)
class Category:
    """Settings that are shown together."""

    name: str
    label: str
    order: int


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Definition:
    """A setting: what it may be, when a change counts, and what it is by default.

    Its default is the first there is of what the operator says in the environment
    (`operator_default`), what the machine's hardware tier suggests, and `fallback`.
    `first_value` is what the environment has it start from, once, as if a user had
    chosen that.
    """

    key: str
    kind: Kind
    category: Category
    label: str
    description: str
    applies: Applies
    fallback: Value
    minimum: Value | None = None
    maximum: Value | None = None
    multiple_of: int | None = None
    tier_defaults: Mapping[str, Value] = field(default_factory=dict)
    operator_default: Callable[[], Value | None] = _nothing
    first_value: Callable[[], Value | None] = _nothing

    def parse(self, raw: Any) -> Value:
        """Return the value that JSON or a form gave; raises InvalidPreference.

        Texts count as what they spell, for forms know nothing else.
        """
        if self.kind is Kind.BOOL:
            return self._boolean(raw)
        number = self._number(raw)
        self._check_bounds(number)
        return int(number) if self.kind is Kind.INT else number

    def _boolean(self, raw: Any) -> bool:
        if isinstance(raw, bool | int | str):
            word = str(raw).strip().lower()
            if word in _TRUE | _FALSE:
                return word in _TRUE
        raise InvalidPreference(f"{self.key} must be true or false.")

    def _number(self, raw: Any) -> float:
        number = math.nan
        if isinstance(raw, int | float | str) and not isinstance(raw, bool):
            with suppress(ValueError, OverflowError):
                number = float(raw)
        if not math.isfinite(number):
            raise InvalidPreference(f"{self.key} must be a number.")
        return number

    def _check_bounds(self, number: float) -> None:
        if self.kind is Kind.INT and not number.is_integer():
            raise InvalidPreference(f"{self.key} must be a whole number.")
        lowest, highest = self.minimum, self.maximum
        if (lowest is not None and number < lowest) or (
            highest is not None and number > highest
        ):
            raise InvalidPreference(
                f"{self.key} must be between {lowest} and {highest}, not {number:g}."
            )
        if self.multiple_of is not None and number % self.multiple_of:
            raise InvalidPreference(
                f"{self.key} must be a multiple of {self.multiple_of}, not {number:g}."
            )


_definitions: dict[str, Definition] = {}


def register(*definitions: Definition) -> None:
    """Add settings; an app does so when it is ready. Again changes nothing."""
    _definitions.update({each.key: each for each in definitions})


def all_definitions() -> list[Definition]:
    """Return every setting, by category and in the order of registration."""
    return sorted(
        _definitions.values(),
        key=lambda each: (each.category.order, each.category.name),
    )


def get_definition(key: str) -> Definition:
    """Return the setting of this name; raises UnknownPreference."""
    try:
        return _definitions[key]
    except KeyError:
        raise UnknownPreference(f"There is no setting {key!r}.") from None
