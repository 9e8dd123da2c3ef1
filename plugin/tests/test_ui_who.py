"""Who is in it: the tab of scenes."""

import json

import pytest
from selenium.webdriver.common.by import By

from demo.stash.library import StashId
from demo.stash.server import Faults
from demo.stashbox.joining import STASHDB
from plugin.tests.who_pages import (
    DIALOG,
    ELA,
    NOFINA,
    NOTE,
    PERSON,
    PLUGIN,
    SARA,
    TAB,
    card,
    count_additions,
    focused,
    names,
    open_tab,
)

pytestmark = pytest.mark.browser


# Identifying


def test_a_scene_is_identified_while_one_watches_and_a_person_is_added(
    stash_page, sense, library
):
    open_tab(stash_page)
    stash_page.wait_for_text("Nobody has looked at this scene yet", within=TAB)
    sense.stash.faults = Faults(only_paths="/scene/1/stream", bytes_per_second=20_000)

    stash_page.press("Identify", within=TAB)
    stash_page.wait_for_text("of 30 frames", within=TAB)
    stash_page.wait_for_text("Seen so far", within=TAB)
    stash_page.take_picture("who-progress")
    assert not stash_page.has(f"{TAB} .stash-sense-who-acting")
    stash_page.find_labelled("Identify again", within=TAB)
    stash_page.press(f"Add to scene: {NOFINA}")

    stash_page.wait_for_text(f"{NOFINA} is in this scene now.", within=NOTE)
    assert library.scenes["1"].performer_ids == ["1", "2"]
    assert "Already in this scene" in card(stash_page, NOFINA).text
    stash_page.wait(lambda: focused(stash_page) == NOFINA)
    stash_page.take_picture("who-scene")
    stash_page.press("Details")
    stash_page.wait_for_text(NOFINA, within=".details .performers")


def test_a_job_goes_on_while_nobody_looks_and_is_cancelled_later(
    stash_page, sense, library
):
    open_tab(stash_page)
    sense.stash.faults = Faults(only_paths="/scene/1/stream", bytes_per_second=2_000)
    stash_page.press("Identify", within=TAB)
    stash_page.find_labelled("Cancel", within=TAB)

    open_tab(stash_page)
    stash_page.press("Cancel", within=TAB)

    stash_page.wait_for_text("Cancelled", within=TAB)
    states = sense.service.rows("SELECT state FROM recognition_identificationjob")
    assert states == [("cancelled",)]
    stash_page.find_labelled("Identify", within=TAB)


def test_a_scene_that_cannot_be_played_says_why(stash_page, sense, library):
    open_tab(stash_page, 2)
    sense.stash.faults = Faults(only_paths="/scene/2/stream", status=404)

    stash_page.press("Identify", within=TAB)

    stash_page.wait_for_text("its file is gone", within=TAB)
    sense.stash.faults = Faults()
    stash_page.press("Try again", within=TAB)
    card(stash_page, ELA)
    # The browser's own player was refused the video, too.
    stash_page.console_errors()


def test_without_the_sidecar_the_page_stays_and_says_what_to_do(
    stash_page, sense, seen_scene
):
    open_tab(stash_page)
    card(stash_page, NOFINA)
    stash_page.harness.configure(PLUGIN, sidecarUrl="http://127.0.0.1:9")

    stash_page.press("Identify again", within=TAB)

    stash_page.wait_for_text("Is the sidecar running", within=TAB)
    assert NOFINA in names(stash_page)
    stash_page.harness.configure(PLUGIN, sidecarUrl=sense.url)
    stash_page.press("Try again", within=TAB)
    stash_page.find_labelled("Identify again", within=TAB)


# What is known


def test_who_is_in_the_scene_already_is_told_and_not_added_again(
    stash_page, seen_scene
):
    open_tab(stash_page)

    told = card(stash_page, SARA).text
    assert "Already in this scene" in told
    assert "Add to scene" not in told
    assert "% sure" in told
    assert "Add to scene" in card(stash_page, NOFINA).text


def test_a_moment_is_shown_in_the_player(stash_page, seen_scene):
    open_tab(stash_page)

    moment = card(stash_page, NOFINA).find_elements(
        By.CSS_SELECTOR, ".stash-sense-who-moment"
    )[-1]
    seconds = int(moment.text.split(":")[1])
    moment.click()

    at = "return document.querySelector('video').currentTime"
    stash_page.wait(lambda: seconds <= stash_page.run(at) < seconds + 1)


def test_candidates_unfold_with_a_picture_and_where_they_are_from(
    stash_page, boxed_scene, library
):
    del library.performers["2"]
    open_tab(stash_page)
    details = card(stash_page, NOFINA).find_element(By.CSS_SELECTOR, "details")

    details.find_element(By.CSS_SELECTOR, "summary").click()

    link = stash_page.find(".stash-sense-who-candidate a[target=_blank]")
    assert "/performers/c3816207" in link.get_attribute("href")
    stash_page.find(".stash-sense-who-candidate img")
    stash_page.wait_for_text("Japan", within=".stash-sense-who-candidate")


