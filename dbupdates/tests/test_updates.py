"""Updates from a feed, by a task, as far as they go without serving processes."""

import re

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from dbupdates import runs, store
from dbupdates.exceptions import (
    AlreadyLatest,
    FeedError,
    NothingToDownload,
    ReleaseNotFound,
    UpdateInProgress,
)
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import check_feed
from dbupdates.runs import Asker
from dbupdates.services import import_release, verify_release
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.conftest import (
    ASKER,
    names_in,
    serving,
)
from dbupdates.tests.updating import NEW, OLD, active_version, log_of, update
from dbupdates.updates import request_update


@pytest.fixture
def builder(large_builder):
    return large_builder


def assert_failed(world, run, message):
    """The run says why it failed, the old release is active, staging is empty."""
    assert run.phase == Phase.FAILED
    assert re.search(message, run.error), run.error
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == []
    assert names_in(world.data_dir / "releases") == [OLD]


def test_an_update_downloads_verifies_and_activates(world, published, archive):
    run = update()

    assert (run.phase, run.percent, run.error) == (Phase.COMPLETE, 100, "")
    assert active_version() == NEW
    assert names_in(world.data_dir / "staging") == []
    assert run.former_version == OLD
    assert run.fetched_bytes >= archive.stat().st_size
    assert set(run.phase_seconds) >= {
        Phase.DOWNLOADING,
        Phase.EXTRACTING,
        Phase.VERIFYING,
    }
    assert run.ended_at >= run.started_at


def test_what_is_downloaded_is_what_an_import_gives(
    world, published, builder, tmp_path, settings
):
    update()
    files = {
        name: (path.read_bytes(), path.stat().st_mode)
        for name, path in store.iter_file_paths(NEW)
    }
    rows = [*DatabaseRelease.objects.get(version=NEW).files.values("name", "sha256")]

    DatabaseRelease.objects.all().delete()
    settings.DATA_DIR = tmp_path / "other"
    import_release(builder.write_folder(tmp_path))

    assert files == {
        name: (path.read_bytes(), path.stat().st_mode)
        for name, path in store.iter_file_paths(NEW)
    }
    release = DatabaseRelease.objects.get(version=NEW)
    assert rows == [*release.files.values("name", "sha256")]


def test_asking_writes_the_row_and_the_task_together(world, published, monkeypatch):
    run = request_update(asker=Asker(UpdateRun.Asker.ADMIN))

    assert run.phase == Phase.QUEUED
    assert [task.func() for task in OrmQ.objects.all()] == [runs.TASK]

    UpdateRun.objects.all().delete()
    OrmQ.objects.all().delete()

    def broken(*_, **__):
        raise RuntimeError("no queue")

    monkeypatch.setattr(runs, "async_task", broken)
    with pytest.raises(RuntimeError):
        request_update(asker=ASKER)

    assert not UpdateRun.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_second_update_is_refused_while_one_is_in_progress(world, published):
    run = request_update(asker=ASKER)

    with pytest.raises(UpdateInProgress, match=run.job_id):
        request_update(asker=ASKER)

    assert UpdateRun.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_who_asked_is_kept(world, published):
    user = User.objects.create_user("ada")

    run = request_update(asker=Asker(UpdateRun.Asker.ADMIN, user))

    assert (run.asked_by, run.user) == ("admin", user)


def test_the_newest_release_is_active_already(world, published):
    update()

    with pytest.raises(AlreadyLatest, match=NEW):
        request_update(asker=ASKER)


def test_an_older_published_release_is_no_update(world, simulator, archive):
    simulator.publish("2025.12.31", archive)

    with pytest.raises(AlreadyLatest, match=r"newest published is 2025\.12\.31"):
        request_update(asker=ASKER)


def test_a_release_without_a_zip_is_nothing_to_download(world, simulator):
    simulator.publish(NEW, None)

    with pytest.raises(NothingToDownload, match="without an archive"):
        request_update(asker=ASKER)

    assert not UpdateRun.objects.exists()


def test_an_unreachable_feed_is_told(world, settings):
    settings.RELEASE_FEED = "http://127.0.0.1:9/releases"

    with pytest.raises(FeedError, match="no connection"):
        request_update(asker=ASKER)


