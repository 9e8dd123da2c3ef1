"""Unknown people, and how good names are: from scenes that were really looked at."""

import pytest

pytestmark = pytest.mark.browser

PEOPLE = "/plugins/stash-sense/people"
QUALITY = "/plugins/stash-sense/quality"


@pytest.fixture
def stranger(sense):
    """Somebody unknown whom the scene and the gallery show; the number of the group."""
    ask = sense.service.ask
    assert ask("POST", "/identify/scene", {"scene_id": "2"})[0] == 200
    assert ask("POST", "/identify/gallery", {"gallery_id": "1"})[0] == 200
    # So small a world takes the stranger of the scene for one of its few people.
    here = {performer.name for performer in sense.library.performers.values()}
    [mistaken] = [
        person
        for person in ask("GET", "/recommendations/fingerprints/scene/2")[1]["persons"]
        if person["best_match"] and person["best_match"]["name"] not in here
    ]
    rejected = {
        "kind": "scene",
        "stash_id": 2,
        "person_id": mistaken["person_id"],
        "verdict": "reject",
        "universal_id": mistaken["best_match"]["universal_id"],
    }
    assert ask("POST", "/identify/corrections", rejected)[0] == 201
    ask("POST", "/identify/unknown/regroup")
    sense.service.wait_until(
        lambda: ask("GET", "/identify/unknown")[1]["total"] == 1, "a group"
    )
    return ask("GET", "/identify/unknown")[1]["groups"][0]["group_id"]


def group_of(sense, number):
    return sense.service.ask("GET", f"/identify/unknown/{number}")[1]


def test_somebody_unknown_gets_a_name_and_loses_it_again(stash_page, sense, stranger):
    stash_page.open(PEOPLE)
    stash_page.wait_for_text("in 2 scenes or galleries")
    stash_page.find(".stash-sense-faces img")
    stash_page.take_picture("people")
    stash_page.click(".stash-sense-faces a")
    stash_page.wait_for_text("Scene 2")
    stash_page.wait(lambda: len(stash_page.find_all(".stash-sense-faces img")) == 2)
    stash_page.take_picture("person")

    stash_page.press("Say who it is")
    stash_page.fill("or a mere name", "The Neighbour", within=".modal-dialog")
    stash_page.press("Say who it is", within=".modal-dialog")

    stash_page.wait_for_text("The Neighbour", within="h2")
    assert group_of(sense, stranger)["state"] == "named"
    stash_page.press("Undo what was decided last")
    stash_page.wait_for_text("Unknown person", within="h2")
    assert group_of(sense, stranger)["state"] == "open"


def test_somebody_is_named_by_a_performer_who_was_searched(stash_page, sense, stranger):
    performer = sense.library.performers["4"]
    stash_page.open(f"{PEOPLE}/{stranger}")
    stash_page.press("Say who it is")

    stash_page.fill("A performer of this Stash", performer.name[:5])
    stash_page.click(".stash-sense-found button")
    stash_page.press("Say who it is", within=".modal-dialog")

    stash_page.wait(
        lambda: group_of(sense, stranger)["local_performer_id"] == "4", "no name"
    )


def test_one_of_the_faces_is_somebody_else_and_then_is_not(stash_page, sense, stranger):
    stash_page.open(f"{PEOPLE}/{stranger}")
    stash_page.press("Somebody else", within=".stash-sense-faces")
    stash_page.press("Somebody else (1)")
    stash_page.wait(lambda: group_of(sense, stranger)["member_count"] == 1, "not split")

    stash_page.open(f"{PEOPLE}?single=true")
    stash_page.wait(
        lambda: len(stash_page.find_all(".stash-sense-faces input")) == 2, "not two"
    )
    for box in stash_page.find_all(".stash-sense-faces input"):
        box.click()
    stash_page.press("These are one person")
    stash_page.wait_for_text("in 2 scenes or galleries")
    stash_page.press("Undo")

    stash_page.wait(
        lambda: len(stash_page.find_all(".stash-sense-faces input")) == 2, "one"
    )


def test_somebody_is_ignored_and_not_listed_any_more(stash_page, sense, stranger):
    stash_page.open(f"{PEOPLE}/{stranger}")
    stash_page.press("Ignore")
    stash_page.press("Ignore", within=".modal-dialog")

    stash_page.wait_for_text("There is no unknown person")
    assert group_of(sense, stranger)["state"] == "ignored"


def test_nobody_is_unknown_where_nothing_was_looked_at(stash_page):
    stash_page.open(PEOPLE)

    stash_page.wait_for_text("There is no unknown person")


@pytest.mark.usefixtures("library")
def test_names_are_evaluated_shown_and_reviewed(stash_page, sense):
    sense.service.ask("POST", "/identify/scene", {"scene_id": "1"})
    stash_page.open(QUALITY)
    stash_page.wait_for_text("Nothing was evaluated yet.")

    stash_page.press("Evaluate")

    # One of the two in the scene is tagged: the other's name is reviewed.
    stash_page.wait_for_text("Evaluated", within=".stash-sense-quality")
    stash_page.wait_for_text("Template", within=".stash-sense-table")
    # The face is asked for when it is scrolled to.
    stash_page.scroll_to(".stash-sense-reviews")
    stash_page.find(".stash-sense-reviews img")
    stash_page.scroll_to("h2")
    stash_page.take_picture("quality")
    stash_page.press("Right, the tag is missing")
    stash_page.find(".stash-sense-reviews [aria-pressed='true']")
    report = sense.service.ask("GET", "/identify/evaluation")[1]
    assert {mode["strict"]["precision"]["value"] for mode in report["modes"]} == {1}
