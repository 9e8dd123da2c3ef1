"""Who works at a download: once at a time, cancelled, interrupted, dead."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django_q.models import OrmQ

import recognition
from recognition import model_downloads, model_files
from recognition.exceptions import (
    DownloadInProgress,
    ModelNotFound,
    NoDownload,
)
from recognition.model_downloads import (
    FOLDER_NAME,
    Asker,
    cancel_downloads,
    look_after_dead_downloads,
    request_download,
)
from recognition.model_files import Status
from recognition.models import ModelDownload
from recognition.tests.model_source import (
    ARCFACE,
    ASKER,
    FACENET,
    FILES,
    HASTY,
    installed,
    left_over,
    source_of_models,
    work,
)
from stashsense import stopping
from stashsense.downloads.exceptions import DownloadError
from stashsense.files import locked_folder

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


def test_names_that_are_none_are_refused(models_dir):
    for name in ("nobody", "../etc/passwd", "", "facenet512.onnx", "FACENET512"):
        with pytest.raises(ModelNotFound):
            request_download(name, asker=ASKER)

    assert not ModelDownload.objects.exists()
    assert not OrmQ.objects.exists()
    assert left_over(models_dir) == []


def test_a_file_is_downloaded_once_at_a_time(source, models_dir):
    row = request_download("facenet512", asker=ASKER)

    with pytest.raises(DownloadInProgress):
        request_download("facenet512", asker=ASKER)

    assert ModelDownload.objects.get() == row
    assert OrmQ.objects.count() == 1


def test_a_second_delivery_while_one_is_worked_at_does_nothing(source, models_dir):
    row = request_download("facenet512", asker=ASKER)
    folder = models_dir / FOLDER_NAME / "facenet512"
    folder.mkdir(parents=True)

    with locked_folder(folder):
        work(row)

    assert row.state == State.QUEUED
    assert source.requests == []
    assert work(row).state == State.COMPLETE
    before = len(source.requests)
    work(row)
    assert len(source.requests) == before


def test_a_download_whose_process_died_makes_way_for_the_next(models_dir):
    dead = request_download("facenet512", asker=ASKER)
    ModelDownload.objects.update(state=State.DOWNLOADING, attempt_count=1)

    row = download()

    assert row.state == State.COMPLETE
    dead.refresh_from_db()
    assert (dead.state, dead.error_code) == (State.FAILED, "download_interrupted")


def test_a_dead_download_is_asked_for_again_until_it_has_died_twice(models_dir):
    row = request_download("facenet512", asker=ASKER)
    OrmQ.objects.all().delete()
    ModelDownload.objects.update(state=State.DOWNLOADING, attempt_count=2)

    look_after_dead_downloads()
    assert OrmQ.objects.count() == 1
    work(row)

    assert (row.state, row.error_code) == (State.FAILED, "download_interrupted")
    assert "died 2 times" in row.error
    assert installed(models_dir) == {}


@pytest.mark.parametrize("way", ["command", "update"])
def test_what_a_dead_command_or_update_wanted_ends_with_it(models_dir, way):
    row = request_download("facenet512", asker=Asker(way))
    OrmQ.objects.all().delete()

    look_after_dead_downloads()
    row.refresh_from_db()
    assert row.state == State.QUEUED, "it may just be about to begin"
    ModelDownload.objects.update(created_at=row.created_at - timedelta(minutes=2))
    look_after_dead_downloads()

    row.refresh_from_db()
    assert (row.state, row.error_code) == (State.FAILED, "download_interrupted")
    assert not OrmQ.objects.exists()


def test_one_that_is_worked_at_is_not_asked_for_again(models_dir):
    request_download("facenet512", asker=ASKER)
    OrmQ.objects.all().delete()
    folder = models_dir / FOLDER_NAME / "facenet512"
    folder.mkdir(parents=True)

    with locked_folder(folder):
        look_after_dead_downloads()

    assert not OrmQ.objects.exists()


def test_a_download_that_waits_is_cancelled_at_once(source, models_dir):
    row = request_download("facenet512", asker=ASKER)

    assert cancel_downloads(asker=ASKER) == [row]

    work(row)
    assert row.state == State.CANCELLED
    assert source.requests == []
    with pytest.raises(NoDownload):
        cancel_downloads(asker=ASKER)
    assert download().state == State.COMPLETE


def test_a_download_at_work_is_cancelled_and_leaves_nothing(
    source, models_dir, monkeypatch
):
    source.faults.bytes_per_second = 2_000_000
    row = request_download("facenet512", asker=ASKER)
    told = model_downloads.RunningDownload.tell

    def cancelled_while_told(running, done_bytes, total_bytes):
        if done_bytes > 200_000 and not ModelDownload.objects.get().is_cancel_asked:
            assert cancel_downloads("facenet512", asker=ASKER) == [row]
            running._told_at = 0.0
        told(running, done_bytes, total_bytes)

    monkeypatch.setattr(model_downloads.RunningDownload, "tell", cancelled_while_told)

    work(row)

    assert row.state == State.CANCELLED
    assert 0 < row.percent < 100 or row.done_bytes == 0
    assert installed(models_dir) == {}
    assert left_over(models_dir) == []


def test_a_service_that_stops_keeps_what_was_fetched(source, models_dir, monkeypatch):
    source.faults.bytes_per_second = 2_000_000
    monkeypatch.setattr(model_downloads, "REPORT_SECONDS", 0)
    seen: list[int] = []

    def asked():
        seen.append(1)
        return len(seen) > 3

    monkeypatch.setattr(stopping, "is_asked", asked)

    row = download()

    assert (row.state, row.error_code) == (State.FAILED, "download_interrupted")
    assert left_over(models_dir) == ["fetched.json", "fetched.part"]
    assert installed(models_dir) == {}


def test_the_task_is_what_the_queue_calls(models_dir):
    from django_q.tasks import async_task

    row = request_download("facenet512", asker=ASKER)

    async_task(model_downloads.TASK, row.pk, sync=True)

    row.refresh_from_db()
    assert row.state == State.COMPLETE


# `install`, as commands and updates use it


def test_installing_works_at_what_waits_for_the_background(models_dir):
    row = request_download("facenet512", asker=ASKER)
    heard: list[tuple[int, int]] = []

    model_downloads.install(
        [FILES["facenet512"], FILES["arcface"]],
        asker=ASKER,
        on_bytes=lambda done, total: heard.append((done, total)),
        patience=HASTY,
    )

    row.refresh_from_db()
    assert row.state == State.COMPLETE
    assert installed(models_dir) == {FACENET_FILE: FACENET, "arcface.onnx": ARCFACE}
    total = len(FACENET) + len(ARCFACE)
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_installing_raises_what_fetching_does(source, models_dir):
    source.withdraw_file("arcface.onnx")

    with pytest.raises(DownloadError, match="404"):
        model_downloads.install(FILES.values(), asker=ASKER, patience=HASTY)

    assert installed(models_dir) == {FACENET_FILE: FACENET}
    assert ModelDownload.objects.latest().state == State.FAILED


def test_a_killed_download_is_taken_up_where_it_was(
    source, settings, tmp_path, transactional_db
):
    # Slow enough for the journal, which is written every three seconds.
    source.faults.bytes_per_second = 200_000
    models_dir = settings.MODELS_DIR
    row = request_download("facenet512", asker=ASKER)
    script = (
        "import os, sys, threading; from pathlib import Path\n"
        "from stashsense.downloads.fetcher import open_remote_file\n"
        "from stashsense.files import locked_folder\n"
        "folder = Path(sys.argv[2]); folder.mkdir(parents=True)\n"
        "with locked_folder(folder), open_remote_file(\n"
        "    sys.argv[1], folder / 'fetched.part', max_bytes=10**9,\n"
        "    on_present=lambda n: print(n, flush=True)) as remote:\n"
        "    remote.fetch_all(sha256=True)"
    )
    folder = models_dir / FOLDER_NAME / "facenet512"
    with subprocess.Popen(
        [sys.executable, "-c", script, FILES["facenet512"].url, str(folder)],
        cwd=Path(recognition.__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 700_000:
            pass
        ModelDownload.objects.update(state=State.DOWNLOADING, attempt_count=1)
        with pytest.raises(DownloadInProgress):
            request_download("facenet512", asker=ASKER)
        process.send_signal(signal.SIGKILL)
    assert installed(models_dir) == {}
    assert status_of("facenet512") == Status.NOT_INSTALLED
    source.faults.bytes_per_second = None

    look_after_dead_downloads()
    work(row)

    assert (row.state, row.attempt_count) == (State.COMPLETE, 2)
    assert installed(models_dir) == {FACENET_FILE: FACENET}
    assert left_over(models_dir) == []
    sent_bytes = sum(request.sent_bytes for request in source.file_requests())
    assert sent_bytes < 2 * len(FACENET) - 200_000
