"""Fixtures of actions: a stand-in Stash of rows alone, and the versions of Stash."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from demo.stash.generated import ENDPOINT, generated_library
from demo.stash.testing import StashServer
from demo.stashbox.testing import Box, StashBoxServer, connect_box
from recommendations.tests.actions.world import VERSIONS
from stashsense.api.authentication import api_key
from stashsense.integrations import preferences, stashbox_connections


@pytest.fixture
def library():
    """Rows for the test to change: nobody is linked, nothing is shared by two."""
    return generated_library(
        scenes=8, performers=5, studios=3, tags=4, linked_share=0.0
    )


@pytest.fixture
def stash(library, settings, monkeypatch):
    """A stand-in Stash of the library that the service is set to, at any rate."""
    with StashServer(library) as server:
        settings.STASH_URL = server.url
        settings.STASH_API_KEY = ""
        monkeypatch.setattr(preferences, "stash_api_rate", lambda: None)
        stashbox_connections.forget()
        yield server


@pytest.fixture
def api():
    """A client with the key, which is sooner there than somebody with a password."""
    return Client(headers={"X-Api-Key": api_key()})


@pytest.fixture(params=VERSIONS)
def version(request, stash):
    stash.version = request.param
    return tuple(int(part) for part in request.param.split(".")[:2])


@pytest.fixture
def box(stash, library, settings):
    """A stand-in stash-box that the library's Stash is configured with."""
    with StashBoxServer(Box()) as server:
        connect_box(library, server.endpoint, in_place_of=ENDPOINT)
        settings.ALLOWED_IMAGE_HOSTS = {urlsplit(server.endpoint).netloc}
        stashbox_connections.forget()
        yield server
