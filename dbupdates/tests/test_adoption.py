"""Moving over: the predecessor's flat files become a release, once."""

import shutil

import pytest

from dbupdates import reconcile, store
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import check_feed
from dbupdates.services import import_release
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.conftest import names_in
from dbupdates.tests.updating import NEW, OLD, active_version


@pytest.fixture
def told():
    return []


@pytest.fixture
def start(told):
    """Do what a start does, and the work it asks for; return the run, if any."""

    def start():
        told.clear()
        before = {*UpdateRun.objects.values_list("pk", flat=True)}
        reconcile.reconcile(told.append)
        run = UpdateRun.objects.exclude(pk__in=before).first()
        if run is not None:
            execute_run(run.pk)
            run.refresh_from_db()
        return run

    return start


@pytest.fixture
def flat(db, data_dir, builder):
    """Return a data folder as the predecessor left it, and things beside it."""
    data_dir.mkdir(exist_ok=True)
    for name, content in builder.members().items():
        (data_dir / name).write_bytes(content)
    (data_dir / "predecessor.db").write_bytes(b"settings")
    return data_dir


def inodes(paths):
    return {path.name: path.stat().st_ino for path in paths}


def test_flat_files_become_the_active_release_without_a_copy(
    flat, builder, start, told
):
    before = inodes(flat / name for name in builder.members())

    run = start()

    assert (run.phase, run.kind, run.asked_by) == (Phase.COMPLETE, "import", "start")
    assert active_version() == NEW
    files = dict(store.iter_file_paths(NEW))
    assert inodes(files[name] for name in before) == before
    assert not any((flat / name).exists() for name in before)
    assert (flat / "predecessor.db").read_bytes() == b"settings"
    assert names_in(flat / "staging") == []
    assert "Adopting the release" in told[0]
    assert start() is None


def test_files_are_copied_where_they_cannot_be_linked(flat, start, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)

    assert start().phase == Phase.COMPLETE
    assert active_version() == NEW


def test_flat_files_that_are_no_sound_release_stay_and_are_told_of_once(
    flat, builder, start
):
    (flat / "faces.json").write_bytes(b"[]")

    run = start()

    assert run.phase == Phase.FAILED
    assert "faces.json: expected sha256" in run.error
    assert all((flat / name).is_file() for name in builder.members())
    assert names_in(flat / "staging") == []
    assert active_version() is None
    assert start() is None


def test_a_manifest_that_is_none_is_told_of(flat, start):
    (flat / "manifest.json").write_bytes(b"{}")

    assert start().phase == Phase.FAILED
    assert start() is None


def test_what_is_served_stays_served(world, builder, start):
    for name, content in builder.members().items():
        (world.data_dir / name).write_bytes(content)

    assert start().phase == Phase.COMPLETE

    assert active_version() == OLD
    assert DatabaseRelease.objects.get(version=NEW).status == "staged"


def test_networks_that_are_missing_leave_it_installed_and_the_reason_told(
    flat, start, settings
):
    (settings.MODELS_DIR / "test-1" / "arcface.onnx").unlink()

    run = start()

    assert run.phase == Phase.FAILED
    assert "arcface.onnx" in run.error
    assert DatabaseRelease.objects.get(version=NEW).status == "staged"
    assert active_version() is None
    assert start() is None


def test_a_crash_between_installing_and_forgetting_is_finished_by_the_next_start(
    flat, builder, start
):
    start()
    # As if the first names were still there.
    for name, path in store.iter_file_paths(NEW):
        if not name.startswith("prepared/"):
            (flat / name).hardlink_to(path)

    assert start().phase == Phase.COMPLETE

    assert not (flat / "manifest.json").exists()
    assert active_version() == NEW
    assert names_in(flat / "releases") == [NEW]


def test_after_the_rows_were_lost_the_newest_release_is_adopted_first(
    world, start, tmp_path, published
):
    versions = ["2026.02.18", "2026.02.18.2", "2026.02.18.10"]
    for version in versions:
        import_release(ReleaseBuilder(version).write_folder(tmp_path / version))
    DatabaseRelease.objects.all().delete()
    shutil.rmtree(store.release_path(OLD))

    assert start().version == "2026.02.18.10"
    assert active_version() == "2026.02.18.10"

    # The feed makes a row for another before it is adopted.
    check_feed()
    assert DatabaseRelease.objects.get(version=NEW).status == "available"
    assert start().version == "2026.02.18.2"
    assert start().version == NEW

    assert start() is None
    assert names_in(world.data_dir / "releases") == sorted(versions)
    assert active_version() == "2026.02.18.10"
    assert DatabaseRelease.objects.installed().count() == 3
    assert published.sent_archive_bytes == 0


def test_a_release_whose_row_was_lost_is_taken_in_again(world, start):
    folder = ReleaseBuilder().write_folder(world.data_dir.parent)
    import_release(folder)
    before = inodes([store.release_path(NEW) / "faces.json"])
    DatabaseRelease.objects.filter(version=NEW).delete()

    assert start().phase == Phase.COMPLETE

    assert DatabaseRelease.objects.get(version=NEW).status == "staged"
    assert inodes([store.release_path(NEW) / "faces.json"]) == before
