"""The settings of how we talk to other services, which users change at run time."""

from django.conf import settings

from stashsense.preferences import values
from stashsense.preferences.definitions import (
    Applies,
    Category,
    Definition,
    Kind,
    register,
)

RATE_LIMITS = Category("rate_limits", "Rate limits", order=2)

DEFINITIONS = (
    Definition(
        key="stash_api_rate",
        kind=Kind.FLOAT,
        category=RATE_LIMITS,
        label="Requests to Stash a second",
        description="Each process asks Stash no more often than this.",
        applies=Applies.LIVE,
        fallback=5.0,
        minimum=0.5,
        maximum=50.0,
        first_value=lambda: settings.FIRST_STASH_API_RATE,
    ),
)


def register_all() -> None:
    """Register these settings."""
    register(*DEFINITIONS)


def stash_api_rate() -> float:
    """Return how many requests a second Stash is sent at most."""
    return float(values.value_of("stash_api_rate"))
