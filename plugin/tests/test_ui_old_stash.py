"""Older versions of Stash: what they offer plugins is used, and no more than that."""

import pytest

pytestmark = pytest.mark.browser

BUTTON = ".stash-sense-who-button"
NOTICE = "Stash Sense needs a newer Stash"


def test_a_stash_that_is_too_old_is_told_so_everywhere(stash_page, sense, harness):
    sense.stash.version = "0.27.2"

    stash_page.open("/plugins/stash-sense")
    stash_page.wait_for_text(NOTICE)
    stash_page.wait_for_text("This is Stash v0.27.2")
    stash_page.open("/images/1")
    stash_page.click(BUTTON)
    stash_page.wait_for_text(NOTICE, within=".modal-dialog")

    assert harness.asked == []


@pytest.mark.parametrize("version", ["0.28.1", "0.29.3"])
def test_a_gallery_has_its_button_in_the_bar_where_its_page_lets_nobody_in(
    stash_page, sense, version
):
    sense.stash.version = version

    stash_page.open("/galleries/1")
    stash_page.find(f"nav {BUTTON}")
    stash_page.click(BUTTON)
    stash_page.wait_for_text("Who is in this gallery?", within=".modal-dialog")

    stash_page.open("/scenes/1")
    stash_page.press("Faces")
    stash_page.find(".stash-sense-tab")
    assert stash_page.find_all(BUTTON) == []


def test_a_gallery_has_one_button_where_its_page_lets_plugins_in(stash_page, sense):
    sense.stash.version = "0.30.1"

    stash_page.open("/galleries/1")
    stash_page.find(BUTTON)

    assert len(stash_page.find_all(BUTTON)) == 1
    assert stash_page.find_all(f"nav {BUTTON}") == []
