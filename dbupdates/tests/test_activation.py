"""Which release is served, and who may say no."""

import pytest
from django.db import IntegrityError, transaction

from dbupdates import store
from dbupdates.exceptions import ReleaseNotFound, WrongNetworks
from dbupdates.models import DatabaseRelease
from dbupdates.services import activate_release, get_release, import_release
from dbupdates.signals import release_activated, release_activating
from dbupdates.tests.factories import DatabaseReleaseFactory
from stashsense.exceptions import StashSenseError
from stashsense.tests import databases

Status = DatabaseRelease.Status


@pytest.fixture
def staged(world, builder, inbox):
    return import_release(builder.write_zip(inbox))


@pytest.fixture
def heard():
    """Return what both signals said, in order."""
    told: list[tuple[str, str, str]] = []

    def hear(name):
        def receiver(release, **_):
            active = store.active_release()
            told.append((name, release.version, active.version if active else ""))

        return receiver

    activating, activated = hear("activating"), hear("activated")
    release_activating.connect(activating)
    release_activated.connect(activated)
    yield told
    release_activating.disconnect(activating)
    release_activated.disconnect(activated)


def statuses():
    return dict(DatabaseRelease.objects.values_list("version", "status"))


def test_the_activated_release_is_served_and_the_other_retires(staged):
    release = activate_release(staged)

    assert release.status == Status.ACTIVE
    assert release.activated_at is not None
    assert statuses() == {"2026.02.18": "active", "2026.01.01": "retired"}
    retired = get_release("2026.01.01")
    assert retired.retired_at == release.activated_at


def test_what_is_served_is_read_off_the_row(staged):
    activate_release(staged)

    active = store.active_release()

    assert active is not None
    assert active == store.describe(get_release("2026.02.18"))
    assert active.path == store.release_path("2026.02.18")
    assert active.network_set == "test-1"
    assert set(active.network_files) == {
        "facenet512.onnx",
        "arcface.onnx",
        "detector/det.onnx",
    }
    assert (active.performer_count, active.face_count) == (12, 25)
    assert active.sources == ("stashdb.org",)
    assert active.created_at == staged.created_at


def test_rolling_back_is_activating_the_older_one(staged):
    activate_release(staged)

    activate_release(get_release("2026.01.01"))

    assert statuses() == {"2026.02.18": "retired", "2026.01.01": "active"}
    assert get_release("2026.01.01").retired_at is None


def test_receivers_are_asked_before_and_told_after(
    staged, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        activate_release(staged)

    assert heard == [
        ("activating", "2026.02.18", "2026.01.01"),
        ("activated", "2026.02.18", "2026.02.18"),
    ]


def test_activating_the_active_release_does_nothing(
    world, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        release = activate_release(get_release("2026.01.01"))

    assert release.is_active
    assert heard == []
    world.assert_unchanged()


def test_a_receiver_refuses_by_raising(world, staged):
    world.before = world.state()

    def refuse(**_):
        raise WrongNetworks("made for other networks")

    release_activating.connect(refuse)
    try:
        with pytest.raises(WrongNetworks):
            activate_release(staged)
    finally:
        release_activating.disconnect(refuse)

    world.assert_unchanged()


def test_a_receiver_that_fails_afterwards_undoes_nothing(
    staged, django_capture_on_commit_callbacks, caplog
):
    def fail(**_):
        raise RuntimeError("cannot reload")

    release_activated.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            activate_release(staged)
    finally:
        release_activated.disconnect(fail)

    assert statuses()["2026.02.18"] == "active"
    assert "cannot reload" in caplog.text


@pytest.mark.parametrize("kind", ["other networks", "published networks"])
def test_a_release_of_networks_that_are_not_installed_is_not_activated(
    world, builder, inbox, settings, kind
):
    if kind == "published networks":
        del builder.manifest["networks"]
    else:
        (settings.MODELS_DIR / "test-1" / "arcface.onnx").write_bytes(b"another")
    release = import_release(builder.write_zip(inbox))
    world.before = world.state()

    with pytest.raises(StashSenseError, match=r"network|file this release was made"):
        activate_release(release)

    world.assert_unchanged()


@pytest.mark.parametrize("status", [Status.AVAILABLE, Status.PURGED, Status.REJECTED])
def test_a_release_without_files_is_not_activated(world, status):
    release = DatabaseReleaseFactory(version="2026.02.18", status=status)
    world.before = world.state()

    with pytest.raises(ReleaseNotFound, match=f"is {status}, not installed"):
        activate_release(release)

    world.assert_unchanged()


@databases.one_host
def test_a_release_whose_folder_is_gone_is_not_activated(world):
    release = DatabaseReleaseFactory(version="2026.02.18", status=Status.STAGED)
    world.before = world.state()

    with pytest.raises(ReleaseNotFound, match=r"are gone from .*import it again"):
        activate_release(release)

    world.assert_unchanged()


def test_the_database_allows_one_active_release(world):
    with pytest.raises(IntegrityError), transaction.atomic():
        DatabaseReleaseFactory(active=True)

    assert DatabaseRelease.objects.filter(status=Status.ACTIVE).count() == 1


def test_without_a_row_nothing_is_served(db, data_dir):
    assert store.active_release() is None
    with pytest.raises(ReleaseNotFound, match=r"no release 2026\.02\.18"):
        get_release("2026.02.18")
    with pytest.raises(ReleaseNotFound, match="no release latest"):
        get_release("latest")


def test_asking_for_the_active_release_takes_one_query(
    world, django_assert_num_queries
):
    with django_assert_num_queries(1):
        store.active_release()
