"""Fixtures: a stand-in Stash, and analyses of the test's own."""

import pytest

from demo.stash.testing import StashServer
from recommendations import run_types
from recommendations.analyzers.base import Analyzer
from recommendations.tests.libraries import empty_library
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
