"""The prepared form: what is written can be read, what is damaged is refused."""

import json
import shutil

import numpy as np
import pytest

from dbupdates.exceptions import InvalidRelease
from dbupdates.prepared import Performer, open_prepared, write_prepared

ANNA = "stashdb.org:a"
BERT = "theporndb.net:b"


def release_dir(tmp_path, *, faces, performers):
    for name, content in (("faces.json", faces), ("performers.json", performers)):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    return release_dir(
        tmp_path,
        faces=[BERT, None, ANNA, BERT],
        performers={
            ANNA: {
                "name": "Anna É\ud83d",
                "country": "NL",
                "image_url": "https://example.org/a.jpg",
                "face_count": 1,
                "aliases": ["ignored"],
            },
            BERT: {"name": None},
        },
    )


def test_each_face_leads_to_its_performer(folder):
    write_prepared(folder)

    prepared = open_prepared(folder)

    assert (prepared.face_count, prepared.performer_count) == (4, 2)
    np.testing.assert_array_equal(prepared.face_performers, [1, -1, 0, 1])
    assert prepared.face_performers.dtype == np.int32
    assert prepared.performer(0) == Performer(
        universal_id=ANNA,
        name="Anna É\ud83d",
        country="NL",
        image_url="https://example.org/a.jpg",
        face_count=1,
    )
    assert prepared.performer(1) == Performer(BERT, "Unknown", None, None, None)


def test_a_performer_is_found_by_the_universal_id_alone(tmp_path):
    tricky = 'stashdb.org:"} é'
    folder = release_dir(
        tmp_path,
        faces=[BERT],
        performers={
            ANNA: {"name": '{"universal_id": "theporndb.net:b", '},
            tricky: {"name": ANNA},
            BERT: {},
        },
    )
    write_prepared(folder)

    prepared = open_prepared(folder)

    # Twice: what was found is remembered.
    for _ in range(2):
        assert [prepared.find_row(id) for id in (ANNA, tricky, BERT)] == [0, 1, 2]
        assert prepared.find_row("stashdb.org:") is None
        assert prepared.find_row("stashdb.org:aa") is None


def test_rows_outside_the_table_are_errors(folder):
    write_prepared(folder)
    prepared = open_prepared(folder)

    for row in (-1, 2):
        with pytest.raises(IndexError):
            prepared.performer(row)


def test_it_stays_readable_when_its_folder_is_deleted(folder):
    write_prepared(folder)
    prepared = open_prepared(folder)

    shutil.rmtree(folder)

    assert prepared.performer(0).universal_id == ANNA
    assert list(prepared.face_performers) == [1, -1, 0, 1]


@pytest.mark.parametrize(
    ("faces", "performers", "reason"),
    [
        ([BERT], {ANNA: {}}, f"face 0 belongs to '{BERT}', who is not in"),
        ([ANNA, 5], {ANNA: {}}, "face 1 belongs to '5'"),
        ([[ANNA]], {ANNA: {}}, "face 0 belongs to"),
        ({}, {ANNA: {}}, "faces.json is not a list"),
        ([], {ANNA: {}}, "faces.json is not a list"),
        ([None], {}, "performers.json is not an object"),
        ([None], [], "performers.json is not an object"),
        ([None], {ANNA: None}, f"'{ANNA}' is no performer"),
        ([None], {"": {}}, "'' is no performer"),
        ([None], {ANNA: {"name": 5}}, f"{ANNA} has name 5"),
        ([None], {ANNA: {"country": ["NL"]}}, f"{ANNA} has country"),
        ([None], {ANNA: {"image_url": 1}}, f"{ANNA} has image_url"),
        ([None], {ANNA: {"face_count": "2"}}, f"{ANNA} has face_count"),
        ([None], {ANNA: {"face_count": -1}}, f"{ANNA} has face_count"),
        (b"[", {ANNA: {}}, "faces.json is not JSON"),
        (b"", {ANNA: {}}, "faces.json is not JSON"),
        (b"[" * 100_000, {ANNA: {}}, "faces.json is not JSON"),
        ([None], b"\xff", "performers.json is not JSON"),
    ],
)
def test_files_that_make_no_sense_together_are_refused(
    tmp_path, faces, performers, reason
):
    folder = release_dir(tmp_path, faces=faces, performers=performers)

    with pytest.raises(InvalidRelease, match=reason):
        write_prepared(folder)

    assert not (folder / "prepared").exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path):
    path.write_bytes(b"")


def replaced_by(array):
    return lambda path: np.save(path, array)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("face_performers.npy", cut),
        ("face_performers.npy", emptied),
        ("face_performers.npy", replaced_by(np.array([0, 2], np.int32))),
        ("face_performers.npy", replaced_by(np.array([0, -2], np.int32))),
        ("face_performers.npy", replaced_by(np.array([0, 1], np.int64))),
        ("face_performers.npy", replaced_by(np.array([[0, 1]], np.int32))),
        ("face_performers.npy", replaced_by(np.array([], np.int32))),
        ("performer_offsets.npy", cut),
        ("performer_offsets.npy", replaced_by(np.array([0], np.int64))),
        ("performer_offsets.npy", replaced_by(np.array([0, 9, 5], np.int64))),
        ("performers.jsonl", cut),
        ("performers.jsonl", emptied),
        ("performers.jsonl", lambda path: path.unlink()),
    ],
)
def test_a_damaged_form_is_not_opened(folder, name, damage):
    write_prepared(folder)
    damage(folder / "prepared" / name)

    with pytest.raises((OSError, ValueError)):
        open_prepared(folder)


def test_offsets_out_of_order_are_not_followed(folder):
    write_prepared(folder)
    path = folder / "prepared" / "performer_offsets.npy"
    start, middle, end = np.load(path)
    np.save(path, np.array([start, end + middle, end], np.int64))

    with pytest.raises(ValueError, match="is not in order"):
        open_prepared(folder)
