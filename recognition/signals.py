"""What others are told about people that were recognised.

`correction_changed(correction)` is sent once a correction was made or undone and that
is committed, in the process that did it.
"""

from django.dispatch import Signal

correction_changed = Signal()
