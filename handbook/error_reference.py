"""The page of every error code, out of the classes that are raised."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from handbook.markdown import code, table
from stashsense.exceptions import StashSenseError

_APPS = ("stashsense", "dbupdates", "recognition", "recommendations")

_INTRODUCTION = """\
# Every error code

A refusal is `{"detail": …, "code": …}`: `detail` is a sentence for people, `code` the word
that programs switch on. What stands here is what is true of the world after it was
answered. [Troubleshooting](../troubleshooting.md) tells what to do about those that people
meet.
"""


def page() -> str:
    """Return the page."""
    rows = [
        (code(word), str(status), " ".join(meanings))
        for (word, status), meanings in sorted(_meanings().items())
    ]
    return "\n".join([_INTRODUCTION, *table(("code", "status", "means"), rows)])


def codes() -> set[str]:
    """Return every code."""
    return {word for word, _ in _meanings()}


def _meanings() -> dict[tuple[str, int], list[str]]:
    _import_all()
    found: dict[tuple[str, int], list[str]] = {}
    for error in _classes(StashSenseError):
        if "code" in vars(error):
            text = inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0]
            told = found.setdefault((error.code, error.status), [])
            if text not in told:
                told.append(" ".join(text.split()))
    return found


def _classes(root: type[StashSenseError]) -> Iterator[type[StashSenseError]]:
    for each in sorted(root.__subclasses__(), key=lambda error: error.__name__):
        if each.__module__.partition(".")[0] in _APPS and ".tests" not in str(each):
            yield each
        yield from _classes(each)


def _import_all() -> None:
    """Import every module that may define an error; tests and commands do not."""
    for app in _APPS:
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            parts = set(module.name.split("."))
            if not parts & {"tests", "migrations", "management", "wsgi", "container"}:
                importlib.import_module(module.name)
