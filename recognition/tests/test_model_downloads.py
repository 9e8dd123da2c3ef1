"""Model files over real HTTP: what ends in its place, beside it, and in the row."""

import errno
import os

import pytest
from django_q.models import OrmQ

from recognition import model_downloads, model_files
from recognition.model_downloads import (
    request_all,
    request_download,
)
from recognition.model_files import Status
from recognition.models import ModelDownload, ModelFile
from recognition.tests.model_source import (
    ARCFACE,
    ASKER,
    BUFFALO,
    DETECTOR,
    FACENET,
    FILES,
    MEMBER,
    PACK,
    PACK_PATH,
    POSE,
    TASK,
    digest,
    installed,
    left_over,
    onnx_bytes,
    source_of_models,
    work,
    zip_of,
)

FACENET_FILE = "facenet512.onnx"
State = ModelDownload.State


@pytest.fixture
def source(db, settings, monkeypatch, tmp_path):
    with source_of_models(settings, monkeypatch, tmp_path / "data") as simulator:
        yield simulator


@pytest.fixture
def models_dir(source, settings):
    settings.MODELS_DIR.mkdir(parents=True)
    return settings.MODELS_DIR


def download(name="facenet512", **options):
    return work(request_download(name, asker=ASKER), **options)


def status_of(name):
    return model_files.state_of(FILES[name]).status


def test_a_download_ends_in_its_place_verified_and_with_nothing_beside(models_dir):
    row = download()

    assert (row.state, row.percent, row.error) == (State.COMPLETE, 100, "")
    assert row.done_bytes == row.total_bytes == len(FACENET)
    assert installed(models_dir) == {FACENET_FILE: FACENET}
    assert (models_dir / FACENET_FILE).stat().st_mode & 0o777 == 0o644
    assert left_over(models_dir) == []
    assert status_of("facenet512") == Status.INSTALLED


def test_all_is_asked_for_once_and_every_file_arrives(models_dir):
    rows = request_all(asker=ASKER)

    assert [row.file.name for row in rows] == [*FILES]
    assert [task.func() for task in OrmQ.objects.all()] == [model_downloads.TASK] * 4
    assert request_all(asker=ASKER) == []
    assert {work(row).state for row in rows} == {State.COMPLETE}
    assert installed(models_dir) == {
        FACENET_FILE: FACENET,
        "arcface.onnx": ARCFACE,
        BUFFALO.file: DETECTOR,
        POSE.file: TASK,
    }
    assert left_over(models_dir) == []
    assert request_all(asker=ASKER) == []


def test_of_the_pack_only_the_detector_is_fetched(source, models_dir):
    download("buffalo_sc")

    assert installed(models_dir) == {BUFFALO.file: DETECTOR}
    sent_bytes = sum(request.sent_bytes for request in source.file_requests())
    assert sent_bytes < len(DETECTOR) + 200_000


def test_a_server_without_ranges_gives_the_whole_pack(source, models_dir):
    source.faults.ignore_range = True

    assert download("buffalo_sc").state == State.COMPLETE
    assert installed(models_dir) == {BUFFALO.file: DETECTOR}


def test_a_digest_nobody_publishes_is_recorded_once_and_compared_afterwards(
    source, models_dir
):
    download("buffalo_sc")
    assert ModelFile.objects.get(name="buffalo_sc").recorded_sha256 == digest(DETECTOR)

    other = onnx_bytes(9)
    (models_dir / BUFFALO.file).write_bytes(other)
    assert status_of("buffalo_sc") == Status.CORRUPTED
    source.serve_file(PACK_PATH, zip_of({MEMBER: other}))
    row = download("buffalo_sc")

    assert (row.state, row.error_code) == (State.FAILED, "invalid_model_file")
    assert digest(DETECTOR) in row.error
    assert digest(other) in row.error
    assert left_over(models_dir) == []

    model_files.forget_recorded_digest(BUFFALO)
    assert download("buffalo_sc").state == State.COMPLETE
    assert ModelFile.objects.get(name="buffalo_sc").recorded_sha256 == digest(other)


def test_a_file_put_there_by_hand_counts_until_a_digest_is_known(models_dir):
    (models_dir / POSE.file).write_bytes(TASK + b"!")

    state = model_files.state_of(POSE)

    assert state.is_installed
    assert "no digest is known" in state.explanation
    assert download("pose_landmarker").state == State.COMPLETE
    assert installed(models_dir) == {POSE.file: TASK}


