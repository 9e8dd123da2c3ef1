"""Finding scenes of several files."""

import pytest

from recommendations import decisions
from recommendations.models import Recommendation
from recommendations.phashes import parse_phash
from recommendations.tests.analyses import ask, ended
from recommendations.tests.libraries import add_file, add_scene

pytestmark = pytest.mark.django_db(transaction=True)


def find(seconds=None):
    run = ended(ask("duplicate_scene_files"), seconds)
    assert run.state == "completed", run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def test_the_better_file_is_to_be_kept_and_the_savings_are_told(library):
    old = add_file(library, size=3_000_000_000, phash=7)
    new = add_file(library, size=1_000_000_000, video_codec="hevc", phash=6)
    scene = add_scene(library, files=[old, new], title="Two files")
    add_scene(library, title="One file")

    (found,) = find()

    assert (found.target_type, found.target_id) == ("scene", scene.id)
    assert found.confidence == 1.0
    details = found.details
    assert details["suggested_keeper_id"] == new.id
    assert details["primary_file_id"] == old.id
    assert (details["total_size"], details["potential_savings"]) == (
        4_000_000_000,
        3_000_000_000,
    )
    assert details["potential_savings_formatted"] == "2.8 GB"
    assert [
        (file["id"], file["quality_score"], file["is_suggested_keeper"])
        for file in details["files"]
    ] == [(new.id, 309, True), (old.id, 259, False)]
    assert details["files"][0]["duration_formatted"] == "1:00:00"
    assert details["warnings"] == []


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"duration": 3500.0}, "another cut"),
        ({"phash": 0xFFFF}, "different scenes"),
    ],
)
def test_files_that_may_show_different_things_are_told_of(library, facts, warning):
    first = add_file(library, phash=0)
    second = add_file(library, **{"phash": 0, **facts})
    add_scene(library, files=[first, second])

    (found,) = find()

    assert found.confidence == 0.5
    assert warning in found.details["warnings"][0]


def test_many_scenes_are_gone_through_in_slices(library):
    for _ in range(120):
        add_scene(library, files=[add_file(library), add_file(library)])

    found = find(seconds=0)

    assert [int(each.target_id) for each in found] == [*range(1, 121)]


def test_a_scene_whose_files_were_deleted_is_resolved_and_a_new_file_opens_it(library):
    files = [add_file(library) for _ in range(2)]
    scene = add_scene(library, files=files)
    (found,) = find()
    decisions.resolve(found, "kept both")
    assert find() == []

    scene.file_ids.append(add_file(library).id)

    assert [each.pk for each in find()] == [found.pk]
    scene.file_ids = scene.file_ids[:1]
    assert find() == []


def test_hashes_are_numbers_with_or_without_leading_zeros():
    assert parse_phash("00000000000000ff") == parse_phash("ff") == 255
    assert parse_phash("8" + "0" * 15) == 1 << 63
    assert [parse_phash(text) for text in (None, "", "xyz", "1" + "0" * 16, "-1")] == [
        None
    ] * 5