def test_a_version_that_nobody_published_is_not_found(world, published):
    with pytest.raises(ReleaseNotFound, match=r"2026\.09\.09"):
        request_update(asker=ASKER, version="2026.09.09")


def test_an_installed_release_is_activated_without_a_download(world, published):
    import_release(published_path(published))

    run = update(NEW)

    assert (run.kind, run.phase) == ("activation", Phase.COMPLETE)
    assert active_version() == NEW
    assert run.fetched_bytes == 0
    assert published.sent_archive_bytes == 0


@pytest.mark.parametrize("version", ["", NEW])
def test_the_files_of_the_active_release_can_be_fetched_again(
    world, published, processes, version
):
    def try_again():
        has_files = tried and store.has_release(NEW)
        tried.append(1)
        return serving(NEW) if has_files else serving("", failed_version=NEW)

    update()
    store.remove(NEW)
    tried: list[int] = []
    processes[1] = try_again

    run = update(version)

    assert (run.kind, run.phase) == ("download", Phase.COMPLETE)
    assert active_version() == NEW
    assert verify_release(DatabaseRelease.objects.get(version=NEW)) == []
    assert DatabaseRelease.objects.get(version=OLD).status == "retired"
    with pytest.raises(AlreadyLatest):
        request_update(asker=ASKER, version=version)


def test_an_active_release_that_cannot_be_loaded_again_stays_active(
    world, published, processes, monkeypatch
):
    monkeypatch.setattr("dbupdates.swap.RELOAD_SECONDS", 0.05)
    update()
    store.remove(NEW)
    processes[1] = serving("", failed_version=NEW, problem="out of paper")

    run = update()

    assert (run.phase, run.error_code) == (Phase.FAILED, "swap_failed")
    assert re.search(r"0 of 1 .* web:1: out of paper .* stays active", run.error)
    assert active_version() == NEW
    assert store.has_release(NEW)


def test_files_that_are_gone_and_not_published_are_nothing_to_download(
    world, published
):
    staged = import_release(published_path(published))
    store.remove(OLD)
    store.remove(NEW)
    published.withdraw(NEW)
    check_feed()

    for version in (OLD, staged.version):
        with pytest.raises(NothingToDownload, match="are gone, and the feed has no"):
            request_update(asker=ASKER, version=version)

    assert not UpdateRun.objects.exists()


def published_path(simulator):
    return simulator._archive(NEW).content


# What is wrong with the archive


def test_a_corrupt_archive_is_refused_by_the_feeds_digest(world, published):
    published.corrupt(NEW, "faces.json")

    run = update()

    assert_failed(world, run, "the archive: expected sha256")
    assert run.error_code == "checksum_mismatch"
    release = DatabaseRelease.objects.get(version=NEW)
    assert (release.status, release.reason) == ("rejected", run.error)


def test_a_corrupt_member_is_refused_without_a_digest_in_the_feed(
    world, simulator, archive
):
    simulator.publish(NEW, archive, has_digest=False)
    simulator.corrupt(NEW, "face_arcface.voy")

    run = update()

    assert_failed(world, run, r"face_arcface\.voy")


def test_a_file_that_is_not_what_the_manifest_says_is_refused(
    world, simulator, builder, inbox
):
    builder.checksums["faces.json"] = "sha256:" + 64 * "0"
    simulator.publish(NEW, builder.write_zip(inbox))

    run = update()

    assert_failed(world, run, r"faces\.json: expected sha256 0000")


def test_an_archive_of_another_version_is_refused(world, simulator, inbox):
    simulator.publish(NEW, ReleaseBuilder("2026.02.17").write_zip(inbox))

    run = update()

    assert_failed(world, run, r"of version 2026\.02\.17, where .* 2026\.02\.18")


def test_what_is_no_zip_is_refused(world, simulator):
    simulator.publish(NEW, b"<html>a page that says sorry</html>" * 100)

    assert_failed(world, update(), "cannot be read")


def test_a_rejected_release_can_be_had_once_another_archive_is_published(
    world, published, builder, inbox, settings
):
    published.corrupt(NEW, "faces.json")
    update()
    builder.files["performers.json"] += b" "
    published.publish(NEW, builder.write_zip(inbox))
    status = check_feed(is_forced=True)
    assert status.latest
    assert status.latest.status == "available"

    assert update().phase == Phase.COMPLETE
    assert active_version() == NEW


