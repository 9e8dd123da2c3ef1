"""Updating and rolling back in a real browser, as a person does it."""

import threading

import pytest
from django.db import connection
from selenium.webdriver.common.by import By

from dbupdates.execution import execute_run
from dbupdates.models import UpdateRun
from dbupdates.services import import_release
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.updating import NEW, active_version
from stashsense.tests.waiting import wait_for

FORMER = "2026.02.17"

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def background():
    """Work at every run that is asked for, as the cluster does."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            for run in UpdateRun.objects.filter(phase="queued"):
                execute_run(run.pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def page(browser, live_server, admin_user, client, data_dir, simulator, inbox):
    """The list of releases, signed in; the feed has a newer one, which comes slowly."""
    former = import_release(ReleaseBuilder(FORMER, seed=1).write_zip(inbox))
    type(former).objects.filter(pk=former.pk).update(status="active")
    builder = ReleaseBuilder(NEW, performers=150)
    simulator.publish(NEW, builder.write_zip(inbox))
    simulator.faults.bytes_per_second = 300_000
    client.force_login(admin_user)
    browser.get(f"{live_server.url}/health")
    name = "stash_sense_session"
    browser.add_cookie({"name": name, "value": client.cookies[name].value})
    browser.get(f"{live_server.url}/admin/dbupdates/databaserelease/")
    return browser


def press(page, label):
    page.find_element(By.CSS_SELECTOR, f"input[value^='{label}']").click()


def text_of(page, element_id):
    found = page.find_elements(By.ID, element_id)
    return found[0].text if found else ""


def percent(page):
    return int(text_of(page, "run-percent").partition(" ")[0])


@pytest.mark.usefixtures("background")
def test_an_update_is_triggered_watched_and_rolled_back(page):
    press(page, "Check now")
    press(page, "Update to 2026.02.18")

    wait_for(page, lambda page: text_of(page, "run-phase") == "downloading")
    first = wait_for(page, lambda page: percent(page) > 0 and percent(page))
    # It moves without a reload: this stays what it is until the end.
    page.execute_script("window.isTheSamePage = true")
    wait_for(page, lambda page: percent(page) > first)
    assert page.execute_script("return window.isTheSamePage")
    wait_for(page, lambda page: text_of(page, "run-phase") == "complete")
    wait_for(page, lambda page: percent(page) == 100)
    assert active_version() == NEW

    wait_for(page, lambda page: "No process serves" in text_of(page, "run-log"))
    page.find_element(By.LINK_TEXT, "Releases").click()
    page.find_element(By.LINK_TEXT, FORMER).click()
    press(page, "Activate")
    wait_for(page, lambda page: text_of(page, "run-phase") == "complete")

    assert active_version() == FORMER
    assert [entry["level"] for entry in page.get_log("browser")] == []


@pytest.mark.usefixtures("background")
def test_an_update_is_cancelled_while_it_is_watched(page, simulator):
    # So slowly that it is still under way when a busy machine comes to cancel it.
    simulator.faults.bytes_per_second = 30_000
    press(page, "Check now")
    press(page, "Update to 2026.02.18")
    wait_for(page, lambda page: percent(page) > 0)

    press(page, "Cancel this update")

    wait_for(page, lambda page: text_of(page, "run-phase") == "cancelled")
    wait_for(
        page, lambda page: not page.find_element(By.ID, "cancel-form").is_displayed()
    )
    assert active_version() == FORMER
