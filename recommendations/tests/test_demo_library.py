"""The library to try things with: each analysis finds some of what it looks for.

Its rows and its stash-box are those of `scripts/serve --demo-stash`; its people are
recognised as its answers have them, without a look at any picture.
"""

import pytest

from demo.install import DEFAULT_WORLD
from demo.stash.testing import StashServer, undrawn_library
from demo.stashbox.testing import (
    STASHDB,
    StashBoxServer,
    add_box,
    add_news,
    box_of_library,
)
from recommendations.models import Recommendation
from recommendations.run_types import all_run_types
from recommendations.tests.analyses import ask, ended
from recommendations.tests.fingerprints import SOMEBODY, person, seen
from stashsense.integrations import stashbox_connections

pytestmark = pytest.mark.django_db(transaction=True)

TYPES = sorted(name for name, run in all_run_types().items() if run.analyzer)


@pytest.fixture
def demo(settings, tmp_path):
    """The demo's library behind a Stash that knows the demo's stash-box."""
    settings.DATA_DIR = tmp_path
    library = undrawn_library(DEFAULT_WORLD)
    box = box_of_library(library, STASHDB)
    add_news(box, library, STASHDB)
    with StashServer(library) as stash, StashBoxServer(box) as server:
        settings.STASH_URL, settings.STASH_API_KEY = stash.url, ""
        add_box(library, server.endpoint, requests_per_minute=6000)
        stashbox_connections.forget()
        recognise(library)
        yield library
    stashbox_connections.forget()


def recognise(library):
    names = {each.universal_id: each.name for each in DEFAULT_WORLD.people}
    for scene_id, appearances in library.answers.items():
        ids = dict.fromkeys((each.universal_id, each.stranger) for each in appearances)
        people = [
            person(universal_id or SOMEBODY, names.get(universal_id, ""))
            for universal_id, _ in ids
        ]
        seen(scene_id, *people)


def found(type):
    """Return what a run finds, in the order of what it is about."""
    run = ended(ask(type))
    assert run.state == "completed", run.note
    rows = Recommendation.objects.filter(type=type)
    return sorted(rows, key=lambda row: row.target_id)


def fields(row):
    return {each["field"] for each in row.details["changes"]}


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("type", TYPES)
def test_every_analysis_finds_one_to_three(type):
    assert 1 <= len(found(type)) <= 3


def test_somebody_was_entered_twice(demo):
    (row,) = found("duplicate_performer")

    first, second = (demo.performers[each["id"]] for each in row.details["performers"])
    assert first.name.split()[0] == second.name.split()[0]
    assert first.name != second.name
    assert {each["total_content"] for each in row.details["performers"]} == {1}


@pytest.mark.usefixtures("demo")
def test_a_scene_has_a_second_file_that_is_worse():
    (row,) = found("duplicate_scene_files")

    heights = {each["id"]: each["height"] for each in row.details["files"]}
    assert heights == {row.details["suggested_keeper_id"]: 540, "43": 270}
    assert row.details["warnings"] == []


@pytest.mark.usefixtures("demo")
def test_of_performers_one_changed_one_was_merged_and_one_deleted():
    rows = found("upstream_performer_changes")

    (changed,) = [row for row in rows if row.details["changes"]]
    gone = [row.details for row in rows if row.details.get("is_gone_upstream")]
    assert {"aliases", "country", "hair_color", "cup_size", "tattoos"} <= fields(
        changed
    )
    assert sorted(bool(each["merged_into_id"]) for each in gone) == [False, True]


@pytest.mark.usefixtures("demo")
def test_tags_and_studios_changed():
    outdoors, duo = found("upstream_tag_changes")
    lane, attic = found("upstream_studio_changes")

    assert fields(outdoors) == {"description", "aliases"}
    assert fields(duo) == {"name", "aliases"}
    assert fields(lane) == {"parent_studio", "urls"}
    assert fields(attic) == {"parent_studio"}


@pytest.mark.usefixtures("demo")
def test_a_scene_changed_with_its_cast_its_studio_and_its_tags():
    (row,) = found("upstream_scene_changes")

    assert fields(row) == {"title", "date", "details", "director"}
    (joins,) = row.details["performer_changes"]["added"]
    assert joins["local_match"]
    assert row.details["performer_changes"]["removed"] == []
    assert row.details["studio_change"]["upstream"]["local_match"]
    assert len(row.details["tag_changes"]["added"]) == 1


@pytest.mark.usefixtures("demo")
def test_of_two_scenes_that_a_stash_box_knows_one_is_sure():
    rows = found("scene_fingerprint_match")

    assert [
        (row.details["scene_title"], row.details["high_confidence"]) for row in rows
    ] == [("Half the Credits", True), ("Upright", False)]


def test_whose_name_a_stash_box_knows_is_proposed(demo):
    (row,) = found("missing_stash_box_link")

    performer = demo.performers[row.target_id]
    assert performer.stash_ids == []
    assert row.details["candidate"]["name"] == performer.name


def test_a_stranger_is_in_more_than_one_scene(demo):
    scenes_of: dict[int | None, set[str]] = {}
    for scene_id, appearances in demo.answers.items():
        for each in appearances:
            scenes_of.setdefault(each.stranger, set()).add(scene_id)

    assert scenes_of[2] == {"4", "6"}
