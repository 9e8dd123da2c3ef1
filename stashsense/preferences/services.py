"""Changing settings, by whoever may."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User

from stashsense.preferences import values
from stashsense.preferences.definitions import Value, all_definitions, get_definition
from stashsense.preferences.models import Preference
from stashsense.preferences.values import Setting
from stashsense.turns import in_turn


def store_settings(chosen: Mapping[str, Any], *, user: User | None) -> dict[str, Value]:
    """Store what was chosen and return it, coerced: all of it, or none.

    Raises UnknownPreference or InvalidPreference, and nothing is stored then.
    """
    parsed = {key: get_definition(key).parse(raw) for key, raw in chosen.items()}
    with in_turn():
        for key, value in parsed.items():
            _write(key, value, user=user, log=f"Set to {spell(value)}.")
    values.forget()
    return parsed


def reset_setting(key: str, *, user: User | None) -> Setting:
    """Have the default decide again, and return that; raises UnknownPreference."""
    get_definition(key)
    with in_turn():
        _write(key, None, user=user, log="Set back to its default.")
    values.forget()
    return values.setting(key)


def take_over_environment() -> list[str]:
    """Store what the environment has settings start from; return the keys stored.

    Only those that nobody, not even an earlier start, has touched.
    """
    touched = set(Preference.objects.values_list("key", flat=True))
    first = {
        definition.key: value
        for definition in all_definitions()
        if definition.key not in touched
        and (value := definition.first_value()) is not None
    }
    return [*store_settings(first, user=None)]


def spell(value: Value) -> str:
    """Return the value as the API spells it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _write(key: str, value: Value | None, *, user: User | None, log: str) -> None:
    row, _ = Preference.objects.update_or_create(
        key=key, defaults={"value": value, "updated_by": user}
    )
    if user is not None:
        LogEntry.objects.log_actions(user.pk, [row], CHANGE, log, single_object=True)
