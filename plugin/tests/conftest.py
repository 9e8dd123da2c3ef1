"""The running service, the demo Stash, the harness around it, and a browser."""

import pytest

from plugin.tests.harness.bundle import NoPackages, ensure_bundle
from plugin.tests.harness.server import PLUGIN_PATH, HarnessServer
from plugin.tests.pages import StashPage
from plugin.tests.sense import running_sense
from stashsense import env

PLUGIN_ID = "stash-sense"


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """The service with all its processes, once for the whole run."""
    with running_sense(tmp_path_factory.mktemp("sense")) as running:
        yield running


@pytest.fixture
def sense(running):
    """The running service and its stand-ins, as they were at first."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def bundle():
    """The harness's page, bundled; skips where its packages are not installed."""
    try:
        ensure_bundle()
    except NoPackages as error:
        if env.boolean("STASH_SENSE_REQUIRE_BROWSER", default=False):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def harness(sense):
    """A Stash with the plugin, connected to the running service."""
    with HarnessServer(sense.stash, [PLUGIN_PATH]) as server:
        server.configure(PLUGIN_ID, sidecarUrl=sense.url)
        yield server


@pytest.fixture
def stash_page(bundle, harness, browser):
    """A browser on that Stash; a complaint of the browser fails the test.

    A test that provokes complaints takes them with `console_errors()`.
    """
    page = StashPage(browser, harness)
    page.console_errors()
    yield page
    assert page.console_errors() == []
