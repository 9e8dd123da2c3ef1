"""A browser on a page of the harness: finding, waiting, pictures of it."""

import os
import threading
from collections.abc import Callable
from typing import Any

from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from plugin.tests.harness.server import HarnessServer
from stashsense import env
from stashsense.data_folder import ROOT

# The machine may be busy; an inference of a scene takes seconds.
BOUND_SECONDS = 180
PICTURES_DIR = ROOT / "docs" / "images" / "plugin"
OTHER_PICTURES_DIR = ROOT / "data" / "plugin-pictures"
PICTURES_VARIABLE = "STASH_SENSE_PLUGIN_PICTURES"
_PHONE_PX = (390, 844)
# The overview asks for some things every 5 s.
_SILENCE_SECONDS = 7


class StashPage:
    """What a person sees and does. Everything that looks waits until it is there."""

    def __init__(self, browser: WebDriver, harness: HarnessServer) -> None:
        self.browser = browser
        self.harness = harness

    def open(self, path: str) -> "StashPage":
        """Load a page anew, as somebody who comes from outside."""
        self.browser.get(f"{self.harness.url}{path}")
        self.find("#root > *")
        return self

    def go(self, path: str) -> "StashPage":
        """Go there as a link of the page does, without a load."""
        self.browser.execute_script(
            "window.history.pushState({}, '', arguments[0]);"
            "window.dispatchEvent(new PopStateEvent('popstate', { state: {} }));",
            path,
        )
        return self

    def wait(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Look until the condition holds; return what it gave."""
        patience = WebDriverWait(
            self.browser,
            BOUND_SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[StaleElementReferenceException, NoSuchElementException],
        )
        try:
            return patience.until(lambda _: condition(), what)
        except TimeoutException as error:
            shown = self.browser.find_element(By.TAG_NAME, "body").text
            raise AssertionError(f"{what}; the page says:\n{shown}") from error

    def wait_for_silence(self, count: Callable[[], int]) -> int:
        """Return the count once it has stayed the same for longer than any polling."""
        pause = threading.Event()
        seen = -1
        while seen != (seen := count()):
            pause.wait(_SILENCE_SECONDS)
        return seen

    def find(self, selector: str) -> WebElement:
        """Return the first element of a CSS selector that is shown."""

        def shown() -> WebElement | None:
            found = self.browser.find_elements(By.CSS_SELECTOR, selector)
            return next((each for each in found if each.is_displayed()), None)

        element: WebElement = self.wait(shown, f"nothing is shown at {selector}")
        return element

    def find_all(self, selector: str) -> list[WebElement]:
        """Return what there is now, which may be nothing."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def has(self, selector: str) -> bool:
        return bool(self.find_all(selector))

    def find_labelled(self, label: str, *, within: str = "body") -> WebElement:
        """Return the control or link that says so, or is labelled so."""
        quoted = _quoted(label)
        path = (
            ".//*[self::button or self::a or self::input or self::select or "
            "self::textarea or @role='tab' or @role='button'][normalize-space()="
            f"{quoted} or @aria-label={quoted} or @title={quoted} or @value={quoted}"
            f" or @id=//label[normalize-space()={quoted}]/@for or "
            f"ancestor::label[normalize-space()={quoted}]]"
        )

        def shown() -> WebElement | None:
            places = self.browser.find_elements(By.CSS_SELECTOR, within)
            found = [e for place in places for e in place.find_elements(By.XPATH, path)]
            return next((each for each in found if each.is_displayed()), None)

        element: WebElement = self.wait(shown, f"nothing is labelled {label}")
        return element

    def click(self, selector: str) -> None:
        self._click(lambda: self.find(selector))

    def press(self, label: str, *, within: str = "body") -> None:
        """Click what is labelled so."""
        self._click(lambda: self.find_labelled(label, within=within))

    def _click(self, find: Callable[[], WebElement]) -> None:
        def clicked() -> bool:
            element = find()
            if not element.is_enabled():
                return False
            self.browser.execute_script(
                "arguments[0].scrollIntoView({ block: 'center' })", element
            )
            element.click()
            return True

        self.wait(clicked, "nothing could be clicked")

    def scroll_to(self, selector: str) -> None:
        """Bring the first of these into the middle of the window."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", self.find(selector))

    def flip(self, selector: str) -> None:
        """Flip a switch; Bootstrap hides its checkbox behind what it draws."""

        def is_ready() -> bool:
            found = self.browser.find_elements(By.CSS_SELECTOR, selector)
            return bool(found) and found[0].is_enabled()

        self.wait(is_ready, f"nothing can be flipped at {selector}")
        self.run("document.querySelector(arguments[0]).click()", selector)

    def fill(self, label: str, text: str, *, within: str = "body") -> None:
        """Put a text into the field of that label, as somebody at the keyboard does.

        WebDriver's own clear() sets the value behind React's back, which puts the old
        one back when it draws the field again.
        """
        field = self.find_labelled(label, within=within)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE)
        field.send_keys(text)

    def wait_for_text(self, text: str, *, within: str = "body") -> None:
        self.wait(
            lambda: any(text in each.text for each in self.find_all(within)),
            f"{text} is nowhere in {within}",
        )

    def text_of(self, selector: str) -> str:
        return self.find(selector).text

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what JavaScript returns."""
        return self.browser.execute_script(script, *arguments)

    def be_a_phone(self) -> None:
        """Have a narrow window until the test ends."""
        self.browser.set_window_size(*_PHONE_PX)

    def path(self) -> str:
        """Return the page's address without the server."""
        return self.browser.current_url.removeprefix(self.harness.url)

    def take_picture(self, name: str) -> None:
        """Write the window to a picture, if the environment asks for it.

        It is asked for with STASH_SENSE_PLUGIN_PICTURES=true. Where a page shows the
        picture it is made anew; the others are for whoever works at the plugin.
        """
        if env.boolean(PICTURES_VARIABLE, default=False):
            is_shown = (PICTURES_DIR / f"{name}.png").exists()
            folder = PICTURES_DIR if is_shown else OTHER_PICTURES_DIR
            folder.mkdir(parents=True, exist_ok=True)
            self.browser.save_screenshot(os.fspath(folder / f"{name}.png"))

    def console_errors(self) -> list[str]:
        """Return what the browser complained of since it was last asked."""
        return [
            f"{entry['level']}: {entry['message']}"
            for entry in self.browser.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]


def _quoted(text: str) -> str:
    """Return an XPath literal."""
    if '"' not in text:
        return f'"{text}"'
    parts = ", '\"', ".join(f'"{part}"' for part in text.split('"'))
    return f"concat({parts})"
