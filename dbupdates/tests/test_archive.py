"""What is unpacked, and what is refused before a byte of it is written."""

import io
import os
import stat
import struct
import zipfile

import pytest

from dbupdates import archive
from dbupdates.archive import open_source
from dbupdates.exceptions import InvalidManifest, UnsafeArchive
from dbupdates.tests.builder import sha256

CONTENT = {"manifest.json": b"{}", "faces.json": b"[null]" * 1000}


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def write_zip(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as target:
        for name, content in members:
            target.writestr(name, content)
    return path


def member(name, *, kind=0, system=3):
    info = zipfile.ZipInfo(name)
    info.create_system = system
    info.external_attr = (kind | 0o644) << 16
    return info


def write_folder(folder, members):
    folder.mkdir()
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return folder


def look_into(path):
    with open_source(path):
        pass


@pytest.mark.parametrize("kind", ["zip", "stored zip", "folder"])
def test_files_come_out_as_they_went_in(tmp_path, target, kind):
    if kind == "folder":
        path = write_folder(tmp_path / "in", CONTENT)
    else:
        path = write_zip(tmp_path / "in.zip", CONTENT.items())
    if kind == "stored zip":
        with zipfile.ZipFile(path, "w") as stored:
            for name, content in CONTENT.items():
                stored.writestr(name, content)
    counted: list[int] = []

    with open_source(path) as source:
        manifest = source.read_manifest()
        digests = {
            name: source.copy(name, target / name, on_bytes=counted.append)
            for name in source.sizes
        }

    assert manifest == CONTENT["manifest.json"]
    assert {p.name: p.read_bytes() for p in target.iterdir()} == CONTENT
    assert digests == {name: sha256(content) for name, content in CONTENT.items()}
    assert sum(counted) == source.total_bytes


def test_a_copy_shares_nothing_with_its_source(tmp_path, target):
    folder = write_folder(tmp_path / "in", CONTENT)

    with open_source(folder) as source:
        source.copy("faces.json", target / "faces.json")
    with (folder / "faces.json").open("r+b") as original:
        original.write(b"edited")

    assert (target / "faces.json").read_bytes() == CONTENT["faces.json"]


def test_the_prepared_form_of_an_installed_release_is_left_out(tmp_path):
    folder = write_folder(tmp_path / "in", CONTENT)
    (folder / "prepared").mkdir()

    with open_source(folder) as source:
        assert source.sizes.keys() == CONTENT.keys()


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "folder/faces.json",
        "folder/",
        "..\\evil",
        "C:evil",
        "C:\\evil",
        ".hidden",
        "..",
        "faces.json\0.txt",
        "prepared",
        "x" * 200,
    ],
)
def test_a_member_whose_name_leads_elsewhere_is_refused(tmp_path, target, name):
    # zipfile cleans names it is given, so the name is put into the written bytes.
    stand_in = "N" * len(name)
    path = write_zip(tmp_path / "in.zip", [(stand_in, b"x")])
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name.encode()))

    with pytest.raises(UnsafeArchive, match="is not the name of a file"):
        look_into(path)

    assert not (tmp_path / "evil").exists()
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "kind",
    [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK],
    ids=["symlink", "folder", "fifo", "character device", "block device"],
)
@pytest.mark.parametrize("system", [0, 3], ids=["DOS", "Unix"])
def test_a_member_that_is_no_regular_file_is_refused(tmp_path, kind, system):
    members = [(member("faces.json", kind=kind, system=system), b"/etc/passwd")]
    path = write_zip(tmp_path / "in.zip", members)

    with pytest.raises(UnsafeArchive, match="is not a regular file"):
        look_into(path)


