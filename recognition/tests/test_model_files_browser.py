"""Model files in a real browser: the list follows what is downloaded."""

import threading

import pytest
from django.db import connection
from selenium.webdriver.common.by import By

from recognition import model_files
from recognition.model_downloads import execute_download
from recognition.models import ModelDownload
from recognition.tests.model_source import HASTY, source_of_models
from stashsense.tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def source(settings, monkeypatch, tmp_path):
    with source_of_models(settings, monkeypatch, tmp_path / "data") as simulator:
        yield simulator


@pytest.fixture
def background(source):
    """Work at every download that is asked for, as the cluster does."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            for row in ModelDownload.objects.filter(state="queued").order_by("pk"):
                execute_download(row.pk, patience=HASTY)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def page(browser, live_server, admin_user, client, source):
    source.faults.bytes_per_second = 600_000
    client.force_login(admin_user)
    browser.get(f"{live_server.url}/health")
    name = "stash_sense_session"
    browser.add_cookie({"name": name, "value": client.cookies[name].value})
    browser.get(f"{live_server.url}/admin/recognition/modelfile/")
    return browser


def press(page, label):
    page.find_element(By.CSS_SELECTOR, f"input[value^='{label}']").click()


def text_of(page, selector):
    found = page.find_elements(By.CSS_SELECTOR, selector)
    return found[0].text if found else ""


@pytest.mark.usefixtures("background")
def test_all_are_downloaded_while_somebody_watches(page):
    assert "4 files of 4 are not installed" in text_of(page, "#model-progress")

    press(page, "Download all that are missing")

    wait_for(page, lambda page: "downloading" in text_of(page, "#model-progress"))
    page.execute_script("window.isTheSamePage = true")
    first = text_of(page, "#model-progress")
    wait_for(page, lambda page: text_of(page, "#model-progress") != first)
    assert page.execute_script("return window.isTheSamePage")
    wait_for(page, lambda page: "All 4 files are intact" in text_of(page, "body"))
    wait_for(page, lambda page: "not installed" not in text_of(page, "#result_list"))
    assert all(state.is_installed for state in model_files.states())
    assert [entry["level"] for entry in page.get_log("browser")] == []


@pytest.mark.usefixtures("background")
def test_downloads_are_cancelled_while_they_are_watched(page):
    press(page, "Download all that are missing")
    wait_for(page, lambda page: "downloading" in text_of(page, "#model-progress"))

    press(page, "Cancel")

    wait_for(page, lambda page: "Nothing is being" in text_of(page, "#model-progress"))
    assert not any(state.is_installed for state in model_files.states())
