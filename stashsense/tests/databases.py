"""A database for each data folder that a test gives to processes of its own.

With SQLite it lies in the folder, and nothing is to be done. With PostgreSQL it is made
when the folder is first spoken of, and dropped at the end of the run.
"""

import contextlib
import itertools
import secrets
import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from psycopg import sql

from stashsense.data_folder import DATABASE_NAME
from stashsense.tests import settings as given

# What is missing here may lie at another host, and is fetched.
one_host = pytest.mark.skipif(
    bool(given.POSTGRESQL_URL), reason="of a service that is on one host alone"
)

many_hosts = pytest.mark.skipif(
    not given.POSTGRESQL_URL, reason="of several hosts, which share a PostgreSQL"
)

_RUN = secrets.token_hex(4)
_numbers = itertools.count(1)
_names: dict[Path, str] = {}
# Redis has 16 by default, the first of which is the tests' own.
_CACHES = 15


def environment(folder):
    """Return what a process on the folder needs in its environment."""
    if not given.POSTGRESQL_URL:
        return {}
    return {"DATABASE_URL": _url(_name(Path(folder)))} | _cache()


def share(folder, other):
    """Have processes on `other` use the database of `folder`."""
    if given.POSTGRESQL_URL:
        _names[Path(other)] = _name(Path(folder))


def own_environment():
    """Return what a process needs to use the tests' own database, where it can."""
    if not given.POSTGRESQL_URL:
        return {}
    return {"DATABASE_URL": _url(settings.DATABASES["default"]["NAME"])}


def copied(folder, target):
    """Copy a data folder with its database; return the new one."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    if given.POSTGRESQL_URL and folder in _names:
        _names[target] = _make(template=_names[folder])
    return target


def rows(folder, query):
    """Return what the database of the folder answers."""
    if given.POSTGRESQL_URL:
        with psycopg.connect(_url(_name(Path(folder)))) as connection:
            return connection.execute(query).fetchall()
    path = f"file:{Path(folder) / DATABASE_NAME}?mode=ro"
    with contextlib.closing(sqlite3.connect(path, uri=True, timeout=20)) as connection:
        return connection.execute(query).fetchall()


@contextlib.contextmanager
def of_a_guest(folder):
    """Yield the URL of the folder's database for a user who may make nothing in it."""
    name, password = f"guest_{_RUN}_{next(_numbers)}", secrets.token_hex()
    with psycopg.connect(given.POSTGRESQL_URL, autocommit=True) as connection:
        role = sql.Identifier(name)
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(made.format(role, sql.Literal(password)))
        try:
            _, _, server = _url(_name(Path(folder))).rpartition("@")
            yield f"postgres://{name}:{password}@{server}"
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def disconnect(folder):
    """End every connection to the folder's database, as a server does that stops."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(given.POSTGRESQL_URL, autocommit=True) as connection:
        connection.execute(query, [_name(Path(folder))])


def drop_all():
    """Drop what was made, whoever is still connected."""
    for name in {*_names.values()}:
        _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _names.clear()


def _name(folder):
    if folder not in _names:
        _names[folder] = _make(template="template0")
    return _names[folder]


def _make(*, template):
    name = f"test_{_RUN}_{next(_numbers)}"
    _on_server("CREATE DATABASE {} TEMPLATE {}", name, template)
    return name


def _on_server(statement, *names):
    with psycopg.connect(given.POSTGRESQL_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _url(name):
    server, _, _ = given.POSTGRESQL_URL.rpartition("/")
    return f"{server}/{name}"


def _cache():
    if not given.REDIS_SERVER_URL:
        return {}
    server, _, _ = given.REDIS_SERVER_URL.rpartition("/")
    url = f"{server}/{next(_numbers) % _CACHES + 1}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return {"REDIS_URL": url}
