"""Importing: what ends up installed, and what a refusal leaves behind: nothing."""

import errno
import json
import os
import shutil
import stat
import zipfile

import pytest
import voyager

from dbupdates import store
from dbupdates.exceptions import (
    ChecksumMismatch,
    InvalidManifest,
    InvalidRelease,
    UnloadableIndex,
    UnsafeArchive,
    UpdateInProgress,
)
from dbupdates.models import DatabaseRelease
from dbupdates.prepared import open_prepared
from dbupdates.progress import Phase, Progress
from dbupdates.services import import_release, verify_release
from dbupdates.tests.builder import (
    LABEL_OFFSET_AT,
    NETWORKS,
    index_bytes,
    performers_db_bytes,
    sha256,
)
from dbupdates.tests.conftest import names_in
from stashsense.downloads.exceptions import InsufficientDiskSpace

Status = DatabaseRelease.Status


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_good_release_is_staged(world, builder, inbox, kind):
    path = builder.write_zip(inbox) if kind == "zip" else builder.write_folder(inbox)

    release = import_release(path)

    release.refresh_from_db()
    assert release.status == Status.STAGED
    assert release.version == "2026.02.18"
    assert (release.performer_count, release.face_count) == (12, 25)
    assert release.sources == ["stashdb.org"]
    assert release.network_set == NETWORKS["name"]
    assert release.network_files["detector/det.onnx"] == sha256(b"a detector")
    assert release.created_at is not None
    assert release.staged_at is not None
    # It lies there, whole, and nobody serves it yet.
    folder = store.release_path("2026.02.18")
    assert {n: (folder / n).read_bytes() for n in builder.members()} == (
        builder.members()
    )
    assert open_prepared(folder).face_count == 25
    assert verify_release(release) == []
    assert names_in(world.data_dir / "staging") == []
    active = store.active_release()
    assert active is not None
    assert active.version == "2026.01.01"


def test_every_file_is_recorded_and_read_only(world, builder, inbox):
    release = import_release(builder.write_zip(inbox))

    folder = store.release_path(release.version)
    files = {file.name: file for file in release.files.all()}
    on_disk = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert files.keys() == on_disk.keys()
    assert release.size_bytes == sum(p.stat().st_size for p in on_disk.values())
    for name, path in on_disk.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
        assert files[name].size_bytes == path.stat().st_size
        assert files[name].sha256 == sha256(path.read_bytes())


def test_progress_is_told_phase_by_phase(world, builder, inbox):
    heard: list[Progress] = []

    import_release(builder.write_zip(inbox), on_progress=heard.append)

    total_bytes = sum(map(len, builder.members().values()))
    phases = [Phase.EXTRACTING, Phase.VERIFYING]
    assert list(dict.fromkeys(progress.phase for progress in heard)) == phases
    for phase in phases:
        done = [p.done_bytes for p in heard if p.phase == phase]
        assert done == sorted(done)
        assert done[0] == 0
        assert done[-1] <= total_bytes
    assert {progress.total_bytes for progress in heard} == {total_bytes}


def test_a_manifest_that_names_no_networks_is_of_the_published_kind(
    world, builder, inbox
):
    del builder.manifest["networks"]

    release = import_release(builder.write_zip(inbox))

    assert release.network_set == "published"
    assert release.network_files["buffalo_sc/det_500m.onnx"] == ""


def test_unknown_files_that_are_listed_are_kept(world, builder, inbox):
    builder.files["notes.txt"] = b"to whom it may concern"

    release = import_release(builder.write_zip(inbox))

    assert (store.release_path(release.version) / "notes.txt").exists()


def leave_out(name):
    return lambda builder: builder.left_out.add(name)


def add_unlisted(name):
    return lambda builder: builder.unlisted.update({name: b"surprise"})


def put(name, content):
    return lambda builder: builder.files.update({name: content})


def state(**changes):
    return lambda builder: builder.manifest.update(changes)


def misstate_digest(name):
    return lambda builder: builder.checksums.update({name: "sha256:" + "0" * 64})


def crash_the_loader(builder):
    # The head then puts the ids a terabyte into each element.
    builder.change("face_facenet.voy", LABEL_OFFSET_AT, "<Q", 1 << 40)


