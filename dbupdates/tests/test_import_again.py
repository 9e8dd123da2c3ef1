"""Importing a version that is known already, and versions beside each other."""

import pytest

from dbupdates import store
from dbupdates.exceptions import InvalidRelease
from dbupdates.models import DatabaseRelease
from dbupdates.services import import_release, verify_release
from dbupdates.tests.builder import ReleaseBuilder, sha256
from dbupdates.tests.conftest import names_in
from dbupdates.tests.factories import DatabaseReleaseFactory

Status = DatabaseRelease.Status


def put(name, content):
    return lambda builder: builder.files.update({name: content})


def state(**changes):
    return lambda builder: builder.manifest.update(changes)


def test_importing_the_same_again_does_nothing(world, builder, inbox):
    path = builder.write_zip(inbox)
    first = import_release(path)
    world.before = world.state()

    again = import_release(path)

    assert again == first
    world.assert_unchanged()


@pytest.mark.parametrize(
    "change",
    [put("notes.txt", b"more"), state(sources=[]), put("faces.json", b"[null]")],
    ids=["another file", "another manifest", "another content"],
)
def test_the_same_version_with_other_content_is_refused(world, builder, inbox, change):
    import_release(builder.write_zip(inbox))
    world.before = world.state()
    change(builder)

    with pytest.raises(InvalidRelease, match=r"2026\.02\.18 is installed with another"):
        import_release(builder.write_zip(inbox))

    world.assert_unchanged()


def test_the_same_version_with_a_file_less_is_refused(world, builder, inbox):
    builder.files["notes.txt"] = b"x"
    with_notes = builder.manifest_bytes()
    release = import_release(builder.write_zip(inbox))
    # As if the manifest had not named it: the rest is what is installed.
    del builder.files["notes.txt"]
    release.files.filter(name="manifest.json").update(
        sha256=sha256(builder.manifest_bytes())
    )
    assert builder.manifest_bytes() != with_notes
    world.before = world.state()

    with pytest.raises(InvalidRelease, match=r"is installed and has notes\.txt too"):
        import_release(builder.write_zip(inbox))

    world.assert_unchanged()


def test_the_same_version_spelled_differently_is_the_same(world, builder, inbox):
    import_release(builder.write_zip(inbox))
    world.before = world.state()
    builder.manifest["version"] = "v2026.2.18"

    with pytest.raises(InvalidRelease, match=r"installed with another manifest\.json"):
        import_release(builder.write_zip(inbox))

    world.assert_unchanged()


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.RETIRED, Status.STAGED])
def test_an_installed_release_that_lost_its_files_gets_them_back(
    world, builder, inbox, status
):
    path = builder.write_zip(inbox)
    release = import_release(path)
    DatabaseRelease.objects.update(status=Status.RETIRED)
    DatabaseRelease.objects.filter(pk=release.pk).update(status=status)
    (store.release_path(release.version) / "faces.json").unlink()

    again = import_release(path)

    assert (again.pk, again.status) == (release.pk, status)
    assert verify_release(again) == []
    assert names_in(world.data_dir / "staging") == []


@pytest.mark.parametrize("status", [Status.AVAILABLE, Status.PURGED, Status.REJECTED])
def test_a_release_whose_row_has_no_files_is_staged(world, builder, inbox, status):
    row = DatabaseReleaseFactory(version="2026.02.18", status=status, reason="x")

    release = import_release(builder.write_zip(inbox))

    assert release.pk == row.pk
    assert (release.status, release.reason) == (Status.STAGED, "")
    assert verify_release(release) == []


def test_a_folder_without_a_row_is_replaced(world, builder, inbox):
    orphan = store.release_path("2026.02.18")
    orphan.mkdir()
    (orphan / "faces.json").write_text("left by a crash")

    release = import_release(builder.write_zip(inbox))

    assert verify_release(release) == []
    assert names_in(world.data_dir / "staging") == []


def test_releases_of_different_versions_lie_side_by_side(world, inbox):
    for number, version in enumerate(["2026.2.9", "2026.02.18.1", "2026.02.18"]):
        import_release(ReleaseBuilder(version, seed=number).write_zip(inbox))

    # Newest first, by number.
    assert [str(release) for release in DatabaseRelease.objects.installed()] == [
        "2026.02.18.1",
        "2026.02.18",
        "2026.02.09",
        "2026.01.01",
    ]
    assert names_in(world.data_dir / "releases") == [
        "2026.01.01",
        "2026.02.09",
        "2026.02.18",
        "2026.02.18.1",
    ]