@pytest.mark.parametrize("second", ["faces.json", "FACES.json"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_member_is_refused(tmp_path, second):
    path = write_zip(tmp_path / "in.zip", [("faces.json", b"1"), (second, b"2")])

    with pytest.raises(UnsafeArchive, match="is there twice"):
        look_into(path)


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_an_encrypted_member_is_refused(tmp_path, flag):
    path = write_zip(tmp_path / "in.zip", [("faces.json", b"secret")])
    content = bytearray(path.read_bytes())
    directory_at = content.index(b"PK\1\2")
    struct.pack_into("<H", content, 6, flag)
    struct.pack_into("<H", content, directory_at + 8, flag)
    path.write_bytes(content)

    with pytest.raises(UnsafeArchive, match="is encrypted"):
        look_into(path)


def test_an_unusual_compression_is_refused(tmp_path):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as target:
        target.writestr("faces.json", b"[]")

    with pytest.raises(UnsafeArchive, match="compressed in an unsupported way"):
        look_into(path)


@pytest.mark.parametrize("kept", [0, 10, 100, -1, -30])
def test_a_truncated_zip_is_refused(tmp_path, kept):
    path = write_zip(tmp_path / "in.zip", [("faces.json", os.urandom(1000))])
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(UnsafeArchive, match="cannot be read"):
        look_into(path)


def test_something_else_is_refused(tmp_path):
    path = tmp_path / "in.zip"
    path.write_bytes(b"7z" * 1000)

    with pytest.raises(UnsafeArchive, match="File is not a zip file"):
        look_into(path)
    with pytest.raises(UnsafeArchive, match="neither a zip nor a folder"):
        look_into(tmp_path / "nothing")


def test_damaged_bytes_are_noticed_while_copying(tmp_path, target):
    path = write_zip(tmp_path / "in.zip", [("faces.json", os.urandom(5000))])
    content = bytearray(path.read_bytes())
    content[2000] ^= 0xFF
    path.write_bytes(content)

    with (
        open_source(path) as source,
        pytest.raises(UnsafeArchive, match=r"faces\.json cannot be read"),
    ):
        source.copy("faces.json", target / "faces.json")


@pytest.mark.parametrize("declared", [5, 50_000], ids=["too small", "too large"])
def test_a_size_that_is_not_true_is_noticed_while_copying(tmp_path, target, declared):
    path = write_zip(tmp_path / "in.zip", [("faces.json", b"[]" * 5000)])
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 22, declared)
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, declared)
    path.write_bytes(content)

    with open_source(path) as source, pytest.raises(UnsafeArchive):
        source.copy("faces.json", target / "faces.json")

    assert (target / "faces.json").stat().st_size <= declared


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = write_zip(tmp_path / "in.zip", [("faces.json", bytes(5_000_000))])

    with pytest.raises(UnsafeArchive, match=r"times its size; the limit is 200"):
        look_into(path)


def test_a_bomb_is_refused_by_its_count(tmp_path):
    path = write_zip(tmp_path / "in.zip", [(f"file-{n}", b"x") for n in range(65)])

    with pytest.raises(UnsafeArchive, match="more than 64 files"):
        look_into(path)


def test_a_bomb_is_refused_by_its_directory_before_that_is_read(tmp_path):
    path = write_zip(tmp_path / "in.zip", [(f"{n:0100}", b"") for n in range(10_000)])

    with pytest.raises(UnsafeArchive, match="directory is too large"):
        look_into(path)


def test_a_bomb_is_refused_by_the_bytes_of_a_file(tmp_path):
    folder = write_folder(tmp_path / "in", {})
    with (folder / "faces.json").open("wb") as sparse:
        sparse.truncate(archive.MAX_FILE_BYTES + 1)

    with pytest.raises(UnsafeArchive, match=r"faces\.json has 17179869185 bytes"):
        look_into(folder)


def test_a_bomb_is_refused_by_its_total(tmp_path):
    folder = write_folder(tmp_path / "in", {})
    for name in ("a", "b", "c"):
        with (folder / name).open("wb") as sparse:
            sparse.truncate(archive.MAX_FILE_BYTES)

    with pytest.raises(UnsafeArchive, match="bytes together"):
        look_into(folder)


