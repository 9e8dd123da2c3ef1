"""Fixtures for every app: a real browser, a stand-in Stash, settings as in the rows."""

import os
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from demo.stash.library import load_library
from demo.stash.testing import StashServer, tiny_library
from demo.stashbox.testing import (
    STASHDB,
    StashBoxServer,
    box_of_library,
    connect_box,
)
from stashsense import env
from stashsense.api import callers
from stashsense.preferences import values
from stashsense.tests import databases

BROWSER_WINDOW_PX = (1280, 900)
# The machine may be busy; an answer that takes longer is a fault.
BROWSER_PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _settings_as_in_the_database():
    """Forget the settings that another test stored: each has its own database."""
    values.forget()


@pytest.fixture(scope="session", autouse=True)
def _no_databases_left():
    """Drop the databases of processes that tests started."""
    yield
    databases.drop_all()


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet():
    """Forget the wrong keys that another test sent from this address."""
    callers.failures.forget()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory, live_server):
    """One headless Chromium for the whole run.

    It ends before the live server, whose threads hold on to its connections.
    """
    browser_path, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser_path and driver_path):
        reason = "Chromium and its driver are not installed (Debian: chromium-driver)"
        if env.boolean("STASH_SENSE_REQUIRE_BROWSER", default=False):
            pytest.fail(reason)
        pytest.skip(reason)
    # Selenium would report its use to its makers.
    os.environ["SE_AVOID_STATS"] = "true"
    options = webdriver.ChromeOptions()
    options.binary_location = browser_path
    for argument in (
        "--headless",
        # Chromium's own sandbox does not start for root, whom containers run as.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        # It asks the network for nothing of its own.
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    driver.set_page_load_timeout(BROWSER_PATIENCE_SECONDS)
    driver.set_script_timeout(BROWSER_PATIENCE_SECONDS)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """A WebDriver with an empty window of 1280 x 900, signed in nowhere."""
    chromium.set_window_size(*BROWSER_WINDOW_PX)
    yield chromium
    chromium.get("about:blank")
    # What one page logged is not the next one's.
    chromium.get_log("browser")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})


@pytest.fixture(scope="session")
def stash_folder(tmp_path_factory):
    """The folder of a tiny drawn library, which is never written to."""
    return tiny_library(tmp_path_factory.mktemp("stash") / "library").folder


@pytest.fixture
def stash_library(stash_folder):
    """The rows of a tiny library, for this test to change."""
    return load_library(stash_folder)


@pytest.fixture
def stash_server(stash_library):
    """A stand-in Stash 0.30 of the tiny library, without a key."""
    with StashServer(stash_library) as server:
        yield server


@pytest.fixture
def stashbox_server(stash_library):
    """A stand-in stash-box that the tiny library's Stash knows, and has ids of."""
    with StashBoxServer(box_of_library(stash_library, STASHDB)) as server:
        connect_box(stash_library, server.endpoint)
        yield server
