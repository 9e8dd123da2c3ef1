"""What cannot be undone is done as it was shown, or not at all."""

import hashlib
import json
from typing import Any

import pytest

from recommendations.models import ActionRecord
from recommendations.tests.actions.world import (
    changed,
    done,
    mutations,
    recommend,
    records,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db

NO_PLAN = "0" * 64


def tag_somebody(library):
    library.scenes["7"].performer_ids = ["2"]


def name_somebody_else(library):
    library.performers["2"].alias_list.append("Since then")


def describe(library):
    library.scenes["2"].details = "Since then"


def replace_a_file(library):
    library.files["901"].size += 1


def add_a_file(library):
    library.scenes["2"].file_ids.append("902")


CASES: dict[str, Any] = {
    "merge-performers": (
        {"destination_id": "1", "source_ids": ["2"]},
        ("duplicate_performer", "1", "performer"),
        tag_somebody,
    ),
    "merge-performers-alias": (
        {"destination_id": "1", "source_ids": ["2"]},
        ("duplicate_performer", "1", "performer"),
        name_somebody_else,
    ),
    "merge-scenes": (
        {"destination_id": "1", "source_ids": ["2"]},
        ("duplicate_scenes", "1:2", "scene"),
        describe,
    ),
    "delete-scene": (
        {"scene_id": "2", "delete_file": True},
        ("duplicate_scenes", "1:2", "scene"),
        add_a_file,
    ),
    "delete-scene-files": (
        {"scene_id": "2", "file_ids_to_delete": ["901"]},
        ("duplicate_scene_files", "2", "scene"),
        replace_a_file,
    ),
}


@pytest.fixture
def world(library):
    """Two performers of one person, and a scene that gets one file after the other."""
    for scene in library.scenes.values():
        scene.performer_ids, scene.file_ids = ["4"], scene.file_ids[:1]
    first, second = library.performers["1"], library.performers["2"]
    details = {"performers": [{"id": "1"}, {"id": "2"}]}
    first.alias_list, second.alias_list = [], []
    library.scenes["1"].details = library.scenes["2"].details = ""
    template = library.files[library.scenes["2"].file_ids[0]]
    for number in ("901", "902"):
        values = {**vars(template), "id": number, "name": f"{number}.mp4"}
        library.files[number] = type(template)(**values)
    library.scenes["2"].file_ids.append("901")
    return details


@pytest.fixture(params=CASES)
def case(request, world, library):
    """An action, what it is asked with, and what changes after it was shown."""
    name = request.param.removesuffix("-alias")
    asked, (type, target_id, target_type), change = CASES[request.param]
    row = recommend(type, target_id, target_type=target_type, **world)
    if name == "delete-scene-files":
        asked = {**asked, "keep_file_id": library.scenes["2"].file_ids[0]}
    return name, {**asked, "recommendation_id": row.pk}, change, row


def test_what_was_shown_is_done(api, stash, library, case):
    name, asked, _, row = case

    shown = done(api, name, **asked, dry_run=True)
    answer = done(api, name, **asked, confirm=True, plan_digest=shown["plan_digest"])

    assert answer["plan"] == shown["plan"]
    assert answer["plan_digest"] == shown["plan_digest"]
    assert told_of(row) == ("resolved", name)


def test_what_changed_since_it_was_shown_is_refused_and_told(api, stash, library, case):
    name, asked, change, row = case
    shown = done(api, name, **asked, dry_run=True)
    change(library)
    before = snapshot(library)

    answer = refused(
        api,
        *(name, 409, "plan_changed"),
        **asked,
        confirm=True,
        plan_digest=shown["plan_digest"],
    )

    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")
    assert records() == [(name, "failed")]
    assert ActionRecord.objects.get().error == answer["detail"]
    assert answer["plan"] != shown["plan"]
    again = done(api, name, **asked, confirm=True, plan_digest=answer["plan_digest"])
    assert again["plan"] == answer["plan"]
    assert told_of(row) == ("resolved", name)


def test_without_a_digest_it_is_planned_anew(api, stash, library, case):
    name, asked, change, row = case
    shown = done(api, name, **asked, dry_run=True)
    change(library)

    answer = done(api, name, **asked, confirm=True)

    assert answer["plan"] != shown["plan"]
    assert answer["plan_digest"] != shown["plan_digest"]
    assert told_of(row) == ("resolved", name)


def test_a_digest_does_not_confirm(api, stash, library, case):
    name, asked, _, row = case
    digest = done(api, name, **asked, dry_run=True)["plan_digest"]

    refused(api, *(name, 400, "confirmation_required"), **asked, plan_digest=digest)

    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")


def test_a_dry_run_shows_whatever_was_shown_before(api, stash, library, case):
    name, asked, _, _ = case

    answer = done(api, name, **asked, dry_run=True, plan_digest=NO_PLAN)

    assert answer["plan_digest"] != NO_PLAN


@pytest.mark.parametrize("digest", ["", "0" * 63, "A" * 64, 1, [], {}])
def test_what_is_no_digest_is_invalid(api, stash, library, case, digest):
    name, asked, _, _ = case

    refused(api, *(name, 422, "invalid"), **asked, confirm=True, plan_digest=digest)

    assert stash.requests == []


def test_the_digest_is_that_of_the_plan_as_json(api, stash, library, case):
    name, asked, _, _ = case
    library.scenes["2"].title = "Käse \u202e 🎬"
    library.performers["2"].name = "Käse \u202e 🎬"

    answer = done(api, name, **asked, dry_run=True)

    text = json.dumps(
        answer["plan"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert answer["plan_digest"] == hashlib.sha256(text.encode()).hexdigest()


def test_what_can_be_undone_has_no_digest(api, stash, library):
    answer = done(
        api,
        "update-performer",
        performer_id="1",
        fields={"height": 170},
        dry_run=True,
    )

    assert "plan_digest" not in answer
