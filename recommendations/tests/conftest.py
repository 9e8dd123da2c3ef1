"""Fixtures: a stand-in Stash, and analyses of the test's own."""

from contextlib import ExitStack

import pytest

from demo.stash.library import StashBox
from demo.stash.testing import StashServer
from demo.stashbox.testing import Box, StashBoxServer
from recommendations import run_types
from recommendations.analyzers.base import Analyzer
from recommendations.tests.libraries import empty_library
from recommendations.tests.predecessor import Predecessor
from stashsense.integrations import stashbox_connections
from stashsense.slices import leases


@pytest.fixture
def stash(stash_server, settings):
    """A stand-in Stash that the service is set to."""
    settings.STASH_URL = stash_server.url
    settings.STASH_API_KEY = ""
    return stash_server


@pytest.fixture
def registered(monkeypatch):
    """Have these analyses, and no others, known."""

    def register(*analyzers: Analyzer) -> None:
        monkeypatch.setattr(run_types, "ANALYZERS", analyzers)

    return register


@pytest.fixture
def predecessor(tmp_path):
    """A database of the predecessor, with nothing in it."""
    return Predecessor(tmp_path / "stash_sense.db")


@pytest.fixture(autouse=True)
def _prompt_leases(monkeypatch):
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)


@pytest.fixture
def library_server(settings):
    """A stand-in Stash of few rows that the service is set to."""
    with StashServer(empty_library()) as server:
        settings.STASH_URL = server.url
        settings.STASH_API_KEY = ""
        # Another test's Stash may have had this very address.
        stashbox_connections.forget()
        yield server
    stashbox_connections.forget()


@pytest.fixture
def library(library_server):
    """The rows of a stand-in Stash that the service is set to; there are few."""
    return library_server.library


@pytest.fixture
def add_box(library):
    """Have the library's Stash know one more stand-in stash-box, and return that."""
    with ExitStack() as servers:

        def add(name: str = "Box", rows: Box | None = None) -> StashBoxServer:
            server = servers.enter_context(StashBoxServer(rows or Box()))
            library.stash_boxes.append(
                StashBox(server.endpoint, name, server.api_key, 60_000)
            )
            stashbox_connections.forget()
            return server

        library.stash_boxes.clear()
        yield add


@pytest.fixture
def box(add_box):
    """The only stash-box of the library's Stash; it is empty."""
    return add_box()
