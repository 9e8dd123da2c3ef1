"""Parts of the pages that say who is in it, as tests find them."""

from selenium.webdriver.common.by import By

TAB = ".stash-sense-tab"
DIALOG = ".stash-sense-dialog"
PERSON = ".stash-sense-who-person"
NOTE = ".stash-sense-who-note"
# Whom the tiny library shows in its first scene; only the first is tagged there.
SARA, NOFINA, ELA = "Sara Umberridge", "Nofina Elderdale", "Ela Larkshaw"
PLUGIN = "stash-sense"


def open_tab(page, scene_id=1):
    page.open(f"/scenes/{scene_id}")
    page.press("Faces")
    page.find(TAB)


def open_dialog(page, path):
    page.open(path)
    page.press("Who is in it?")
    page.find(DIALOG)


def card(page, name):
    """Return what is said of a person, once they are shown by that name."""

    def found():
        for each in page.find_all(PERSON):
            if each.find_element(By.CSS_SELECTOR, "h3").text == name:
                return each
        return None

    return page.wait(found, f"nobody is called {name}")


def names(page):
    headings = page.find_all(f"{PERSON} h3")
    return [each.text for each in headings]


def focused(page):
    return page.run("return document.activeElement.textContent.trim()")


def count_additions(sense):
    """Return how often Stash was asked to add somebody, in all tests so far."""
    queries = [each.query or "" for each in sense.stash.requests]
    return sum("performer_ids: $performers" in query for query in queries)