# Acting


def test_two_presses_add_once(stash_page, sense, seen_scene):
    open_tab(stash_page)
    stash_page.find_labelled(f"Add to scene: {NOFINA}")
    before = count_additions(sense)

    stash_page.run(
        "const b = [...document.querySelectorAll('button')]"
        ".find((each) => each.textContent.includes('Add to scene'));"
        "b.click(); b.click();"
    )

    stash_page.wait_for_text("is in this scene now", within=NOTE)
    assert count_additions(sense) == before + 1
    assert seen_scene.performer_ids == ["1", "2"]


def test_who_is_not_in_the_library_is_created_and_added(
    stash_page, boxed_scene, library
):
    del library.performers["2"]
    open_tab(stash_page)

    stash_page.press(f"Create from stash-box: {NOFINA}")
    stash_page.wait_for_text("As Drawn box tells of them", within=DIALOG)
    stash_page.wait_for_text("Female", within=DIALOG)
    stash_page.take_picture("who-create")
    assert "6" not in library.performers
    stash_page.press("Create and add to scene", within=DIALOG)

    stash_page.wait_for_text(f"{NOFINA} is in this scene now.", within=NOTE)
    assert library.performers["6"].name == NOFINA
    assert boxed_scene.performer_ids == ["1", "6"]
    assert "Already in this scene" in card(stash_page, NOFINA).text


def test_a_local_id_that_is_none_or_gone_keeps_nobody_else_unknown(
    stash_page, sense, seen_scene
):
    ids = ["local:77", "local:x", *[f"stashdb.org:none-{n}" for n in range(90)]]
    people = "recognition_fingerprintperson"
    named = f"SELECT id, candidates FROM {people} WHERE universal_id <> ''"
    for row_id, kept in sense.service.rows(named):
        best, *_ = json.loads(kept)
        proposed = json.dumps([best, *[{**best, "universal_id": each} for each in ids]])
        sense.service.change_rows(
            f"UPDATE {people} SET candidates = '{proposed}' WHERE id = {row_id}"
        )

    open_tab(stash_page)

    stash_page.find_labelled(f"Add to scene: {NOFINA}")
    assert "Already in this scene" in card(stash_page, SARA).text


def test_a_namesake_of_the_library_is_linked_in_place_of_creating_another(
    stash_page, boxed_scene, library
):
    library.performers["2"].stash_ids = []
    open_tab(stash_page)

    stash_page.press(f"Create from stash-box: {NOFINA}")
    stash_page.press(f"Link this one and add: {NOFINA}", within=DIALOG)

    stash_page.wait_for_text(f"{NOFINA} is in this scene now.", within=NOTE)
    [given] = library.performers["2"].stash_ids
    assert given.stash_id.startswith("c3816207")
    assert boxed_scene.performer_ids == ["1", "2"]
    assert set(library.performers) == {"1", "2", "3", "4", "5"}


def test_somebody_is_linked_with_a_performer_of_another_name(
    stash_page, seen_scene, library
):
    library.performers["2"].stash_ids = []
    library.performers["2"].name = "Nofi E."
    open_tab(stash_page)

    stash_page.press(f"Link to one of yours …: {NOFINA}")
    stash_page.fill("Search your performers", "Nofi E", within=DIALOG)
    stash_page.click(f"{DIALOG} .stash-sense-found-one")
    stash_page.take_picture("who-link")
    stash_page.press("Link and add to scene", within=DIALOG)

    stash_page.wait_for_text("Nofi E. is in this scene now.", within=NOTE)
    assert library.performers["2"].stash_ids[0].endpoint == STASHDB
    assert seen_scene.performer_ids == ["1", "2"]


def test_a_second_id_is_given_only_if_that_is_said(stash_page, seen_scene, library):
    library.performers["2"].stash_ids = [
        StashId(STASHDB, "11111111-2222-4333-8444-555555555555", "2025-01-01T00:00:00Z")
    ]
    open_tab(stash_page)
    stash_page.press(f"Link to one of yours …: {NOFINA}")
    stash_page.click(f"{DIALOG} .stash-sense-found-one")

    stash_page.press("Link and add to scene", within=DIALOG)
    stash_page.wait_for_text("has the id 11111111", within=DIALOG)
    assert seen_scene.performer_ids == ["1"]
    stash_page.press(f"{NOFINA} is to have both ids", within=DIALOG)
    stash_page.press("Link and add to scene", within=DIALOG)

    stash_page.wait_for_text("is in this scene now", within=NOTE)
    assert len(library.performers["2"].stash_ids) == 2


