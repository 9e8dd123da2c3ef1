"""Finding scenes that show the same recording."""

import pytest

from recognition.models import Fingerprint
from recommendations import decisions
from recommendations.decisions import Person
from recommendations.models import Recommendation
from recommendations.tests.analyses import ask, ended
from recommendations.tests.libraries import (
    BOX,
    OTHER_BOX,
    add_file,
    add_performer,
    add_scene,
)

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = 0x0123456789ABCDEF


def find(state="completed"):
    run = ended(ask("duplicate_scenes"))
    assert run.state == state, run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def scene_of(library, phash=None, **facts):
    return add_scene(library, files=[add_file(library, phash=phash)], **facts)


def saw(scene, *universal_ids):
    """Keep who was seen in a scene, each in ten frames."""
    kept = Fingerprint.objects.create(kind="scene", stash_id=scene.id)
    for number, universal_id in enumerate(universal_ids):
        kept.people.create(number=number, frame_count=10, universal_id=universal_id)


def test_scenes_that_look_alike_are_found_with_their_reasons(library):
    first = scene_of(library, PICTURE, title="One", studio_id="1")
    scene_of(library, PICTURE ^ 0xFFFF)
    second = scene_of(library, PICTURE ^ 0b101, title="Two", studio_id="1")

    (found,) = find()

    assert (found.target_type, found.target_id) == ("scene", f"{first.id}:{second.id}")
    details = found.details
    assert (details["scene_a_id"], details["scene_b_id"]) == (first.id, second.id)
    assert details["confidence"] == pytest.approx(73.5)
    assert found.confidence == pytest.approx(0.735)
    assert details["reasoning"] == ["pHashes differ in 2 of 64 bits", "same studio"]
    assert details["signal_breakdown"]["phash_distance"] == 2
    assert details["scene_b_summary"]["title"] == "Two"
    assert details["scene_a_summary"]["studio"] == "Studio 1"


def test_the_same_id_at_a_stash_box_settles_it(library):
    scene_of(library, ids=[(BOX, "a")])
    scene_of(library, ids=[(BOX, "a")])
    scene_of(library, ids=[(OTHER_BOX, "a")])

    (found,) = find()

    assert (found.target_id, found.confidence) == ("1:2", 1.0)
    assert found.details["signal_breakdown"]["stashbox_endpoint"] == BOX


def test_the_same_people_and_studio_without_pictures_are_never_sure(library):
    """One performer's scenes at one studio look alike by all but their pictures."""
    performer = add_performer(library, "Ada")
    for _ in range(2):
        scene = scene_of(
            library, performers=[performer], studio_id="1", date="2024-01-01"
        )
        saw(scene, "stashdb.org:ada")

    (found,) = find()

    assert found.confidence == pytest.approx(0.7)
    assert found.details["signal_breakdown"]["face_score"] == 75


def test_who_was_seen_finds_copies_that_nobody_has_tagged(library):
    for _ in range(2):
        saw(scene_of(library), "stashdb.org:ada", "stashdb.org:bea", "")
    saw(scene_of(library), "stashdb.org:ada")

    found = find()

    assert [each.target_id for each in found] == ["1:2"]
    assert "2 of 2 people seen in both" in found[0].details["reasoning"]


def test_a_run_that_fails_loses_nothing_and_a_later_one_keeps_the_ids(
    library, settings
):
    for _ in range(2):
        scene_of(library, PICTURE)
    (before,) = find()
    url, settings.STASH_URL = settings.STASH_URL, "http://127.0.0.1:9"
    assert [each.pk for each in find(state="failed")] == [before.pk]
    settings.STASH_URL = url

    library.scenes["2"].title = "changed"
    (after,) = find()

    assert after.pk == before.pk
    assert after.details["scene_b_summary"]["title"] == "changed"


def test_what_is_no_duplicate_any_more_is_resolved_and_a_no_stays_a_no(library):
    for _ in range(3):
        scene_of(library, PICTURE)
    found = find()
    assert [each.target_id for each in found] == ["1:2", "1:3", "2:3"]
    decisions.dismiss(found[0], person=Person())

    library.files["3"].fingerprints["phash"] = f"{PICTURE ^ 0xFFFFFF:x}"

    assert find() == []
    assert Recommendation.objects.get(target_id="1:3").status == "resolved"
    assert Recommendation.objects.get(target_id="1:2").status == "dismissed"


def test_a_blank_picture_makes_no_duplicates(library):
    for _ in range(3):
        scene_of(library, 0)

    assert find() == []
