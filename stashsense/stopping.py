"""Whether this process was asked to end, for work that takes long.

django-q2 waits for a running task however long it takes, and a supervisor then kills
it. So long tasks look here where they report progress. The event is made before the
cluster forks, so all of its processes see the same one.
"""

import multiprocessing

_asked = multiprocessing.Event()


def ask() -> None:
    """Tell every process forked from this one that it is to end."""
    _asked.set()


def is_asked() -> bool:
    """Return whether work should end at the next good moment."""
    return _asked.is_set()
