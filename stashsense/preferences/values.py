"""What each setting is at this moment: cheap enough to ask in every request.

A process reads all the rows at once, and again when they are half a second old; so a
change made in one process counts in every other one soon after.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stashsense.preferences.definitions import (
    Definition,
    InvalidPreference,
    Value,
    all_definitions,
    get_definition,
)
from stashsense.preferences.models import Preference

MAX_AGE_SECONDS = 0.5


@dataclass(frozen=True)
class Setting:
    """A setting with its value, and the value it has unless somebody chose one."""

    definition: Definition
    value: Value
    default: Value
    is_override: bool


class _Overrides:
    """The rows that hold a value, as last read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Mapping[str, object] = {}
        self._read_at = -MAX_AGE_SECONDS

    def get(self) -> Mapping[str, object]:
        if time.monotonic() - self._read_at < MAX_AGE_SECONDS:
            return self._rows
        with self._lock:
            # Before the rows, which may change while they are read.
            began = time.monotonic()
            if began - self._read_at >= MAX_AGE_SECONDS:
                rows = Preference.objects.filter(value__isnull=False)
                self._rows = dict(rows.values_list("key", "value"))
                self._read_at = began
            return self._rows

    def forget(self) -> None:
        self._read_at = -MAX_AGE_SECONDS


_overrides = _Overrides()
_find_tier: Callable[[], str] = str


def find_tier_by(find_tier: Callable[[], str]) -> None:
    """Have the hardware tier told by this; it may take a second when first asked."""
    global _find_tier
    _find_tier = find_tier


def hardware_tier() -> str:
    """Return the name of this machine's hardware tier, "" where nobody knows it."""
    return _find_tier()


def forget() -> None:
    """Read the rows again when next asked: somebody here has changed them."""
    _overrides.forget()


def value_of(key: str) -> Value:
    """Return the setting's value; raises UnknownPreference."""
    definition = get_definition(key)
    chosen = _chosen(definition)
    return default_of(definition) if chosen is None else chosen


def setting(key: str) -> Setting:
    """Return the setting and where its value comes from; raises UnknownPreference."""
    definition = get_definition(key)
    chosen, default = _chosen(definition), default_of(definition)
    if chosen is None:
        return Setting(definition, default, default, is_override=False)
    return Setting(definition, chosen, default, is_override=True)


def _chosen(definition: Definition) -> Value | None:
    rows = _overrides.get()
    if definition.key not in rows:
        return None
    try:
        return definition.parse(rows[definition.key])
    except InvalidPreference:
        # A later version allows less than the one that stored it.
        return None


def all_settings() -> list[Setting]:
    """Return every setting, by category."""
    return [setting(definition.key) for definition in all_definitions()]


def default_of(definition: Definition) -> Value:
    """Return what the setting is unless somebody chooses."""
    if (by_operator := definition.operator_default()) is not None:
        return by_operator
    if definition.tier_defaults:
        return definition.tier_defaults.get(hardware_tier(), definition.fallback)
    return definition.fallback
