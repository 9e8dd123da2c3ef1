"""What recognition tells of itself, to whom it does not know.

Sent in the process that did it, once it is committed.
"""

from django.dispatch import Signal

# `fingerprint`: its people were written anew.
fingerprint_changed = Signal()
# `correction`: it was made or undone.
correction_changed = Signal()