def test_all_known_are_added_at_once_and_created_if_one_says_so(
    stash_page, boxed_scene, library, sense
):
    del library.performers["2"]
    boxed_scene.performer_ids = []
    before = count_additions(sense)
    open_tab(stash_page)

    stash_page.press("Add all known (2)")
    stash_page.wait_for_text("will be created from stash-box", within=DIALOG)
    stash_page.take_picture("who-add-all")
    stash_page.find_labelled("Add one performer", within=DIALOG)
    stash_page.click(f"{DIALOG} input:not(:checked)")
    stash_page.press("Add 2 performers", within=DIALOG)

    stash_page.wait_for_text("2 performers were added to this scene.", within=NOTE)
    assert sorted(boxed_scene.performer_ids) == ["1", "6"]
    assert count_additions(sense) == before + 1
    assert not stash_page.has(f"{TAB} .stash-sense-who-acting button")


# Corrections


def test_a_correction_is_shown_at_once_and_taken_back(stash_page, sense, seen_scene):
    open_tab(stash_page)

    stash_page.press(f"Not this person: {NOFINA}")
    stash_page.wait_for_text(f"Not {NOFINA}.", within=NOTE)
    assert NOFINA not in names(stash_page)
    stash_page.take_picture("who-correction")
    stash_page.press(f"Undo: Not {NOFINA}.")

    card(stash_page, NOFINA)
    stash_page.wait_for_text(f"Taken back: Not {NOFINA}.", within=NOTE)
    stash_page.wait_for_text("One taken back", within=TAB)
    [(undone_at,)] = sense.service.rows("SELECT undone_at FROM recognition_correction")
    assert undone_at is not None


def test_somebody_is_named_by_a_performer_of_the_library(stash_page, seen_scene):
    open_tab(stash_page)
    stash_page.press(f"This is …: {NOFINA}")

    stash_page.fill("Search your performers", "Ela", within=DIALOG)
    stash_page.click(f"{DIALOG} .stash-sense-found-one")
    stash_page.press("This is them", within=DIALOG)

    stash_page.wait_for_text(f"This is {ELA}.", within=NOTE)
    assert "Add to scene" in card(stash_page, ELA).text
    stash_page.wait(lambda: focused(stash_page) == ELA)
    assert seen_scene.performer_ids == ["1"]


def test_who_is_ignored_is_not_proposed(stash_page, seen_scene):
    open_tab(stash_page)

    stash_page.press(f"Ignore: {NOFINA}")

    told = card(stash_page, "Ignored").text
    assert "Add to scene" not in told
    stash_page.find_labelled("Undo: Nobody to know: ignored.")


def test_people_who_were_matched_anew_meanwhile_are_not_corrected_by_an_old_number(
    stash_page, sense, seen_scene
):
    open_tab(stash_page)
    card(stash_page, NOFINA)
    kept = sense.service.ask("GET", "/recommendations/fingerprints/scene/1")[1]
    nofina = next(
        each
        for each in kept["persons"]
        if (each["best_match"] or {}).get("name") == NOFINA
    )
    about = {"kind": "scene", "stash_id": 1, "person_id": nofina["person_id"]}
    sense.service.ask("POST", "/identify/corrections", {**about, "verdict": "ignore"})

    stash_page.press(f"Not this person: {NOFINA}")

    stash_page.wait_for_text("Look again", within=NOTE)
    card(stash_page, "Ignored")
    verdicts = sense.service.rows("SELECT verdict FROM recognition_correction")
    assert verdicts == [("ignore",)]


# Whatever others wrote


HOSTILE = (
    '<img src=x onerror="window.bitten = 1">"\'><script>window.bitten = 1</script>'
    "‮ مرحبا 🦊 " + "x" * 10_000
)


def test_hostile_names_run_nothing_and_break_nothing_on_a_phone(
    stash_page, sense, seen_scene, library
):
    library.performers["2"].name = HOSTILE
    sense.service.change_rows(
        "UPDATE recognition_fingerprintperson SET name = '', candidates = "
        "REPLACE(candidates, 'Nofina Elderdale', '<img src=x onerror=alert(1)>')"
    )
    stash_page.be_a_phone()
    open_tab(stash_page)

    card(stash_page, SARA)
    stash_page.press("Add all known (1)")
    stash_page.wait_for_text("<script>", within=DIALOG)
    stash_page.press("Cancel", within=DIALOG)

    width = "document.documentElement.scrollWidth <= window.innerWidth"
    assert stash_page.run(f"return {width}")
    assert stash_page.run("return window.bitten === undefined")
    assert not stash_page.has(f"{TAB} img[src=x]")


def test_a_phone_shows_all_of_it(stash_page, seen_scene):
    stash_page.be_a_phone()
    open_tab(stash_page)

    stash_page.find_labelled(f"Add to scene: {NOFINA}")
    stash_page.wait(lambda: stash_page.has(f"{PERSON} .stash-sense-face img"))
    stash_page.run("document.querySelector('.stash-sense-tab').scrollIntoView()")
    stash_page.take_picture("who-phone")

    width = "document.documentElement.scrollWidth <= window.innerWidth"
    assert stash_page.run(f"return {width}")
