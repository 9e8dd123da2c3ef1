"""Fixtures: a stand-in Stash, and analyses of the test's own."""

import pytest

from recommendations import run_types
from recommendations.analyzers.base import Analyzer
from recommendations.tests.predecessor import Predecessor
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