# What goes wrong on the way


def test_a_broken_connection_is_gone_on_from(world, published, archive):
    size = archive.stat().st_size
    published.faults.drop_after_bytes = [size, size // 3, size // 3]

    run = update()

    assert run.phase == Phase.COMPLETE
    assert published.sent_archive_bytes < 1.5 * size


def test_a_server_that_fails_for_good_leaves_what_was_fetched(
    world, published, archive
):
    size = archive.stat().st_size
    published.faults.drop_after_bytes = [size, size // 2, 0, 0, 0, 0]

    run = update()

    assert (run.phase, run.error_code) == (Phase.FAILED, "download_failed")
    assert run.is_resumable
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == [f"update-{run.job_id}"]


def test_a_failed_download_is_resumed_by_the_next_update(world, published, archive):
    size = archive.stat().st_size
    published.faults.drop_after_bytes = [size, size // 2, 0, 0, 0, 0, 0, 0]
    first = update()
    assert (first.phase, first.is_resumable) == (Phase.FAILED, True)
    assert names_in(world.data_dir / "staging") == [f"update-{first.job_id}"]
    published.faults.drop_after_bytes = []
    before = published.sent_archive_bytes

    second = update()

    assert second.phase == Phase.COMPLETE
    assert published.sent_archive_bytes - before < 0.7 * size + 2 * 65536
    assert first.job_id in "".join(line.text for line in second.log_lines.all())
    assert names_in(world.data_dir / "staging") == []
    first.refresh_from_db()
    assert not first.is_resumable


@pytest.mark.parametrize("has_digest", [True, False])
def test_bytes_that_were_lost_with_the_power_are_fetched_again(
    world, simulator, archive, has_digest
):
    simulator.publish(NEW, archive, has_digest=has_digest)
    size = archive.stat().st_size
    simulator.faults.drop_after_bytes = [size, size // 2, 0, 0, 0, 0, 0, 0]
    first = update()
    assert first.is_resumable
    simulator.faults.drop_after_bytes = []
    path = world.data_dir / "staging" / f"update-{first.job_id}" / "archive.zip"
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(bytes(size // 4))

    run = update()

    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert "All of it is fetched anew" in log_of(run)
    assert active_version() == NEW
    assert names_in(world.data_dir / "staging") == []


def test_an_archive_that_is_bad_is_rejected_after_it_was_fetched_anew_once(
    world, published, archive
):
    size = archive.stat().st_size
    published.corrupt(NEW, "faces.json")
    published.faults.drop_after_bytes = [size, size // 2, 0, 0, 0, 0, 0, 0]
    assert update().is_resumable
    published.faults.drop_after_bytes = []
    before = published.sent_archive_bytes

    run = update()

    assert_failed(world, run, "the archive: expected sha256")
    assert published.sent_archive_bytes - before < 2 * size
    assert DatabaseRelease.objects.get(version=NEW).status == "rejected"


@pytest.mark.parametrize("status", [403, 404])
def test_an_archive_that_is_refused_fails_the_run(world, published, status):
    published.faults.archive_statuses = 20 * [status]

    assert_failed(world, update(), str(status))


def test_an_archive_of_another_size_than_announced_is_not_fetched(
    world, published, builder, inbox
):
    check_feed()
    DatabaseRelease.objects.filter(version=NEW).update(archive_bytes=17)

    run = update(NEW)

    assert run.phase == Phase.FAILED
    assert "announced 17" in run.error


def test_too_little_disk_is_told_with_numbers_before_anything_is_fetched(
    world, published, monkeypatch
):
    monkeypatch.setattr(store, "free_bytes", lambda _: 1000)

    run = update()

    assert run.error_code == "insufficient_disk_space"
    assert re.search(r"0\.0 MB free; .* MB are needed", run.error)
    assert active_version() == OLD


def test_too_little_memory_is_told_with_numbers_before_anything_is_fetched(
    world, published, archive, processes
):
    processes[1] = serving(OLD, available_memory_bytes=1)

    run = update()

    assert run.error_code == "insufficient_memory"
    assert re.search(r"needs 1 x \d+ MB of memory on web, where 0 MB", run.error)
    assert active_version() == OLD
    assert published.sent_archive_bytes < archive.stat().st_size