def test_a_bomb_of_overlapping_members_is_refused(tmp_path):
    path = write_zip(tmp_path / "in.zip", [("a", os.urandom(1000)), ("b", b"x")])
    with zipfile.ZipFile(path) as whole:
        a, b = whole.infolist()
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\1\2")
    # The second member claims the bytes of the first, and some more.
    struct.pack_into("<III", content, at + 16, a.CRC, a.compress_size, a.file_size)
    path.write_bytes(content)

    with pytest.raises(UnsafeArchive, match="members overlap"):
        look_into(path)
    assert b.filename == "b"


def test_a_member_before_the_beginning_is_refused(tmp_path, target):
    path = write_zip(tmp_path / "in.zip", [("faces.json", b"[]")])
    content = bytearray(path.read_bytes())
    # The directory claims to begin later than it does: zipfile moves members back.
    struct.pack_into("<I", content, content.index(b"PK\5\6") + 16, 5000)
    path.write_bytes(content)

    with (
        pytest.raises(UnsafeArchive, match="cannot be read"),
        open_source(path) as source,
    ):
        source.copy("faces.json", target / "faces.json")


@pytest.mark.parametrize("kind", ["symlink", "folder", "fifo", "dangling"])
def test_a_folder_with_anything_but_files_is_refused(tmp_path, kind):
    folder = write_folder(tmp_path / "in", CONTENT)
    path = folder / "extra"
    match kind:
        case "symlink":
            path.symlink_to("/etc/passwd")
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "dangling":
            path.symlink_to(folder / "nowhere")

    with pytest.raises(UnsafeArchive, match="'extra' is not a regular file"):
        look_into(folder)


def test_a_file_that_turns_into_a_symlink_is_not_followed(tmp_path, target):
    folder = write_folder(tmp_path / "in", CONTENT)

    with open_source(folder) as source:
        (folder / "faces.json").unlink()
        (folder / "faces.json").symlink_to("/etc/passwd")
        with pytest.raises(UnsafeArchive, match="not a regular file"):
            source.copy("faces.json", target / "faces.json")

    assert list(target.iterdir()) == []


def test_a_file_that_grows_while_copied_is_refused(tmp_path, target):
    folder = write_folder(tmp_path / "in", CONTENT)

    with open_source(folder) as source:
        with (folder / "faces.json").open("ab") as growing:
            growing.write(b"more")
        with pytest.raises(UnsafeArchive, match="more than the 6000 bytes"):
            source.copy("faces.json", target / "faces.json")


def test_a_file_name_with_odd_characters_is_refused(tmp_path):
    folder = write_folder(tmp_path / "in", {**CONTENT, "a b.json": b"x"})

    with pytest.raises(UnsafeArchive, match=r"'a b\.json' is not a file name"):
        look_into(folder)


def test_a_manifest_is_needed_and_is_small(tmp_path):
    without = write_zip(tmp_path / "a.zip", [("faces.json", b"[]")])
    huge = write_zip(tmp_path / "b.zip", [("manifest.json", b"x" * 300_000)])

    with open_source(without) as source, pytest.raises(InvalidManifest, match="no man"):
        source.read_manifest()
    with open_source(huge) as source, pytest.raises(InvalidManifest, match="more than"):
        source.read_manifest()


def test_an_error_of_the_listener_is_not_taken_for_one_of_the_archive(tmp_path, target):
    path = write_zip(tmp_path / "in.zip", CONTENT.items())

    def stop(_byte_count):
        raise RuntimeError("stop")

    with open_source(path) as source, pytest.raises(RuntimeError, match="stop"):
        source.copy("faces.json", target / "faces.json", on_bytes=stop)


def test_a_zip_may_follow_other_bytes(tmp_path, target):
    inner = io.BytesIO()
    write_zip(inner, CONTENT.items())
    path = tmp_path / "self-extracting"
    path.write_bytes(b"#!/bin/sh\n" + inner.getvalue())

    with open_source(path) as source:
        assert source.read_manifest() == CONTENT["manifest.json"]
