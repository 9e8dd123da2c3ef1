"""Names, aliases, titles and addresses that somebody wrote to do harm, in every list.

Nothing of them may run, nor break a page: whoever edits a stash-box, or names a file,
writes into the origin of Stash.
"""

import itertools

import pytest

from plugin.tests.tidying import Tidying
from recommendations.analyzers import ANALYZERS

pytestmark = pytest.mark.browser

ROUTE = "/plugins/stash-sense"
MARK = "window.hostileHasRun=1"
HOSTILE = (
    f"<script>{MARK}</script>",
    f"<img src=x onerror={MARK}>",
    f'"><svg onload="{MARK}">',
    f"' onmouseover='{MARK}' x='",
    f"javascript:{MARK}",
    f"</option></select><iframe srcdoc='<script>parent.{MARK[7:]}</script>'>",
    "{{constructor.constructor('" + MARK.replace("'", "") + "')()}}",
    "{count, plural, one {#} other {<b>#</b>}} ${" + MARK + "}",
    "\u202edlrow olleh\u202c \u0645\u0631\u062d\u0628\u0627",
    "😈👩‍👩‍👧‍👦 \u0000".replace("\u0000", "") + "\u200b\ufeff",
    "W" * 10_000,
)
ADDRESSES = (
    f"javascript:{MARK}",
    f" java\nscript:{MARK}",
    f"data:text/html,<script>{MARK}</script>",
    f"vbscript:{MARK}",
    "https://example.org/" + "a" * 10_000,
    f'https://example.org/"onclick="{MARK}',
)


@pytest.fixture
def planted(sense):
    """Everything that can be named is named so, here and at the stash-box."""
    tidying = Tidying(sense)
    for plant in (
        tidying.two_performers_who_are_one,
        tidying.a_scene_of_two_files,
        tidying.a_scene_twice,
        tidying.a_performer_changed_upstream,
        tidying.a_tag_changed_upstream,
        tidying.a_studio_changed_upstream,
        tidying.a_scene_changed_upstream,
        tidying.a_scene_known_there,
    ):
        plant()
    texts = itertools.cycle(HOSTILE)
    library, box = tidying.library, tidying.box
    with library.lock:
        for performer in library.performers.values():
            performer.name = next(texts)
            performer.disambiguation = next(texts)
            performer.alias_list = [next(texts), next(texts)]
            performer.urls = [*ADDRESSES]
        for scene in library.scenes.values():
            scene.title, scene.details = next(texts), next(texts)
            scene.urls = [*ADDRESSES]
        for tag in library.tags.values():
            tag.name = next(texts)
        for studio in library.studios.values():
            studio.name = next(texts)
    # There every second one, so that a name differs from the library's.
    next(texts)
    for person in box.performers.values():
        person.name, person.aliases = next(texts), [next(texts)]
    for kind in (box.tags.values(), box.studios.values()):
        for theirs in kind:
            theirs.name, theirs.aliases = next(texts), [next(texts)]
    for upstream in box.scenes.values():
        upstream.title, upstream.details = next(texts), next(texts)
    tidying.people_seen_in_a_scene()
    tidying.a_link_missing()
    return tidying


def assert_harmless(page):
    """Nothing has run, nothing leads there, nothing is wider than the window."""
    facts = page.run(
        "return {"
        "  ran: window.hostileHasRun,"
        "  leads: [...document.querySelectorAll('[href], [src]')]"
        "    .map(each => each.getAttribute('href') ?? each.getAttribute('src'))"
        "    .filter(each => /^\\s*(java\\s*script|vbscript|data:text)/i.test(each)),"
        "  planted: document.querySelectorAll('#root script, #root iframe, "
        "    .modal script, .modal iframe, [onerror], [onload], [onmouseover], "
        "    [onclick]').length,"
        "  tooWide: document.documentElement.scrollWidth - window.innerWidth,"
        "}"
    )
    assert facts == {
        "ran": None, "leads": [], "planted": 0, "tooWide": facts["tooWide"],
    }  # fmt: skip
    assert facts["tooWide"] <= 0
    assert not page.find_all(".stash-sense-part-problem")


