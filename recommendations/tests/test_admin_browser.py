"""Runs and dismissals in a real browser, as a person goes about them."""

import threading

import pytest
from django.db import connection
from selenium.webdriver.common.by import By

from recommendations import execution, findings
from recommendations.admin import runs as runs_admin
from recommendations.models import AnalysisRun, Dismissal, Recommendation
from recommendations.tests.analyses import ListAnalyzer, finding
from stashsense.tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def background():
    """Work at every run that is asked for, as the cluster does."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            for run in AnalysisRun.objects.filter(state="running"):
                execution.work_at_slice(run.pk, run.slice_number, seconds=0)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def page(browser, live_server, admin_user, client, stash, monkeypatch):
    monkeypatch.setattr(runs_admin, "REFRESH_SECONDS", 1)
    client.force_login(admin_user)
    browser.get(f"{live_server.url}/health")
    name = "stash_sense_session"
    browser.add_cookie({"name": name, "value": client.cookies[name].value})
    browser.get(f"{live_server.url}/admin/recommendations/analysisrun/")
    return browser


def press(page, form, label):
    page.find_element(
        By.XPATH,
        f"//form[@id='{form}']//*[normalize-space()='{label}' or @value='{label}']",
    ).click()


def text_of(page, element_id):
    found = page.find_elements(By.ID, element_id)
    return found[0].text if found else ""


@pytest.mark.usefixtures("background")
def test_a_run_is_begun_watched_stopped_and_gone_on_with(page, registered):
    held = threading.Event()

    def hold(work):
        while not held.wait(0.01):
            work.check()

    registered(ListAnalyzer(["1", hold, "2"]))
    page.refresh()
    press(page, "begin-list", "List")

    # The page shows itself anew while the run goes on.
    wait_for(page, lambda page: "1 of 3 done" in text_of(page, "run-counts"))
    press(page, "stop-form", "Stop this run")
    wait_for(page, lambda page: text_of(page, "run-state") == "cancelled")
    held.set()
    press(page, "retry-form", "Go on where it ended")
    wait_for(page, lambda page: text_of(page, "run-state") == "completed")

    assert "3 of 3 done" in text_of(page, "run-counts")
    states = [run.state for run in AnalysisRun.objects.order_by("pk")]
    assert states == ["cancelled", "completed"]
    page.find_element(By.LINK_TEXT, "What waits for a decision").click()
    wait_for(page, lambda page: "2 recommendations" in page.page_source)
    assert [entry["level"] for entry in page.get_log("browser")] == []


def test_one_is_dismissed_for_good_and_taken_back(page, registered, live_server):
    analyzer = ListAnalyzer()
    registered(analyzer)
    findings.record(analyzer, [finding("1")], pass_id=1)
    row = Recommendation.objects.get()
    page.get(f"{live_server.url}/admin/recommendations/recommendation/{row.pk}/change/")

    page.find_element(By.NAME, "reason").send_keys("Not mine")
    press(page, "dismiss-form", "Dismiss for good")
    wait_for(page, lambda page: text_of(page, "recommendation-status") == "dismissed")
    assert "for good by admin" in text_of(page, "dismissal")
    kept = Dismissal.objects.get()
    assert (kept.is_permanent, kept.reason) == (True, "Not mine")

    press(page, "restore-form", "Take the dismissal back")
    wait_for(page, lambda page: text_of(page, "recommendation-status") == "pending")
    assert not Dismissal.objects.exists()
    assert [entry["level"] for entry in page.get_log("browser")] == []
