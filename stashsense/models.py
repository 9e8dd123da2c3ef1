"""The project's own rows, where Django looks for them."""

from stashsense.nonces import UsedNonce
from stashsense.preferences.models import Preference

__all__ = ["Preference", "UsedNonce"]
