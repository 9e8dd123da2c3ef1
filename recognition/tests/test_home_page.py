"""The try-it page in a real browser."""

import pytest
from selenium.webdriver.common.by import By

from stashsense.tests.waiting import wait_for

pytestmark = pytest.mark.browser

DROP_FILE = """
const [name, type, bytes, eventType] = arguments;
const data = new DataTransfer();
data.items.add(new File([new Uint8Array(bytes)], name, {type}));
const init = {bubbles: true, cancelable: true};
document.dispatchEvent(eventType === "drop"
  ? new DragEvent("drop", {...init, dataTransfer: data})
  : new ClipboardEvent("paste", {...init, clipboardData: data}));
"""


@pytest.fixture
def page(browser, live_server, admin_user, client, served):
    """The home page, signed in."""
    client.force_login(admin_user)
    browser.get(f"{live_server.url}/health")
    name = "stash_sense_session"
    browser.add_cookie({"name": name, "value": client.cookies[name].value})
    browser.get(live_server.url)
    return browser


def faces_of(page):
    return page.find_elements(By.CSS_SELECTOR, "#faces > li")


def message_of(page):
    return page.find_element(By.ID, "message").text


def names(page):
    return [
        item.find_element(By.CLASS_NAME, "name").text
        for item in wait_for(page, faces_of)
    ]


def names_of(world, picture):
    by_id = {person.universal_id: person.name for person in world.people}
    return sorted(by_id[answer.universal_id] for answer in picture.answers)


@pytest.fixture
def group(served):
    pictures = served.known_pictures(12)
    return next(picture for picture in pictures if len(picture.answers) > 1)


def test_a_chosen_picture_gets_boxes_and_names(page, served, group, tmp_path):
    path = tmp_path / "group.jpg"
    path.write_bytes(group.jpeg)

    page.find_element(By.ID, "picture-file").send_keys(str(path))

    assert sorted(names(page)) == names_of(served.world, group)
    boxes = page.find_elements(By.CSS_SELECTOR, "#boxes g.is-known")
    assert len(boxes) == len(group.answers)
    figures = page.find_element(By.CSS_SELECTOR, "#faces .figures").text
    assert "confidence" in figures
    assert "distance" in figures
    assert "recognised" in message_of(page)
    bar = page.find_element(By.CSS_SELECTOR, "#faces .bar")
    filled = bar.find_element(By.TAG_NAME, "span")
    share = filled.size["width"] / bar.size["width"]
    # Whole pixels of a bar of some hundred, and a percentage without decimals.
    assert share == pytest.approx(int(figures.split()[1]) / 100, abs=0.015)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted(page, served, group, event):
    page.execute_script(DROP_FILE, "a.jpg", "image/jpeg", [*group.jpeg], event)

    assert sorted(names(page)) == names_of(served.world, group)


def test_boxes_lie_on_the_faces_as_displayed(page, group):
    page.execute_script(DROP_FILE, "a.jpg", "image/jpeg", [*group.jpeg], "drop")
    wait_for(page, faces_of)

    image = page.find_element(By.ID, "picture-image").rect
    drawn = [box.rect for box in page.find_elements(By.CSS_SELECTOR, "#boxes rect")]
    scale = page.execute_script(
        "const i = document.getElementById('picture-image');"
        "return i.clientWidth / i.naturalWidth"
    )
    centres = sorted(box["x"] + box["width"] / 2 - image["x"] for box in drawn)
    expected = sorted(
        scale * (answer.left + answer.right) / 2 for answer in group.answers
    )
    # A tenth of the picture's width is far less than the distance between two heads.
    assert centres == pytest.approx(expected, abs=image["width"] / 10)


def test_a_file_that_is_no_picture_gets_a_sentence(page):
    page.execute_script(DROP_FILE, "a.txt", "text/plain", [104, 105], "drop")

    wait_for(page, lambda page: "is-error" in message_class(page))
    assert message_of(page).endswith(".")
    assert not page.find_element(By.ID, "result").is_displayed()


def message_class(page):
    return page.find_element(By.ID, "message").get_attribute("class")


def test_the_page_says_which_release_is_served(page, served):
    version = page.find_element(By.ID, "release-version").text

    assert version == served.release.version


def test_nothing_on_the_page_comes_from_elsewhere_or_fails(page, live_server):
    addresses = page.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )

    assert addresses
    assert all(address.startswith(live_server.url) for address in addresses)
    assert [
        entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"
    ] == []
