"""What was decided with another calibration is decided again in all that is kept."""

import pytest

from recognition import calibrations, rematching
from recognition.models import Fingerprint, FingerprintChange, LibraryRun
from recognition.numeric.calibration import SHIPPED_CALIBRATION, Calibration
from recognition.numeric.people import MatchingMode
from recognition.tests.library_world import work
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, cast_of, named, post
from recognition.tests.test_calibrations import network_set
from recognition.tests.test_library_runs import library  # noqa: F401

TEMPLATE = MatchingMode.TEMPLATE
# Nobody is that surely anybody.
STRICT = Calibration(
    SHIPPED_CALIBRATION.scores,
    SHIPPED_CALIBRATION.probabilities,
    known_score=1e6,
    uncertain_score=SHIPPED_CALIBRATION.uncertain_score,
)


@pytest.fixture
def scenes(library, admin_client):  # noqa: F811
    """A scene of mode template and one of frequency."""
    for scene_id, mode in ((KNOWN_SCENE, "template"), (MIXED_SCENE, "frequency")):
        post(
            admin_client,
            "/identify/scene",
            scene_id=scene_id,
            num_frames=6,
            matching_mode=mode,
        )
    return library


def kept(client, scene_id=KNOWN_SCENE):
    return client.get(f"/recommendations/fingerprints/scene/{scene_id}").json()


def adopt(calibration, mode=TEMPLATE):
    return calibrations.adopt(
        mode, calibration, by=None, sample_size=40, network_set=network_set()
    )


def test_a_stricter_threshold_takes_names_from_what_is_kept_and_going_back_gives_them(
    scenes, admin_client, django_capture_on_commit_callbacks
):
    cast = cast_of(scenes.library, KNOWN_SCENE)
    assert named(kept(admin_client)["persons"]) == cast
    other = kept(admin_client, MIXED_SCENE)
    assert named(other["persons"])

    with django_capture_on_commit_callbacks(execute=True):
        adopt(STRICT)
    work()

    assert named(kept(admin_client)["persons"]) == set()
    assert {one["decision"] for one in kept(admin_client)["persons"]} >= {"uncertain"}
    run = LibraryRun.objects.get(kind="rematch")
    assert (run.state, run.done_count, run.changed_count) == ("complete", 1, 1)
    assert kept(admin_client, MIXED_SCENE) == other

    with django_capture_on_commit_callbacks(execute=True):
        calibrations.go_back_to_shipped(TEMPLATE, by=None)
    work()

    assert named(kept(admin_client)["persons"]) == cast
    # No release did it.
    assert not FingerprintChange.objects.exists()
    assert not Fingerprint.objects.filter(is_match_due=True).exists()


def test_who_serves_reads_the_calibration_that_another_process_adopted(
    scenes, admin_client
):
    adopt(STRICT)
    # As a process that read the rows a moment before they changed.
    calibrations._adopted._by_mode = {}
    calibrations._adopted._read_at = float("inf")

    rematching.rematch_slice(seconds=5)

    assert named(kept(admin_client)["persons"]) == set()


def test_the_calibration_of_another_mode_has_nothing_matched_again(
    scenes, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        adopt(STRICT, MatchingMode.FREQUENCY)

    assert not Fingerprint.objects.filter(is_match_due=True).exists()
    assert not LibraryRun.objects.exists()