REFUSALS = {
    "a required file is missing": (
        leave_out("performers.json"),
        InvalidRelease,
        r"lists performers\.json, not there",
    ),
    "an optional listed file is missing": (
        lambda b: (put("notes.txt", b"x")(b), leave_out("notes.txt")(b)),
        InvalidRelease,
        r"lists notes\.txt, not there",
    ),
    "an unknown file is not listed": (
        add_unlisted("notes.txt"),
        InvalidRelease,
        r"does not list notes\.txt",
    ),
    "a known file is not listed": (
        add_unlisted("face_adaface.voy"),
        InvalidRelease,
        r"does not list face_adaface\.voy",
    ),
    "there is no manifest": (
        leave_out("manifest.json"),
        InvalidManifest,
        r"there is no manifest\.json",
    ),
    "the manifest lists no digests": (
        state(checksums={}),
        InvalidManifest,
        "do not list",
    ),
    "the manifest is of another kind": (
        state(models={"facenet_dim": 128}),
        InvalidManifest,
        "only 512 is supported",
    ),
    "a digest is wrong": (
        misstate_digest("face_arcface.voy"),
        ChecksumMismatch,
        r"face_arcface\.voy: expected sha256 0{64}, got [0-9a-f]{64}",
    ),
    "an index has other dimensions": (
        put("face_arcface.voy", index_bytes(25, dimensions=256)),
        UnloadableIndex,
        "has 256 dimensions, not 512",
    ),
    "an index has another space": (
        put("face_arcface.voy", index_bytes(25, space=voyager.Space.Euclidean)),
        UnloadableIndex,
        "is of space Euclidean, not Cosine",
    ),
    "an index is longer than faces.json": (
        put("face_arcface.voy", index_bytes(26)),
        InvalidRelease,
        "has 26 vectors, faces.json 25 entries",
    ),
    "an index is truncated": (
        put("face_facenet.voy", index_bytes(25)[:-10]),
        UnloadableIndex,
        "cannot be loaded",
    ),
    "an index crashes the loader": (
        crash_the_loader,
        UnloadableIndex,
        r"face_facenet\.voy: the trial load was ended by SIGSEGV",
    ),
    "performers.db is no database": (
        put("performers.db", b"no database" * 1000),
        InvalidRelease,
        r"performers\.db is no readable database",
    ),
    "performers.db lacks a table": (
        put("performers.db", performers_db_bytes(faces="")),
        InvalidRelease,
        "has no table faces",
    ),
    "the manifest states other faces": (
        state(face_count=24),
        InvalidRelease,
        r"states 24 faces in faces\.json, where there are 25",
    ),
    "the manifest states other performers": (
        state(performer_count=13),
        InvalidRelease,
        "states 13 performers in performers.json, where there are 12",
    ),
    "a face belongs to nobody known": (
        put("faces.json", json.dumps(["x:1"] * 25).encode()),
        InvalidRelease,
        "face 0 belongs to 'x:1'",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_release_changes_nothing(world, builder, inbox, refusal):
    break_it, error, reason = REFUSALS[refusal]
    break_it(builder)

    with pytest.raises(InvalidRelease, match=reason) as raised:
        import_release(builder.write_zip(inbox))

    assert raised.type is error
    world.assert_unchanged()


def test_a_refused_folder_changes_nothing(world, builder, inbox):
    misstate_digest("faces.json")(builder)

    with pytest.raises(ChecksumMismatch):
        import_release(builder.write_folder(inbox))

    world.assert_unchanged()


def with_member(info_or_name, content=b"x"):
    def add(path):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(info_or_name, content)

    return add


def symlink_member():
    info = zipfile.ZipInfo("notes.txt")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return with_member(info, b"/etc/passwd")


def encrypt(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)


def add_ratio_bomb(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", bytes(5_000_000))


UNSAFE_ARCHIVES = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "encrypted": encrypt,
    "path escape": with_member("../evil"),
    "absolute path": with_member("/evil"),
    "symlink": symlink_member(),
    "duplicate member": with_member("FACES.json"),
    "bomb by ratio": add_ratio_bomb,
    "bomb by count": lambda path: [with_member(f"f{n}")(path) for n in range(70)],
}


@pytest.mark.parametrize("fault", UNSAFE_ARCHIVES)
def test_an_unsafe_archive_changes_nothing(world, builder, inbox, fault):
    path = builder.write_zip(inbox)
    UNSAFE_ARCHIVES[fault](path)

    with pytest.raises(UnsafeArchive):
        import_release(path)

    world.assert_unchanged()
    assert names_in(inbox) == [path.name]


def test_a_folder_with_a_symlink_changes_nothing(world, builder, inbox):
    folder = builder.write_folder(inbox)
    (folder / "faces.json").unlink()
    (folder / "faces.json").symlink_to("/etc/passwd")

    with pytest.raises(UnsafeArchive, match="not a regular file"):
        import_release(folder)

    world.assert_unchanged()


def test_no_space_is_told_with_numbers_before_anything_is_written(
    world, builder, inbox, monkeypatch
):
    path = builder.write_zip(inbox)
    usage = shutil.disk_usage(inbox)._replace(free=50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)

    with pytest.raises(
        InsufficientDiskSpace, match=r"has 0\.1 MB free; 0\.[0-9] MB are"
    ):
        import_release(path)

    world.assert_unchanged()


def test_a_disk_that_fills_up_changes_nothing(world, builder, inbox, monkeypatch):
    path = builder.write_zip(inbox)

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(InsufficientDiskSpace, match="The disk is full"):
        import_release(path)

    world.assert_unchanged()


@pytest.mark.parametrize("phase", [Phase.EXTRACTING, Phase.VERIFYING])
def test_a_listener_that_raises_stops_the_import(world, builder, inbox, phase):
    path = builder.write_zip(inbox)

    def cancel(progress):
        if progress.phase == phase and progress.done_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_release(path, on_progress=cancel)

    world.assert_unchanged()


def test_what_dead_imports_left_is_removed(world, builder, inbox):
    for name in ("import-dead", "removed-dead", "run-17"):
        (world.data_dir / "staging" / name / "release").mkdir(parents=True)

    import_release(builder.write_zip(inbox))

    # Other runs are not ours to judge.
    assert names_in(world.data_dir / "staging") == ["run-17"]


def test_an_import_while_another_runs_is_refused(world, builder, inbox):
    path = builder.write_zip(inbox)

    with (
        store.exclusive(),
        pytest.raises(
            UpdateInProgress, match="another import or update is in progress"
        ),
    ):
        import_release(path)

    world.assert_unchanged()
    assert import_release(path).status == Status.STAGED


def test_a_manifest_that_changes_while_read_is_noticed(world, builder, inbox):
    folder = builder.write_folder(inbox)

    def edit(progress):
        builder.manifest["sources"] = []
        (folder / "manifest.json").write_bytes(builder.manifest_bytes())

    # Same length or not, it is no longer the manifest that was judged.
    with pytest.raises(InvalidRelease):
        import_release(folder, on_progress=edit)

    world.assert_unchanged()
