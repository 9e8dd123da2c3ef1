"""Updates that fetch only what is not here already."""

import errno

import pytest

from dbupdates import store
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease
from dbupdates.progress import Phase
from dbupdates.tests.conftest import ASKER, names_in
from dbupdates.tests.updating import NEW, OLD, active_version, log_of, update
from dbupdates.updates import request_update


@pytest.fixture
def builder(large_builder):
    return large_builder


def damage(path):
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


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
    damage(store.release_path(NEW) / "face_facenet.voy")

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    paths = dict(store.iter_file_paths("2026.02.19"))
    assert paths["face_facenet.voy"].read_bytes() == builder.files["face_facenet.voy"]


@pytest.fixture
def no_links(monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr("os.link", refuse)


def test_where_there_are_no_links_installed_files_are_copied(
    world, published, builder, inbox, no_links
):
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["performers.json"] += b" "
    newer = builder.write_zip(inbox)
    published.publish("2026.02.19", newer)
    sent_bytes = published.sent_archive_bytes
    request_count = len(published.archive_requests())

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    assert "are here already and are copied" in log_of(run)
    assert published.sent_archive_bytes - sent_bytes < newer.stat().st_size / 2
    assert len(published.archive_requests()) - request_count < 10
    on_disk = dict(store.iter_file_paths("2026.02.19"))
    for name, content in builder.files.items():
        assert on_disk[name].read_bytes() == content
        assert on_disk[name].stat().st_nlink == 1
    assert names_in(world.data_dir / "staging") == []


def test_room_for_copies_is_looked_for_before_anything_large_is_fetched(
    world, published, builder, inbox, no_links, monkeypatch
):
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["performers.json"] += b" "
    newer = builder.write_zip(inbox)
    published.publish("2026.02.19", newer)
    asked: list[int] = []
    monkeypatch.setattr(store, "require_free_space", asked.append)

    assert update("2026.02.19").phase == Phase.COMPLETE

    unpacked_bytes = sum(len(content) for content in builder.members().values())
    assert min(asked) >= unpacked_bytes


@pytest.mark.usefixtures("no_links")
def test_a_file_that_was_damaged_is_fetched_in_one_piece(
    world, published, builder, inbox, monkeypatch
):
    # As small beside the file as it is beside a published one.
    monkeypatch.setattr("stashsense.files.CHUNK_BYTES", 10_000)
    monkeypatch.setattr("stashsense.downloads.fetcher.READ_AHEAD_BYTES", 10_000)
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["performers.json"] += b" "
    published.publish("2026.02.19", builder.write_zip(inbox))
    damage(store.release_path(NEW) / "face_facenet.voy")
    before = len(published.archive_requests())

    run = update("2026.02.19")

    assert run.phase == Phase.COMPLETE
    paths = dict(store.iter_file_paths("2026.02.19"))
    assert paths["face_facenet.voy"].read_bytes() == builder.files["face_facenet.voy"]
    assert len(published.archive_requests()) - before < 10


def change_while_fetched(change):
    """Return a listener that has the archive changed once some of it has come."""

    def listen(progress):
        if progress.phase == Phase.DOWNLOADING and progress.done_bytes and changes:
            changes.pop()()

    changes = [change]
    return listen


def test_an_archive_that_changes_is_begun_anew_although_only_parts_were_wanted(
    world, published, builder, inbox, monkeypatch
):
    monkeypatch.setattr("stashsense.downloads.fetcher.REPORT_SECONDS", 0)
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["faces.json"] += b" "
    newer = builder.write_zip(inbox)
    published.publish("2026.02.19", newer)
    run = request_update(asker=ASKER, version="2026.02.19")

    def change():
        published.faults.etag_suffix = "-moved"

    execute_run(run.pk, listener=change_while_fetched(change))

    run.refresh_from_db()
    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert "changed on the server" in log_of(run)
    assert active_version() == "2026.02.19"
    assert names_in(world.data_dir / "staging") == []


def test_a_part_of_an_archive_that_got_another_size_is_not_installed(
    world, published, builder, inbox, monkeypatch
):
    monkeypatch.setattr("stashsense.downloads.fetcher.REPORT_SECONDS", 0)
    update()
    builder.manifest["version"] = "2026.02.19"
    builder.files["faces.json"] += b" "
    published.publish("2026.02.19", builder.write_zip(inbox), has_digest=False)
    run = request_update(asker=ASKER, version="2026.02.19")

    def change():
        builder.files["faces.json"] += b" "
        content = builder.write_zip(inbox).read_bytes()
        published.publish("2026.02.19", content, has_digest=False)

    execute_run(run.pk, listener=change_while_fetched(change))

    run.refresh_from_db()
    assert (run.phase, run.error_code) == (Phase.FAILED, "download_failed")
    assert "where the feed announced" in run.error
    assert active_version() == NEW
    assert DatabaseRelease.objects.get(version="2026.02.19").status == "available"
    assert names_in(world.data_dir / "releases") == [OLD, NEW]


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
