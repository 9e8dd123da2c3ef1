"""The folder outside the checkout that keeps what takes minutes to make.

An entry is complete or absent: it is filled under a temporary name and renamed. Its
name ends in a digest of its recipe, so that a changed recipe makes a new one.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CACHE_VARIABLE = "STASH_SENSE_BENCHMARK_CACHE"
DEFAULT_CACHE = "~/.cache/stash-sense/benchmarks"

_DIGEST_DIGITS = 12

Recipe = Mapping[str, object]


def cache_dir() -> Path:
    """Return the cache's folder, made at first use."""
    folder = Path(os.environ.get(CACHE_VARIABLE) or DEFAULT_CACHE).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def recipe_digest(recipe: Recipe) -> str:
    """Return twelve hexadecimal digits that change with the recipe."""
    text = json.dumps(recipe, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


def source_digest(*paths: Path) -> str:
    """Return a digest of the files' bytes: part of a recipe that is a program."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return recipe_digest({"sources": digests})


def cached_folder(name: str, *, recipe: Recipe, build: Callable[[Path], None]) -> Path:
    """Return the folder that `build` filled for this recipe, now or earlier.

    Folders of the name that other recipes made are removed once it is complete.
    """
    folder = cache_dir() / f"{name}-{recipe_digest(recipe)}"
    with _lock(name):
        if not folder.exists():
            _remove_folders(rf"\.{name}-.*")
            temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache_dir()))
            build(temporary)
            temporary.rename(folder)
            _remove_folders(rf"{name}-[0-9a-f]{{{_DIGEST_DIGITS}}}", but=folder)
    return folder


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Let one process at a time build the entry."""
    with (cache_dir() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_folders(pattern: str, *, but: Path | None = None) -> None:
    for path in cache_dir().iterdir():
        if path != but and path.is_dir() and re.fullmatch(pattern, path.name):
            shutil.rmtree(path)
