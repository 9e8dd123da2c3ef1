"""What browsers are told of our pages, and whether the pages work with it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import (
    presence_of_element_located,
)
from selenium.webdriver.support.ui import WebDriverWait

from dbupdates.published import CHECK_INTERVAL, get_to_know_feed
from stashsense.audit import ApiChange

BOUND_SECONDS = 30
PAGES = [
    "/",
    "/status",
    "/docs",
    "/admin/",
    "/admin/api-key/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/axes/accessattempt/",
    "/admin/stashsense/apichange/",
    "/admin/stashsense/preference/",
    "/admin/dbupdates/databaserelease/",
    "/admin/dbupdates/updaterun/",
    "/admin/recognition/modelfile/",
    "/admin/recommendations/recommendation/",
    "/admin/recommendations/analysisrun/",
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/health", "/queue", "/nothing", "/admin/login/"]
)
def test_every_answer_tells_browsers_what_it_permits(client, path):
    headers = client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.django_db
def test_cookies_are_for_https_alone_where_they_come_by_https(django_user_model):
    django_user_model.objects.create_superuser("owner", password="a long password")
    form = {"username": "owner", "password": "a long password"}

    plain = Client().post("/admin/login/", form).cookies
    safe = Client().post("/admin/login/", form, secure=True).cookies

    assert {*plain} == {*safe} == {"stash_sense_session", "stash_sense_csrf"}
    assert not any(cookie["secure"] for cookie in plain.values())
    assert all(cookie["secure"] for cookie in safe.values())
    for cookies in (plain, safe):
        assert cookies["stash_sense_session"]["httponly"]
        assert {cookie["samesite"] for cookie in cookies.values()} == {"Lax"}


@pytest.fixture
def signed_in(browser, live_server, admin_user, client):
    """A browser of the owner's; returns what opens a page and what it logged."""
    client.force_login(admin_user)
    browser.get(f"{live_server.url}/health")
    name = "stash_sense_session"
    browser.add_cookie({"name": name, "value": client.cookies[name].value})
    browser.get_log("browser")

    def open_page(path):
        browser.get(f"{live_server.url}{path}")
        return browser

    return open_page


def complaints(browser):
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_without_a_complaint(signed_in, path):
    browser = signed_in(path)

    wait = WebDriverWait(browser, BOUND_SECONDS, poll_frequency=0.1)
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "h1, h2.title"))
    assert complaints(browser) == []


@pytest.mark.browser
def test_the_api_can_be_tried_on_its_page(signed_in):
    browser = signed_in("/docs")
    wait = WebDriverWait(browser, BOUND_SECONDS, poll_frequency=0.1)

    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#operations-health-health"))
    browser.execute_script(
        "document.querySelector('#operations-health-health button').click()"
    )
    for button in (".try-out__btn", ".execute"):
        wait.until(presence_of_element_located((By.CSS_SELECTOR, button)))
        browser.execute_script(f"document.querySelector('{button}').click()")
    answered = ".live-responses-table tbody .response-col_status"
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, answered))

    assert "200" in browser.find_element(By.CSS_SELECTOR, answered).text
    assert complaints(browser) == []


@pytest.mark.browser
def test_what_a_page_was_not_meant_to_run_does_not_run(signed_in):
    browser = signed_in("/")

    browser.execute_script(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<img src=/nothing onerror=\"document.title = 1\">');"
        "const inline = document.createElement('script');"
        "inline.textContent = 'document.title = 2';"
        "document.body.append(inline)"
    )

    assert browser.title == "Stash Sense"
    assert any("Content Security Policy" in each for each in complaints(browser))


@pytest.mark.browser
def test_the_status_page_shows_what_was_changed(signed_in, live_server, admin_client):
    body = {"value": 40}
    admin_client.put("/settings/num_frames", body, content_type="application/json")

    browser = signed_in("/status")

    [row] = browser.find_elements(By.CSS_SELECTOR, "#changes tbody tr")
    assert "admin" in row.text
    assert "PUT /settings/num_frames" in row.text


@pytest.mark.django_db
def test_the_status_page_says_when_the_next_check_is_and_where_to_check_now(
    admin_client,
):
    due_at = timezone.localtime(get_to_know_feed().known_since + CHECK_INTERVAL)

    page = " ".join(admin_client.get("/status").content.decode().split())

    assert "Never checked for a newer one; next check at " in page
    assert f"next check at {due_at:%Y-%m-%d %H:%M}. <a href=" in page
    address = reverse("admin:dbupdates_databaserelease_changelist")
    assert f'<a href="{address}">Check now</a>' in page


@pytest.mark.django_db
@pytest.mark.parametrize("may_see", [True, False])
def test_who_changed_what_is_for_those_who_may_see_it(client, may_see):
    ApiChange.objects.keep(
        caller="key", method="PUT", path="/settings/planted", status=200, request_id="1"
    )
    person = User.objects.create_user("helper", is_staff=True)
    if may_see:
        person.user_permissions.add(Permission.objects.get(codename="view_apichange"))
    client.force_login(person)

    page = client.get("/status").content.decode()

    assert ("/settings/planted" in page) is may_see
    assert 'id="processes"' in page


@pytest.mark.django_db
def test_the_page_of_the_key_says_who_sends_it(admin_client):
    page = " ".join(admin_client.get("/admin/api-key/").content.decode().split())

    assert "Programs of your own send this key" in page
    assert "The Stash plugin needs none where Stash has a key" in page
