"""What recognition tells of itself, to whom it does not know."""

from django.dispatch import Signal

# `fingerprint`: its people were written anew, and that is committed.
fingerprint_changed = Signal()
