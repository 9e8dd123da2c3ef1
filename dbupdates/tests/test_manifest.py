"""What a manifest may say, case by case. No files, no database."""

import json
from datetime import UTC, datetime

import pytest

from dbupdates.exceptions import InvalidManifest
from dbupdates.manifest import (
    MAX_MANIFEST_BYTES,
    PUBLISHED_NETWORKS,
    REQUIRED_NAMES,
    is_flat_name,
    parse_manifest,
)

DIGEST = "sha256:" + "ab" * 32
NETWORKS = {
    "name": "demo-1",
    "files": {
        "facenet512.onnx": DIGEST,
        "arcface.onnx": DIGEST,
        "detector/det.onnx": DIGEST,
    },
}


def manifest(**changes):
    """Return the bytes of a good manifest with some keys changed, None: left out."""
    content = {
        "version": "2026.02.18",
        "created_at": "2026-02-18T12:00:00Z",
        "performer_count": 108_001,
        "face_count": 366_794,
        "sources": ["stashdb.org"],
        "models": {
            "detector": "retinaface_buffalo_sc",
            "alignment": "insightface_norm_crop_5point",
            "facenet_dim": 512,
            "arcface_dim": 512,
            "flip_averaging": True,
        },
        "checksums": dict.fromkeys(REQUIRED_NAMES, DIGEST),
        **changes,
    }
    return json.dumps({k: v for k, v in content.items() if v is not None}).encode()


def checksums(**changes):
    return {**dict.fromkeys(REQUIRED_NAMES, DIGEST), **changes}


def test_a_published_manifest_is_read():
    parsed = parse_manifest(manifest())

    assert parsed.version == "2026.02.18"
    assert parsed.created_at == datetime(2026, 2, 18, 12, tzinfo=UTC)
    assert (parsed.performer_count, parsed.face_count) == (108_001, 366_794)
    assert parsed.sources == ("stashdb.org",)
    assert parsed.checksums["faces.json"] == "ab" * 32
    assert parsed.embedding_dimensions == {"facenet": 512, "arcface": 512}


def test_a_manifest_that_names_no_networks_is_of_the_published_kind():
    assert parse_manifest(manifest()).networks == PUBLISHED_NETWORKS


def test_a_manifest_says_which_networks_its_vectors_come_from():
    networks = parse_manifest(manifest(networks=NETWORKS)).networks

    assert networks.name == "demo-1"
    assert networks.files["detector/det.onnx"] == "ab" * 32


@pytest.mark.parametrize(
    ("created_at", "expected"),
    [
        (None, None),
        ("2026-02-18T12:00:00", datetime(2026, 2, 18, 12, tzinfo=UTC)),
        ("2026-02-18T12:00:00.5+02:00", datetime(2026, 2, 18, 10, 0, 0, 500_000, UTC)),
        ("2026-02-18", datetime(2026, 2, 18, tzinfo=UTC)),
    ],
)
def test_times_are_aware(created_at, expected):
    assert parse_manifest(manifest(created_at=created_at)).created_at == expected


def test_the_version_is_spelled_canonically():
    assert parse_manifest(manifest(version="v2026.2.18")).version == "2026.02.18"


def test_optional_and_unknown_files_may_be_listed():
    listed = checksums(
        **{
            "face_adaface.voy": DIGEST,
            "tattoo_embeddings.voy": DIGEST,
            "tattoo_embeddings.json": DIGEST,
            "notes.txt": DIGEST.upper().replace("SHA256", "sha256"),
        }
    )

    assert parse_manifest(manifest(checksums=listed)).checksums.keys() == listed.keys()


