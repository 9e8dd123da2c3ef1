"""Waiting for what comes true, in tests: looked at often, and within a bound."""

import threading
import time

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.support.ui import WebDriverWait

# The machine may be busy; what takes longer is a fault.
BOUND_SECONDS = 30
PAGE_BOUND_SECONDS = 40


def wait_until(condition, *, within=BOUND_SECONDS):
    """Return what the condition gave as soon as that is something."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition never came true"
        pause.wait(0.02)
    return found


def wait_for(page, condition):
    """Return what the condition gave of the page as soon as that is something."""
    # An element may be replaced between being found and being read.
    patience = WebDriverWait(
        page,
        PAGE_BOUND_SECONDS,
        poll_frequency=0.05,
        ignored_exceptions=[StaleElementReferenceException, ValueError],
    )
    return patience.until(condition)
