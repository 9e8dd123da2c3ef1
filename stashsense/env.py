"""Strict readers of environment variables: a typo is an error at start.

Every reader raises ImproperlyConfigured naming the variable, what was expected and,
unless it is a secret, what was found.
"""

import os
import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    """Return the variable's value without surrounding blanks, or `default`."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, *, default: bool) -> bool:
    """Return True for `true`, False for `false`, in any letter case."""
    value = text(name, str(default)).lower()
    if value not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value == "true"


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    """Return a whole number within the bounds, both included."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a whole number, not {value!r}."
        ) from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(
            f"{name} must be between {minimum} and {maximum}, not {number}."
        )
    return number


def optional_integer(
    name: str, *, minimum: int, maximum: int, multiple_of: int = 1
) -> int | None:
    """Return a whole number within the bounds, or None where none is given."""
    if not text(name, ""):
        return None
    number = integer(name, default=minimum, minimum=minimum, maximum=maximum)
    if number % multiple_of:
        raise ImproperlyConfigured(
            f"{name} must be a multiple of {multiple_of}, not {number}."
        )
    return number


def optional_number(name: str, *, minimum: float, maximum: float) -> float | None:
    """Return a number within the bounds, or None where none is given."""
    value = text(name, "")
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None
    # Not a number is within no bounds.
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(
            f"{name} must be between {minimum:g} and {maximum:g}, not {value}."
        )
    return number


def number(name: str, *, default: float, minimum: float, maximum: float) -> float:
    """Return a number within the bounds, both included."""
    found = optional_number(name, minimum=minimum, maximum=maximum)
    return default if found is None else found


def choice(name: str, *, default: str, choices: Collection[str]) -> str:
    """Return one of `choices`, compared without letter case."""
    value = text(name, default).lower()
    if value not in choices:
        listed = ", ".join(sorted(choices))
        raise ImproperlyConfigured(f"{name} must be one of {listed}, not {value!r}.")
    return value


def address(name: str, default: str) -> str:
    """Return an http(s) address without a slash at its end; names go below it."""
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        is_usable = is_plain = False
    if not (is_usable and is_plain):
        # Not what was found: it may hold a password.
        raise ImproperlyConfigured(
            f"{name} must be an http(s) address without user, query or fragment."
        )
    return value


def switch(name: str) -> bool | Literal["auto"] | None:
    """Return what `true`, `false` or `auto` stand for, or None where none is given."""
    if not text(name, ""):
        return None
    value = choice(name, default="auto", choices={"true", "false", "auto"})
    return "auto" if value == "auto" else value == "true"


def words(name: str, default: str = "") -> list[str]:
    """Return the comma-separated, non-empty parts."""
    parts = (part.strip() for part in text(name, default).split(","))
    return [part for part in parts if part]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the comma-separated addresses and networks such as 10.1.2.0/24."""
    found = []
    for word in words(name):
        try:
            found.append(ip_network(word))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks, separated by commas: {error}."
            ) from None
    return found


def path_prefix(name: str) -> str:
    """Return a path such as `/sense`, without a slash at its end; "" when none."""
    value = text(name, "").rstrip("/")
    if value and not re.fullmatch(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", value):
        raise ImproperlyConfigured(
            f"{name} must be a path such as /sense, of letters, digits and -._~, "
            f"not {value!r}."
        )
    return value


def directory(name: str, default: Path) -> Path:
    """Return an absolute path; whether it exists is not looked at."""
    return Path(text(name, str(default))).expanduser().absolute()


def secret(name: str) -> str | None:
    """Return the secret in NAME, or in the file that NAME_FILE names, or None."""
    file_name = os.environ.get(f"{name}_FILE", "").strip()
    value = os.environ.get(name, "").strip()
    if not file_name:
        return value or None
    if value:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    content = _text_of(file_name, variable=f"{name}_FILE")
    if not content:
        raise ImproperlyConfigured(f"{name}_FILE names an empty file: {file_name}")
    return content


def _text_of(file_name: str, *, variable: str) -> str:
    """Return the file's text without surrounding blanks; an error shows none of it."""
    path = Path(file_name)
    try:
        if not path.is_file():
            raise ImproperlyConfigured(f"{variable} names no file: {file_name}")
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{variable} names a file that cannot be read: {file_name} "
            f"({error.strerror})."
        ) from None
    except UnicodeDecodeError:
        # From None: the error holds every byte of the file.
        raise ImproperlyConfigured(
            f"{variable} names a file that is no text in UTF-8: {file_name}"
        ) from None