def test_a_manifest_needs_no_models_block():
    assert parse_manifest(manifest(models=None)).embedding_dimensions == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": None}, "version must be text"),
        ({"version": 2026}, "version must be text"),
        ({"version": "../../etc"}, "is no version"),
        ({"created_at": "yesterday"}, "created_at is no time"),
        ({"created_at": 5}, "created_at must be text"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at is no time"),
        ({"performer_count": None}, "performer_count must be a positive"),
        ({"performer_count": 0}, "performer_count must be a positive"),
        ({"face_count": True}, "face_count must be a positive"),
        ({"face_count": 2.0}, "face_count must be a positive"),
        ({"face_count": "5"}, "face_count must be a positive"),
        ({"face_count": 10**30}, "face_count must be a positive"),
        ({"sources": "stashdb.org"}, "sources must be a list"),
        ({"sources": [1]}, "sources must be text"),
        ({"checksums": None}, "checksums must be an object"),
        ({"checksums": {}}, "do not list performers.db"),
        ({"checksums": checksums(**{"faces.json": "ab" * 32})}, "must be sha256"),
        ({"checksums": checksums(**{"faces.json": "md5:" + "a" * 32})}, "sha256"),
        ({"checksums": checksums(**{"faces.json": "sha256:abc"})}, "sha256"),
        ({"checksums": checksums(**{"faces.json": "sha256:" + "g" * 64})}, "sha256"),
        ({"checksums": checksums(**{"faces.json": None})}, "sha256"),
        ({"checksums": checksums(**{"../x": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{"a/b": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{"a\\b": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{"c:x": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{".hidden": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{"": DIGEST})}, "is no file"),
        ({"checksums": checksums(prepared=DIGEST)}, "is no file"),
        ({"checksums": checksums(**{"manifest.json": DIGEST})}, "is no file"),
        ({"checksums": checksums(**{"FACES.json": DIGEST})}, "differ by case"),
        ({"checksums": checksums(**{"tattoo_embeddings.voy": DIGEST})}, "belong"),
        ({"checksums": checksums(**{"tattoo_embeddings.json": DIGEST})}, "belong"),
        ({"models": []}, "models must be an object"),
        ({"models": {"facenet_dim": 128}}, "facenet_dim is 128; only 512"),
        ({"models": {"arcface_dim": None}}, "arcface_dim is None"),
        ({"models": {"arcface_dim": 512.0}}, "arcface_dim is 512.0"),
        ({"models": {"alignment": "mtcnn"}}, "alignment is 'mtcnn'"),
        ({"models": {"flip_averaging": False}}, "flip_averaging is off"),
        ({"networks": "demo"}, "networks must be an object"),
        ({"networks": {**NETWORKS, "name": "../x"}}, "no simple name"),
        ({"networks": {**NETWORKS, "name": None}}, "networks.name must be text"),
        ({"networks": {**NETWORKS, "name": "published"}}, "is kept for"),
        ({"networks": {"name": "demo"}}, "networks.files must be an object"),
        ({"networks": {"name": "demo", "files": {}}}, "must name arcface.onnx"),
        (
            {"networks": {"name": "x", "files": {"../facenet512.onnx": DIGEST}}},
            "names the path",
        ),
        ({"networks": {"name": "x", "files": {"a/b/c": DIGEST}}}, "names the path"),
        ({"networks": {"name": "x", "files": {"arcface.onnx": "x"}}}, "sha256"),
    ],
)
def test_contradictions_and_unknown_kinds_are_refused(changes, reason):
    with pytest.raises(InvalidManifest, match=reason):
        parse_manifest(manifest(**changes))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not readable"),
        (b"\xff\xfe", "not readable"),
        (b"[]", "must be an object"),
        (b'{"version": "2026.02.18", "version": "2026.02.19"}', "given twice"),
        (b"[" * 100_000, "not readable"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "more than"),
        (b"1" * 5000, "not readable"),
    ],
)
def test_bytes_that_are_no_manifest_are_refused(data, reason):
    with pytest.raises(InvalidManifest, match=reason):
        parse_manifest(data)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "/a", "a\\b", "C:a", "a\0b", "-a", "a b", "é", "a" * 101],
)
def test_a_flat_name_leads_nowhere(name):
    assert not is_flat_name(name)
