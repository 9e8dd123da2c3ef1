"""Updates that fetch only what is not here already."""

import pytest

from dbupdates import store
from dbupdates.progress import Phase
from dbupdates.tests.updating import NEW, active_version, log_of, update


@pytest.fixture
def builder(large_builder):
    return large_builder


def test_only_what_changed_is_fetched_and_the_rest_is_linked(
    world, published, builder, inbox, archive
):
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["performers.json"] += b" "
    newer = builder.write_zip(inbox)
    published.publish("2026.02.19", newer)
    before = published.sent_archive_bytes

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    first = dict(store.iter_file_paths(NEW))
    second = dict(store.iter_file_paths("2026.02.19"))
    for name in ("face_facenet.voy", "face_arcface.voy", "faces.json"):
        assert first[name].stat().st_ino == second[name].stat().st_ino
    assert second["performers.json"].read_bytes() == builder.files["performers.json"]
    assert second["manifest.json"].read_bytes() == builder.manifest_bytes()
    assert "are here already and are linked" in log_of(run)
    assert published.sent_archive_bytes - before < newer.stat().st_size / 2


def test_a_linked_file_that_was_damaged_is_fetched_after_all(
    world, published, builder, inbox
):
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["performers.json"] += b" "
    published.publish("2026.02.19", builder.write_zip(inbox))
    path = store.release_path(NEW) / "face_facenet.voy"
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    paths = dict(store.iter_file_paths("2026.02.19"))
    assert paths["face_facenet.voy"].read_bytes() == builder.files["face_facenet.voy"]


def test_a_server_without_ranges_gets_the_plain_download(
    world, published, builder, inbox
):
    update()
    builder.manifest["version"] = "2026.02.19"
    newer = builder.write_zip(inbox)
    published.publish("2026.02.19", newer)
    published.faults.ignore_range = True

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    assert run.fetched_bytes >= newer.stat().st_size
    assert active_version() == "2026.02.19"
