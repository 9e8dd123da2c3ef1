"""The project's own rows, where Django looks for them."""

from stashsense.audit import ApiChange
from stashsense.nonces import UsedNonce
from stashsense.preferences.models import Preference

__all__ = ["ApiChange", "Preference", "UsedNonce"]