def test_a_file_of_the_right_size_with_other_bytes_is_corrupted_and_replaced(
    models_dir,
):
    spoiled = FACENET[:-1] + b"?"
    (models_dir / FACENET_FILE).write_bytes(spoiled)

    state = model_files.state_of(FILES["facenet512"])

    assert state.status == Status.CORRUPTED
    assert digest(spoiled) in state.explanation
    assert download().state == State.COMPLETE
    assert installed(models_dir) == {FACENET_FILE: FACENET}


def test_a_changed_file_is_seen_and_an_unchanged_one_is_not_read_again(
    models_dir, monkeypatch
):
    download()
    path = models_dir / FACENET_FILE
    read: list[object] = []

    def noted(each, **_):
        read.append(each)
        return digest(each.read_bytes())

    monkeypatch.setattr(model_files, "sha256_of", noted)
    assert status_of("facenet512") == Status.INSTALLED
    assert read == []
    assert model_files.verify(FILES["facenet512"]).is_installed
    assert read == [path]

    content = bytearray(FACENET)
    content[100] ^= 1
    path.write_bytes(content)
    assert status_of("facenet512") == Status.CORRUPTED


def test_an_intact_file_is_not_fetched_again(source, models_dir):
    download()
    before = len(source.requests)

    row = download()

    assert row.state == State.COMPLETE
    assert len(source.requests) == before


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        ({"archive_statuses": [404] * 9}, "download_failed", "status 404"),
        ({"archive_statuses": [403] * 9}, "download_failed", "status 403"),
        ({"archive_statuses": [500] * 9}, "download_failed", "status 500"),
        ({"archive_statuses": [429] * 9}, "download_failed", "status 429"),
        (
            {
                "archive_statuses": [429],
                "archive_status_headers": {"Retry-After": "3600"},
            },
            "download_failed",
            "3600 s",
        ),
        ({"drop_after_bytes": [0] * 99}, "download_failed", "Gave up after 3"),
        (
            {"redirect_archives_to": "file:///etc/passwd"},
            "download_failed",
            "not HTTP",
        ),
    ],
)
def test_a_source_that_fails_leaves_what_was_there(
    source, models_dir, fault, code, told
):
    old = b"an older file"
    (models_dir / FACENET_FILE).write_bytes(old)
    for name, value in fault.items():
        setattr(source.faults, name, value)

    row = download()

    assert (row.state, row.error_code) == (State.FAILED, code)
    assert told in row.error
    assert installed(models_dir) == {FACENET_FILE: old}
    assert not row.is_in_progress


def test_bytes_that_were_spoiled_on_the_way_are_not_installed(source, models_dir):
    source.spoil_file(FACENET_FILE, 700_000)

    row = download()

    assert (row.state, row.error_code) == (State.FAILED, "invalid_model_file")
    assert FILES["facenet512"].sha256 in row.error
    assert row.percent < 100
    assert installed(models_dir) == {}
    assert left_over(models_dir) == []
    assert status_of("facenet512") == Status.NOT_INSTALLED


@pytest.mark.parametrize("size", [len(FACENET) - 1, len(FACENET) + 1])
def test_a_file_of_another_size_is_refused_before_it_is_fetched(
    source, models_dir, size
):
    source.serve_file(FACENET_FILE, onnx_bytes(1, size))

    row = download()

    assert row.error_code == "download_failed"
    assert f"{size:,}" in row.error or str(size) in row.error
    assert sum(request.sent_bytes for request in source.file_requests()) < 200_000
    assert installed(models_dir) == {}


def test_a_connection_that_drops_is_taken_up_where_it_broke(source, models_dir):
    source.faults.drop_after_bytes = [10**12, 500_000, 300_000]

    row = download()

    assert row.state == State.COMPLETE
    assert installed(models_dir) == {FACENET_FILE: FACENET}
    sent_bytes = sum(request.sent_bytes for request in source.file_requests())
    assert sent_bytes == len(FACENET)


