"""What other apps are told about releases. Receivers live in those apps.

`release_activating(release)` is sent before the row flips: a receiver refuses the
release by raising, and nothing changes then.
`release_activated(release)` is sent in the activating process once the new row is
committed; other processes find out by watching the active row.
"""

from django.dispatch import Signal

release_activating = Signal()
release_activated = Signal()
