"""Whether this process was asked to end, for work that takes long.

django-q2 waits for a running task however long it takes, and a supervisor then kills
it. So long tasks look here where they report progress. The byte is made before the
cluster forks, so all of its processes see the same one; and it is no event, whose lock
a process that is killed would keep.
"""

from multiprocessing.sharedctypes import RawValue

_asked = RawValue("b", 0)


def ask() -> None:
    """Tell every process forked from this one that it is to end."""
    _asked.value = 1


def is_asked() -> bool:
    """Return whether work should end at the next good moment."""
    return bool(_asked.value)
