"""The trial load as it really runs: in a process that may die."""

import contextlib
import os
import select
import struct
import subprocess
import sys

import psutil
import pytest

from dbupdates.exceptions import InvalidRelease, UnloadableIndex
from dbupdates.tests.builder import (
    ELEMENTS_AT,
    MAX_ELEMENTS_AT,
    ReleaseBuilder,
    element_bytes,
    index_bytes,
)
from dbupdates.trial_load import TrialReport, load_on_trial

FACE_COUNT = 25


@pytest.fixture
def builder():
    return ReleaseBuilder()


def on_trial(folder, **options):
    return load_on_trial(folder, on_checked=lambda _bytes: None, **options)


def with_links_to_nowhere(index):
    """Return the index with every link leading 4 TB past its end."""
    content = bytearray(index)
    for n in range(FACE_COUNT):
        links_at = ELEMENTS_AT + n * element_bytes(index) + 4
        struct.pack_into("<24I", content, links_at, *[0x7FFFFFF0] * 24)
    return bytes(content)


def with_label_far_away(index):
    """Return the index with a head that puts the ids 1 TB into each element."""
    content = bytearray(index)
    struct.pack_into("<Q", content, 51, 1 << 40)
    return bytes(content)


def test_a_good_release_loads_and_leaves_its_prepared_form(builder, tmp_path):
    folder = builder.write_folder(tmp_path)
    checked: list[int] = []

    report = load_on_trial(folder, on_checked=checked.append)

    assert report == TrialReport(face_count=FACE_COUNT, performer_count=12)
    assert sorted(p.name for p in (folder / "prepared").iterdir()) == [
        "face_performers.npy",
        "performer_offsets.npy",
        "performers.jsonl",
    ]
    assert checked == sorted(checked)
    assert checked[-1] > 0


def test_optional_files_are_loaded_too(builder, tmp_path):
    builder.files["face_adaface.voy"] = index_bytes(7)
    builder.files["tattoo_embeddings.voy"] = index_bytes(2, dimensions=1280)
    builder.files["tattoo_embeddings.json"] = b'[null, {"universal_id": "x:1"}]'

    report = on_trial(builder.write_folder(tmp_path))

    assert report.face_count == FACE_COUNT


def test_an_index_that_crashes_the_loader_takes_nobody_along(builder, tmp_path):
    index = builder.files["face_arcface.voy"]
    builder.files["face_arcface.voy"] = with_label_far_away(index)

    with pytest.raises(
        UnloadableIndex, match=r"face_arcface\.voy: the trial load was ended by SIGSEGV"
    ):
        on_trial(builder.write_folder(tmp_path))


def test_links_that_would_crash_a_search_are_seen_before_it(builder, tmp_path):
    index = builder.files["face_arcface.voy"]
    builder.files["face_arcface.voy"] = with_links_to_nowhere(index)

    with pytest.raises(UnloadableIndex, match="links to elements it does not have"):
        on_trial(builder.write_folder(tmp_path))


def test_an_index_that_wants_all_memory_is_refused(builder, tmp_path):
    # 8.6 GB for 25 faces: less than many machines have.
    builder.change("face_facenet.voy", MAX_ELEMENTS_AT, "<Q", 4_000_000)

    with pytest.raises(
        UnloadableIndex, match=r"face_facenet\.voy cannot be loaded.*mem"
    ):
        on_trial(builder.write_folder(tmp_path))


def test_a_trial_that_takes_too_long_is_ended(builder, tmp_path):
    folder = builder.write_folder(tmp_path)

    with pytest.raises(InvalidRelease, match="took more than 0 s"):
        on_trial(folder, timeout_seconds=0.01)


def test_a_listener_that_raises_ends_the_trial(builder, tmp_path):
    folder = builder.write_folder(tmp_path)

    def cancel(_checked_bytes):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_on_trial(folder, on_checked=cancel)

    children = [child.cmdline() for child in psutil.Process().children()]
    assert not [command for command in children if str(folder) in command]


@pytest.mark.parametrize(
    ("name", "content", "error", "reason"),
    [
        ("performers.db", b"", InvalidRelease, "has no table performers"),
        ("performers.db", b"x" * 9000, InvalidRelease, "no readable database"),
        ("faces.json", b"{}", InvalidRelease, "is not a list"),
        ("performers.json", b"[]", InvalidRelease, "is not an object"),
        ("face_facenet.voy", b"", UnloadableIndex, "cannot be loaded"),
        (
            "face_arcface.voy",
            index_bytes(FACE_COUNT - 1),
            InvalidRelease,
            r"face_arcface\.voy has 24 vectors, faces\.json 25 entries",
        ),
        (
            "tattoo_embeddings.voy",
            index_bytes(2, dimensions=512),
            UnloadableIndex,
            "has 512 dimensions, not 1280",
        ),
        (
            "tattoo_embeddings.voy",
            index_bytes(3, dimensions=1280),
            InvalidRelease,
            r"has 3 vectors, tattoo_embeddings\.json 2 entries",
        ),
        ("tattoo_embeddings.json", b"{}", InvalidRelease, "is not a list"),
        ("tattoo_embeddings.json", b"[{}, 1]", InvalidRelease, "names no performer"),
        ("face_adaface.voy", index_bytes(3, dimensions=4), UnloadableIndex, "has 4"),
    ],
)
def test_files_that_disagree_are_refused(
    builder, tmp_path, name, content, error, reason
):
    builder.files["tattoo_embeddings.voy"] = index_bytes(2, dimensions=1280)
    builder.files["tattoo_embeddings.json"] = b"[null, null]"
    builder.files[name] = content

    with pytest.raises(InvalidRelease, match=reason) as raised:
        on_trial(builder.write_folder(tmp_path))

    assert raised.type is error


def test_a_trial_dies_with_whoever_started_it(builder, tmp_path):
    folder = builder.write_folder(tmp_path)
    # Reading an index that is a pipe nobody writes to lasts for ever.
    fifo = folder / "face_facenet.voy"
    fifo.unlink()
    os.mkfifo(fifo)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib\n"
            "from dbupdates.trial_load import load_on_trial\n"
            "tell = lambda checked: print(checked, flush=True)\n"
            "load_on_trial(pathlib.Path(sys.argv[1]), on_checked=tell)",
            str(folder),
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    with parent.stdout:
        writing_end = opened_once_read(fifo, ticks=parent.stdout)

        parent.kill()
        parent.wait()

    poll = select.poll()
    poll.register(writing_end, 0)
    # An error on the writing end: nobody reads any more.
    assert poll.poll(10_000) == [(writing_end, select.POLLERR)]
    os.close(writing_end)


def opened_once_read(fifo, *, ticks):
    """Open the pipe to write; tries at each line of `ticks` until it is read."""
    for _ in ticks:
        with contextlib.suppress(OSError):
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    pytest.fail("the trial ended before it read the index")
