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

A refusal is `{"detail": …, "code": …}`: `detail` is a sentence for people, `code` the
word that programs switch on. What stands here is what is true of the world after it was
answered. [Troubleshooting](../troubleshooting.md) tells what to do about those that
people meet.
"""


# Answered before any of our code is asked, or in its place; no class of ours has them.
AT_THE_DOOR = {
    ("not_authenticated", 401): "No key, no signature and no session came along.",
    ("wrong_api_key", 401): "The key is another one.",
    ("wrong_signature", 401): "The signature was made with another key.",
    ("signature_expired", 401): "The clocks are too far apart.",
    ("signature_reused", 401): "The signature was received before.",
    ("no_shared_key", 401): "STASH_API_KEY is not set here.",
    ("permission_denied", 403): "The person may not do this, or the token is missing.",
    ("csrf_failed", 403): "The CSRF token is missing or wrong.",
    ("cross_site", 403): "Authentication is off, and a page of another site asked.",
    ("wrong_host", 400): "The Host header is not in STASH_SENSE_ALLOWED_HOSTS.",
    ("bad_request", 400): "The request is of no form that is read.",
    ("no_route", 404): "There is nothing at this path.",
    ("not_found", 404): "There is nothing of this id or name.",
    ("method_not_allowed", 405): "The route does not know this method.",
    ("body_incomplete", 408): "The body ended early, or did not go on.",
    ("length_required", 411): "The body came in chunks: send it with its length.",
    ("body_too_large", 413): "The body is larger than a picture, or a form, may be.",
    ("unsupported_media_type", 415): "The route does not read bodies of this kind.",
    ("invalid", 422): "A field is missing or out of bounds; nothing was done.",
    ("too_many_failures", 429): "Wrong keys or signatures came too often.",
    ("database_unavailable", 503): "PostgreSQL is away, or SQLite busy for too long.",
    ("error", 500): "A mistake of ours; the log says what.",
}


def page() -> str:
    """Return the page."""
    every = {**{key: [text] for key, text in AT_THE_DOOR.items()}, **_meanings()}
    rows = [
        (code(word), str(status), " ".join(meanings))
        for (word, status), meanings in sorted(every.items())
    ]
    return "\n".join([_INTRODUCTION, *table(("code", "status", "means"), rows)])


def codes() -> set[str]:
    """Return every code."""
    return {word for word, _ in [*_meanings(), *AT_THE_DOOR]}


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
