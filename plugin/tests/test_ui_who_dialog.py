"""Who is in it: the dialog of images and galleries."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from demo.stash.server import Faults
from plugin.tests.who_pages import (
    DIALOG,
    NOFINA,
    NOTE,
    PERSON,
    SARA,
    card,
    focused,
    open_dialog,
)

pytestmark = pytest.mark.browser


def test_a_gallery_is_identified_and_people_are_added_to_its_images_too(
    stash_page, library
):
    open_dialog(stash_page, "/galleries/1")

    stash_page.press("Identify", within=DIALOG)
    stash_page.find_labelled(f"Add to gallery: {NOFINA}", within=DIALOG)
    on = card(stash_page, NOFINA).find_elements(
        By.CSS_SELECTOR, ".stash-sense-who-images a"
    )
    image_ids = [each.get_attribute("href").rpartition("/")[2] for each in on]
    stash_page.find(f"{PERSON} .stash-sense-face img")
    stash_page.take_picture("who-gallery")
    card(stash_page, NOFINA).find_element(By.CSS_SELECTOR, "input").click()
    stash_page.press(f"Add to gallery: {NOFINA}", within=DIALOG)

    stash_page.wait_for_text(f"{NOFINA} is in this gallery now.", within=NOTE)
    assert library.galleries["1"].performer_ids == ["2"]
    tagged = [i for i, image in library.images.items() if "2" in image.performer_ids]
    assert tagged == image_ids
    assert len(tagged) == 2


def test_images_that_stash_refuses_are_told_and_tried_again(stash_page, sense, library):
    open_dialog(stash_page, "/galleries/1")
    stash_page.press("Identify", within=DIALOG)
    stash_page.find_labelled(f"Add to gallery: {NOFINA}", within=DIALOG)
    card(stash_page, NOFINA).find_element(By.CSS_SELECTOR, "input").click()
    sense.stash.faults = Faults(meanwhile={"StashSenseAddToImages": lambda: "locked"})

    stash_page.press(f"Add to gallery: {NOFINA}", within=DIALOG)
    stash_page.wait_for_text("locked", within=DIALOG)
    assert library.galleries["1"].performer_ids == []
    sense.stash.faults = Faults()
    stash_page.press(f"Add to gallery: {NOFINA}", within=DIALOG)

    stash_page.wait_for_text(f"{NOFINA} is in this gallery now.", within=NOTE)
    tagged = [i for i, image in library.images.items() if "2" in image.performer_ids]
    assert len(tagged) == 2
    # What went wrong stands in the console, too.
    stash_page.console_errors()


def test_who_is_in_the_gallery_is_added_to_its_images(stash_page, library):
    library.galleries["1"].performer_ids = ["2"]
    open_dialog(stash_page, "/galleries/1")
    stash_page.press("Identify", within=DIALOG)

    stash_page.press(f"Add to the 2 single images they are on: {NOFINA}", within=DIALOG)

    stash_page.wait_for_text("in the 2 images they are on now", within=NOTE)
    tagged = [i for i, image in library.images.items() if "2" in image.performer_ids]
    assert len(tagged) == 2
    assert library.galleries["1"].performer_ids == ["2"]


def test_an_image_is_identified_and_the_button_has_the_focus_afterwards(
    stash_page, library
):
    library.images["5"].performer_ids = []
    open_dialog(stash_page, "/images/5")

    stash_page.press("Identify", within=DIALOG)
    stash_page.press(f"Add to image: {SARA}", within=DIALOG)

    stash_page.wait_for_text(f"{SARA} is in this image now.", within=NOTE)
    assert library.images["5"].performer_ids == ["1"]
    stash_page.take_picture("who-image")
    stash_page.find(DIALOG).send_keys(Keys.ESCAPE)
    stash_page.wait(lambda: not stash_page.has(DIALOG))
    assert focused(stash_page) == "Who is in it?"
    stash_page.wait_for_text(SARA, within=".details .performers")
