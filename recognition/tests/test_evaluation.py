"""How good names are on a library, measured by its tags, as users meet it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recognition import evaluations, library_runs, slice_at_work
from recognition.evaluations import EvaluationOptions
from recognition.exceptions import LibraryRunInProgress
from recognition.models import (
    EvaluatedItem,
    Evaluation,
    Fingerprint,
    LibraryRun,
    ReviewedName,
)
from recognition.numeric.people import MatchingMode
from recognition.tests.conftest import TWIN_VERSION, VERSION
from recognition.tests.library_world import ASKER, background, ended, work
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, cast_of, post
from recognition.tests.test_library_runs import library  # noqa: F401
from recognition.tests.test_rematching import serve_release

State = LibraryRun.State
KNOWN_IMAGE = "1"


@pytest.fixture
def identified(library, admin_client):  # noqa: F811
    """A library of which two scenes and two images were identified."""
    for scene_id in (KNOWN_SCENE, MIXED_SCENE):
        post(admin_client, "/identify/scene", scene_id=scene_id, num_frames=6)
    for image_id in ("1", "2"):
        post(admin_client, "/identify/image", image_id=image_id)
    return library


def tag(stash, kind, stash_id, universal_ids):
    """Tag performers in the stand-in Stash, by what a release calls them."""
    rows = getattr(stash.library, kind)
    rows[stash_id].performer_ids = [
        performer.id
        for performer in stash.library.performers.values()
        if any(_universal(one) in universal_ids for one in performer.stash_ids)
    ]


def _universal(stash_id):
    return f"{stash_id.endpoint.split('/')[2]}:{stash_id.stash_id}"


def tag_everybody(stash):
    for scene_id in stash.library.scenes:
        tag(stash, "scenes", scene_id, cast_of(stash.library, scene_id))
    for image_id in stash.library.images:
        tag(stash, "images", image_id, {*stash.library.image_answers[image_id]})


def evaluate(**options):
    evaluation = evaluations.evaluate_library(EvaluationOptions(**options), asker=ASKER)
    ended(evaluation.run)
    return evaluation


def latest_report(client):
    response = client.get("/identify/evaluation")
    assert response.status_code == 200, response.content
    return response.json()


def test_what_is_tagged_is_identified_in_every_mode(identified, admin_client):
    tag_everybody(identified)

    started = post(admin_client, "/identify/evaluation")
    work()

    assert started.status_code == 200
    report = latest_report(admin_client)
    assert (report["state"], report["error"]) == ("complete", None)
    assert report["release_version"] == VERSION
    assert report["item_counts"] == {"scene": 2, "image": 2, "gallery": 0}
    assert {one["mode"] for one in report["modes"]} == {*map(str, MatchingMode)}
    for mode in report["modes"]:
        assert mode["strict"]["recall"]["total"] >= 5
        assert mode["strict"]["precision"]["value"] > 0.5
        assert 0 <= mode["strict"]["precision"]["low"] <= 1
        assert mode["thresholds"]
