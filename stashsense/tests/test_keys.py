"""Secrets the service makes for itself."""

import errno
import stat
from concurrent.futures import ThreadPoolExecutor

from stashsense import keys


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "deep" / "key"

    first = keys.read_or_create(path)

    assert keys.read_or_create(path) == first
    assert len(first) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_a_key_that_is_there_is_kept(tmp_path):
    path = tmp_path / "key"
    path.write_text("chosen by a person\n")

    assert keys.read_or_create(path) == "chosen by a person"


def test_two_keys_differ(tmp_path):
    assert keys.read_or_create(tmp_path / "a") != keys.read_or_create(tmp_path / "b")


def test_a_key_is_made_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOTSUP, "no links here")

    monkeypatch.setattr("os.link", refuse)

    first = keys.read_or_create(tmp_path / "key")

    assert keys.read_or_create(tmp_path / "key") == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_those_who_start_together_read_the_same_key(tmp_path, monkeypatch):
    pids = iter(range(100))
    # One process each, as far as the key's module can see.
    monkeypatch.setattr("os.getpid", lambda: next(pids))

    with ThreadPoolExecutor(8) as pool:
        made = {*pool.map(lambda _: keys.read_or_create(tmp_path / "key"), range(32))}

    assert len(made) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]