def test_lists_and_pages_of_recommendations_show_hostile_texts_as_texts(
    stash_page, planted, sense
):
    written = ("unidentified_scenes", "missing_stash_box_link")
    for analyzer in ANALYZERS:
        if analyzer.type not in written:
            assert planted.find(analyzer.type), analyzer.type
    everything = sense.service.ask("GET", "/recommendations?limit=500")[1]
    first_of_type = {each["type"]: each["id"] for each in everything["recommendations"]}
    assert set(first_of_type) == {analyzer.type for analyzer in ANALYZERS}

    stash_page.open(f"{ROUTE}/recommendations")
    stash_page.find(".stash-sense li a")
    assert_harmless(stash_page)
    for type, id in first_of_type.items():
        stash_page.open(f"{ROUTE}/recommendations?type={type}")
        stash_page.find(".stash-sense li a")
        assert_harmless(stash_page)
        stash_page.open(f"{ROUTE}/recommendations/{id}")
        stash_page.find_labelled("Dismiss…")
        stash_page.wait(
            lambda: not stash_page.has("[role=status] .spinner-border"), "it is busy"
        )
        assert_harmless(stash_page)
        stash_page.be_a_phone()
        assert_harmless(stash_page)
        stash_page.browser.set_window_size(1280, 900)


def test_people_in_a_scene_and_in_a_gallery_with_hostile_names(
    stash_page, planted, sense
):
    sense.service.ask("POST", "/identify/scene", {"scene_id": "1"})
    sense.service.ask("POST", "/identify/gallery", {"gallery_id": "1"})

    stash_page.open("/scenes/1")
    stash_page.press("Faces")
    stash_page.find(".stash-sense-face")
    assert_harmless(stash_page)
    stash_page.open("/galleries/1")
    stash_page.press("Who is in it?")
    stash_page.find(".modal-dialog .stash-sense-face")
    assert_harmless(stash_page)


def test_unknown_people_and_searches_with_hostile_names(stash_page, planted, sense):
    ask = sense.service.ask
    # A stranger is among its pictures.
    ask("POST", "/identify/gallery", {"gallery_id": "1"})
    ask("POST", "/identify/unknown/regroup")
    sense.service.wait_until(
        lambda: ask("GET", "/identify/unknown?include_single=true")[1]["total"] > 0,
        "a group",
    )
    group = ask("GET", "/identify/unknown?include_single=true")[1]["groups"][0]
    stash_page.open(f"{ROUTE}/people/{group['group_id']}")
    stash_page.press("Say who it is")

    stash_page.fill("A performer of this Stash", "script")
    stash_page.find(".stash-sense-found button")
    assert_harmless(stash_page)
    stash_page.fill("A performer of this Stash", "")
    stash_page.fill("or a mere name", HOSTILE[1], within=".modal-dialog")
    stash_page.press("Say who it is", within=".modal-dialog")
    stash_page.wait_for_text(HOSTILE[1], within="h2")

    assert_harmless(stash_page)
    stash_page.open(f"{ROUTE}/people?state=named&single=true")
    stash_page.wait_for_text(HOSTILE[1])
    assert_harmless(stash_page)


def test_notes_and_refusals_with_hostile_texts(stash_page, harness, sense):
    sense.publish_newer_release(notes="\n".join(HOSTILE))
    stash_page.open(ROUTE)
    stash_page.click("button.stash-sense-update")
    stash_page.wait_for_text(HOSTILE[0], within=".modal-dialog")
    assert_harmless(stash_page)

    harness.configure("stash-sense", sidecarUrl=f"http://127.0.0.1:9/{HOSTILE[1]}")
    stash_page.open(ROUTE)
    stash_page.find(".stash-sense-problem")
    assert_harmless(stash_page)


@pytest.mark.usefixtures("planted", "library")
def test_operations_settings_and_figures_with_hostile_texts(stash_page, sense):
    ask = sense.service.ask
    for box in sense.library.stash_boxes:
        box.name = HOSTILE[1]
    ask("POST", "/system/refresh-stashbox-config")
    sense.library.scenes["1"].performer_ids = ["1"]
    ask("POST", "/identify/scene", {"scene_id": "1"})
    ask("POST", "/identify/evaluation", {})
    ask("POST", "/identify/scene", {"scene_id": "2"})
    sense.service.wait_until(
        lambda: ask("GET", "/identify/evaluation")[1]["state"] == "complete", "figures"
    )
    texts = HOSTILE[0].replace("'", "''")
    sense.service.change_rows(
        "UPDATE recognition_fingerprint SET attempt_count = 2, "
        f"error = '{texts}' WHERE stash_id = 2"
    )

    stash_page.open(f"{ROUTE}/operations")
    stash_page.wait_for_text(HOSTILE[0])
    assert_harmless(stash_page)
    stash_page.open(f"{ROUTE}/settings")
    stash_page.wait_for_text(HOSTILE[1], within=".stash-sense-boxes")
    assert_harmless(stash_page)
    stash_page.open(f"{ROUTE}/quality")
    stash_page.find(".stash-sense-reviews li")
    assert_harmless(stash_page)
