"""The project's own rows, where Django looks for them."""

from stashsense.preferences.models import Preference

__all__ = ["Preference"]
