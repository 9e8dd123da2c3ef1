"""Settings: values, networks, stash-boxes, followed fields."""

import pytest

pytestmark = pytest.mark.browser

ROUTE = "/plugins/stash-sense/settings"
FRAMES = "#stash-sense-setting-num_frames"


def frames(sense):
    return sense.service.ask("GET", "/settings/num_frames")[1]


def type_frames(page, text):
    field = page.find(FRAMES)
    # A field of numbers is not emptied by `clear` where the page keeps what it holds.
    field.send_keys("\b" * 6 + text)
    field.submit()


def test_a_value_is_chosen_kept_and_reset(stash_page, sense):
    stash_page.open(ROUTE)
    type_frames(stash_page, "44")
    stash_page.wait(lambda: frames(sense)["value"] == 44, "it is not kept")
    stash_page.take_picture("settings")

    stash_page.press("Reset Frames of a scene")

    stash_page.wait(lambda: not frames(sense)["is_override"], "it is not reset")
    fallback = str(frames(sense)["default"])
    stash_page.wait(
        lambda: stash_page.find(FRAMES).get_attribute("value") == fallback,
        "the field shows another",
    )


def test_a_value_that_may_not_be_is_told_and_stays_in_the_field(stash_page, sense):
    stash_page.open(ROUTE)
    field = stash_page.find(FRAMES)
    # The browser would not send it: somebody may have an older page.
    stash_page.run("arguments[0].removeAttribute('max')", field)

    type_frames(stash_page, "5000")

    stash_page.wait_for_text("200", within=".stash-sense-setting .stash-sense-problem")
    assert stash_page.find(FRAMES).get_attribute("value") == "5000"
    assert not frames(sense)["is_override"]


def test_switching_off_what_erases_is_asked_about_first(stash_page, sense):
    key = "local_performers_enabled"
    sense.service.ask("PUT", f"/settings/{key}", {"value": True})
    stash_page.open(ROUTE)

    stash_page.flip(f"#stash-sense-setting-{key}")
    stash_page.press("Cancel", within=".modal-dialog")
    assert sense.service.ask("GET", f"/settings/{key}")[1]["value"] is True

    stash_page.wait(lambda: not stash_page.has(".modal-dialog"), "it stays")
    stash_page.flip(f"#stash-sense-setting-{key}")
    stash_page.press("Switch off and erase", within=".modal-dialog")
    stash_page.wait(
        lambda: sense.service.ask("GET", f"/settings/{key}")[1]["value"] is False,
        "it is on",
    )


def test_a_stash_box_is_disabled_and_enabled(stash_page, sense):
    def disabled():
        answer = sense.service.ask("GET", "/settings/endpoint-priorities")[1]
        return [each["endpoint"] for each in answer["disabled"]]

    stash_page.open(ROUTE)
    stash_page.press("Disable", within=".stash-sense-boxes")
    stash_page.press("Disable", within=".modal-dialog")
    stash_page.wait(disabled, "none is disabled")

    stash_page.press("Enable", within=".stash-sense-boxes")

    stash_page.wait(lambda: disabled() == [], "it is not asked again")


def test_a_field_is_not_followed_any_more(stash_page, sense):
    stash_page.open(ROUTE)

    stash_page.flip("#stash-sense-field-performer-aliases")

    def is_off():
        [field] = stash_page.find_all("#stash-sense-field-performer-aliases")
        return field.is_enabled() and not field.is_selected()

    stash_page.wait(is_off, "it is followed")


def test_a_network_that_cannot_be_had_says_why(stash_page):
    stash_page.open(ROUTE)

    stash_page.press("Download: tattoo_yolov5s")

    stash_page.wait_for_text("404", within=".stash-sense-table")
