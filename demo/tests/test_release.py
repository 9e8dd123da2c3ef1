import json
import sqlite3
import zipfile

import pytest
import voyager

from demo.release import build_release, created_at_of
from demo.world import DOMAINS, FEWEST_DRAWINGS, World
from stashsense.files import sha256_of

FILES = {
    "face_arcface.voy",
    "face_facenet.voy",
    "faces.json",
    "manifest.json",
    "performers.db",
    "performers.json",
}


def loaded(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_manifest_has_the_right_digest_of_every_other_file(built):
    manifest = loaded(built.folder, "manifest.json")

    assert {path.name for path in built.folder.iterdir()} == FILES
    assert manifest["checksums"] == {
        name: f"sha256:{sha256_of(built.folder / name)}"
        for name in FILES - {"manifest.json"}
    }


def test_the_manifest_says_which_networks_and_which_world(built, small_world):
    manifest = loaded(built.folder, "manifest.json")

    assert manifest["networks"]["name"] == "demo-1"
    assert set(manifest["networks"]["files"]) == {
        "facenet512.onnx",
        "arcface.onnx",
        "detector/det_demo.onnx",
    }
    assert manifest["demo"] == {"seed": small_world.seed, "people": 24}
    assert manifest["created_at"] == "2026-03-04T12:00:00+00:00"


def test_counts_agree_across_the_files(built):
    manifest = loaded(built.folder, "manifest.json")
    faces = loaded(built.folder, "faces.json")
    performers = loaded(built.folder, "performers.json")
    indices = [
        voyager.Index.load(str(built.folder / name))
        for name in ("face_facenet.voy", "face_arcface.voy")
    ]

    assert manifest["performer_count"] == len(performers) == 24
    assert manifest["face_count"] == len(faces) == built.face_count
    assert {len(index) for index in indices} == {len(faces)}
    assert {index.num_dimensions for index in indices} == {512}
    assert {index.space for index in indices} == {voyager.Space.Cosine}
    assert None in faces
    for universal_id, performer in performers.items():
        assert faces.count(universal_id) == performer["face_count"] >= FEWEST_DRAWINGS


def test_performers_db_refers_to_the_same_people_and_faces(built):
    faces = loaded(built.folder, "faces.json")
    database = sqlite3.connect(f"file:{built.folder}/performers.db?mode=ro", uri=True)

    rows = database.execute(
        "SELECT endpoint, stashbox_performer_id, facenet_index FROM faces"
        " JOIN stashbox_ids USING (performer_id)"
    ).fetchall()
    database.close()

    domains = {short: domain for domain, short in DOMAINS.items()}
    expected = {(n, owner) for n, owner in enumerate(faces) if owner is not None}
    assert {(n, f"{domains[end]}:{bare}") for end, bare, n in rows} == expected


def test_the_zip_holds_the_folder_flat(built):
    with zipfile.ZipFile(built.archive) as archive:
        assert set(archive.namelist()) == FILES
        for name in FILES:
            assert archive.read(name) == (built.folder / name).read_bytes()


def test_the_same_world_gives_the_same_bytes(tmp_path):
    one = build_release(World(9, 3), version="2026.05.01", out_dir=tmp_path / "a")
    other = build_release(World(9, 3), version="2026.05.01", out_dir=tmp_path / "b")

    assert one.archive.read_bytes() == other.archive.read_bytes()


def test_another_seed_gives_other_people(tmp_path):
    one, other = World(1, 20), World(2, 20)

    ids = {person.universal_id for person in (*one.people, *other.people)}
    assert len(ids) == 40
    assert len({person.name for person in one.people}) == 20


def test_a_larger_world_begins_with_the_people_of_a_smaller_one():
    assert World(4, 30).people[:10] == World(4, 10).people


@pytest.mark.parametrize("version", ["2026.13.40", "first", "1.2.3"])
def test_a_version_that_names_no_day_still_has_a_fixed_time(version):
    assert created_at_of(version) == created_at_of(version)
    assert created_at_of(version).startswith("2026-01-")