def test_a_second_attempt_goes_on_from_what_the_first_left(source, models_dir):
    source.faults.drop_after_bytes = [10**12, 600_000, *[0] * 9]
    first = download()
    assert first.state == State.FAILED
    assert left_over(models_dir) == ["fetched.json", "fetched.part"]
    assert installed(models_dir) == {}
    assert status_of("facenet512") == Status.NOT_INSTALLED
    source.faults.drop_after_bytes = []
    before_bytes = sum(request.sent_bytes for request in source.file_requests())

    second = download()

    assert second.state == State.COMPLETE
    assert installed(models_dir) == {FACENET_FILE: FACENET}
    assert left_over(models_dir) == []
    sent_bytes = sum(request.sent_bytes for request in source.file_requests())
    assert sent_bytes - before_bytes < len(FACENET) - 500_000


def test_a_file_that_changed_at_its_source_is_begun_anew(source, models_dir):
    source.faults.drop_after_bytes = [10**12, 600_000, *[0] * 9]
    download()
    source.faults.drop_after_bytes = []
    source.faults.etag_suffix = "-other"

    row = download()

    assert row.state == State.COMPLETE
    assert installed(models_dir) == {FACENET_FILE: FACENET}


# The pack and the task file


@pytest.mark.parametrize(
    ("pack", "told"),
    [
        (zip_of({"w600k_mbf.onnx": b"\x08"}), "of which 0 are det_500m.onnx"),
        (zip_of({"../../det_500m.onnx": DETECTOR}), "of which 0 are"),
        (zip_of({"/det_500m.onnx": DETECTOR}), "of which 0 are"),
        (zip_of({"other/det_500m.onnx": DETECTOR}), "of which 0 are"),
        (zip_of({MEMBER: DETECTOR, f"buffalo_sc/{MEMBER}": DETECTOR}), "of which 2"),
        (zip_of({MEMBER: b"\x08" + bytes(9_000_000)}), "unpacks to 9,000,001 bytes"),
        (zip_of({MEMBER: b"<html>sign in</html>"}), "begins with b'<'"),
        (zip_of({MEMBER: b""}), "begins with b''"),
        (zip_of({MEMBER: DETECTOR}, 14), "unsupported way"),
        (zip_of({f"{n}": b"" for n in range(99)} | {MEMBER: DETECTOR}), "100 members"),
        (b"<html>sign in</html>" * 1000, "cannot be read"),
        (zip_of(PACK)[:-500], "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_a_hostile_pack_installs_nothing(source, models_dir, pack, told, tmp_path):
    source.serve_file(PACK_PATH, pack)
    outside = sorted(path for path in tmp_path.rglob("*") if path.is_file())

    row = download("buffalo_sc")

    assert (row.state, row.error_code) == (State.FAILED, "invalid_model_file")
    assert told in row.error
    assert installed(models_dir) == {}
    assert left_over(models_dir) == []
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == outside
    assert ModelFile.objects.get(name="buffalo_sc").recorded_sha256 == ""


def test_a_member_that_is_damaged_is_refused(source, models_dir):
    source.spoil_file(PACK_PATH, 500_000)

    row = download("buffalo_sc")

    assert row.error_code == "invalid_model_file"
    assert installed(models_dir) == {}
    assert left_over(models_dir) == []


def test_a_pack_over_the_limit_is_not_fetched(source, models_dir):
    source.serve_file(PACK_PATH, bytes(BUFFALO.max_bytes + 1))

    row = download("buffalo_sc")

    assert row.error_code == "download_failed"
    assert f"at most {BUFFALO.max_bytes}" in row.error
    assert sum(request.sent_bytes for request in source.file_requests()) < 100_000


@pytest.mark.parametrize(
    "content", [b"<html>", TASK[:-9], zip_of({"a": bytes(2_000_000)})]
)
def test_a_task_file_that_is_none_is_refused(source, models_dir, content):
    source.serve_file(POSE.path, content)

    row = download("pose_landmarker")

    assert row.error_code == "invalid_model_file"
    assert installed(models_dir) == {}
    assert left_over(models_dir) == []


# Disk


def test_a_disk_without_room_is_told_with_figures_before_anything_is_fetched(
    models_dir, monkeypatch
):
    monkeypatch.setattr("recognition.model_fetching.free_bytes", lambda _: 1_000_000)

    row = download()

    assert row.error_code == "insufficient_disk_space"
    assert "has 1.0 MB free; 1.5 MB are needed" in row.error
    assert installed(models_dir) == {}


def test_a_disk_that_is_full_when_written_ends_the_download(models_dir, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    row = download()

    assert row.error_code == "insufficient_disk_space"
    assert installed(models_dir) == {}
