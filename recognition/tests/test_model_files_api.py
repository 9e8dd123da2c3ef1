"""The routes of the model files, as the plugin and other programs meet them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.urls import reverse
from django_q.models import OrmQ

from dbupdates.manifest import PUBLISHED_NETWORKS
from recognition import model_downloads, model_files
from recognition.models import ModelDownload
from recognition.tests.model_source import (
    BUFFALO,
    DETECTOR,
    FACENET,
    FILES,
    digest,
    installed,
    source_of_models,
    work,
)
from stashsense.tests.signing import SigningClient

LIST = reverse("admin:recognition_modelfile_changelist")


@pytest.fixture
def source(db, settings, monkeypatch, tmp_path):
    with source_of_models(settings, monkeypatch, tmp_path / "data") as simulator:
        yield simulator


@pytest.fixture
def models_dir(source, settings):
    return settings.MODELS_DIR


@pytest.fixture
def api(admin_client):
    return admin_client


def work_all():
    for row in ModelDownload.objects.order_by("pk"):
        work(row)


def test_the_list_is_that_of_the_design():
    published = model_files.MODEL_FILES

    assert [*published] == [
        "facenet512",
        "arcface",
        "buffalo_sc",
        "tattoo_yolov5s",
        "tattoo_efficientnet_b0",
        "pose_landmarker",
    ]
    assert {
        each.file: each.sha256
        for each in published.values()
        if each.group == "face_recognition"
    } == PUBLISHED_NETWORKS.files
    assert published["tattoo_yolov5s"].size_bytes == 83_882_182


def test_the_addresses_are_those_of_the_makers(settings):
    from stashsense import settings as defaults

    settings.MODEL_SOURCES = defaults.MODEL_SOURCES

    assert {each.name: each.url for each in model_files.MODEL_FILES.values()} == {
        **{
            name: "https://github.com/carrotwaxr/stash-sense/releases/download/"
            f"models/{name}.onnx"
            for name in (
                "facenet512",
                "arcface",
                "tattoo_yolov5s",
                "tattoo_efficientnet_b0",
            )
        },
        "buffalo_sc": "https://github.com/deepinsight/insightface/releases/download/"
        "v0.7/buffalo_sc.zip",
        "pose_landmarker": "https://storage.googleapis.com/mediapipe-models/"
        "pose_landmarker/pose_landmarker_lite/float16/1/pose_landmarker_lite.task",
    }


def test_status_tells_of_each_file(api, models_dir):
    models_dir.mkdir(parents=True)
    (models_dir / "arcface.onnx").write_bytes(b"nonsense")
    work(ModelDownload.objects.get(pk=_asked(api, "facenet512")))

    models = api.get("/models/status").json()["models"]

    assert [*models] == [*FILES]
    assert models["facenet512"] == {
        "status": "installed",
        "file": "facenet512.onnx",
        "size": len(FACENET),
        "group": "face_recognition",
        "description": "facenet512 of a test",
        "sha256": digest(FACENET),
        "expected_sha256": digest(FACENET),
        "explanation": None,
    }
    assert models["arcface"]["status"] == "corrupted"
    assert "8 bytes instead of 800,000" in models["arcface"]["explanation"]
    assert models["buffalo_sc"]["status"] == "not_installed"
    assert models["buffalo_sc"]["expected_sha256"] is None


def _asked(api, name):
    answer = api.post(f"/models/download/{name}")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"status": "download_started", "model": name}
    return ModelDownload.objects.latest().pk


def test_a_download_is_begun_followed_and_complete(api, models_dir):
    assert api.get("/models/download-progress").json() == {"progress": {}}
    _asked(api, "facenet512")
    (told,) = api.get("/models/download-progress").json()["progress"].values()
    assert (told["status"], told["state"], told["percent"]) == (
        "downloading",
        "queued",
        0,
    )

    work_all()

    (told,) = api.get("/models/download-progress").json()["progress"].values()
    assert told == {
        "model_name": "facenet512",
        "downloaded_bytes": len(FACENET),
        "total_bytes": len(FACENET),
        "status": "complete",
        "state": "complete",
        "percent": 100,
        "error": None,
        "error_code": None,
    }
    assert installed(models_dir) == {"facenet512.onnx": FACENET}
    row = ModelDownload.objects.get()
    assert (row.asked_by, str(row.user)) == ("api", "admin")


def test_what_the_plugin_asked_for_is_done_though_its_task_was_lost(models_dir):
    _asked(SigningClient(), "facenet512")
    OrmQ.objects.all().delete()

    model_downloads.look_after_dead_downloads()
    work_all()

    assert installed(models_dir) == {"facenet512.onnx": FACENET}
    row = ModelDownload.objects.get()
    assert (row.asked_by, row.user, row.attempt_count) == ("plugin", None, 1)


def test_all_of_them_are_begun_at_once(api, models_dir):
    _asked(api, "facenet512")

    answer = api.post("/models/download-all").json()

    assert answer == {
        "status": "download_started",
        "models": [name for name in FILES if name != "facenet512"],
    }
    work_all()
    assert len(installed(models_dir)) == 4
    assert api.post("/models/download-all").json()["models"] == []


def test_a_second_download_of_one_file_is_refused(api, source):
    _asked(api, "facenet512")

    answer = api.post("/models/download/facenet512")

    assert answer.status_code == 409
    assert answer.json()["code"] == "download_in_progress"
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e%2fetc", "facenet512.onnx"])
def test_an_unknown_file_is_not_found(api, models_dir, name):
    assert api.post(f"/models/download/{name}").status_code == 404
    assert not ModelDownload.objects.exists()


def test_a_failed_download_says_why_and_never_100_percent(api, source, models_dir):
    source.spoil_file("facenet512.onnx", 1000)
    _asked(api, "facenet512")
    work_all()

    (told,) = api.get("/models/download-progress").json()["progress"].values()

    assert (told["status"], told["error_code"]) == ("failed", "invalid_model_file")
    assert told["percent"] < 100
    assert digest(FACENET) in told["error"]
    assert api.get("/models/status").json()["models"]["facenet512"]["status"] == (
        "not_installed"
    )


def test_downloads_are_cancelled_all_or_one(api, source):
    api.post("/models/download-all")

    one = api.post(
        "/models/cancel", {"model": "arcface"}, content_type="application/json"
    )
    assert one.json() == {"status": "cancelling", "models": ["arcface"]}
    rest = api.post("/models/cancel", content_type="application/json")
    assert sorted(rest.json()["models"]) == sorted({*FILES} - {"arcface"})
    again = api.post("/models/cancel", content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (404, "no_download")
    unknown = api.post(
        "/models/cancel", {"model": "../x"}, content_type="application/json"
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "model_not_found")
    work_all()
    assert source.requests == []


@pytest.mark.parametrize(
    "path", ["status", "download-progress", "download/facenet512", "download-all"]
)
def test_strangers_are_told_nothing(client, db, path):
    method = client.get if path.endswith(("s",)) else client.post
    assert method(f"/models/{path}").status_code == 401


# Commands


def test_the_command_lists_downloads_and_checks(source, models_dir, capsys):
    call_command("download_models")
    assert "not_installed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="facenet512, arcface, buffalo_sc, pose"):
        call_command("download_models", "--check")

    call_command("download_models", "--all")

    assert len(installed(models_dir)) == 4
    assert capsys.readouterr().out.count("Downloading") == 4
    call_command("download_models", "--check")
    before = len(source.requests)
    call_command("download_models", "facenet512")
    assert len(source.requests) == before


def test_the_command_finds_what_changed_without_a_trace(models_dir, source, capsys):
    import os

    call_command("download_models", "facenet512")
    path = models_dir / "facenet512.onnx"
    times = path.stat()
    content = bytearray(FACENET)
    content[9] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    with pytest.raises(CommandError, match="facenet512"):
        call_command("download_models", "--check", "facenet512")


def test_the_command_draws_a_bar_on_a_terminal(models_dir, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    call_command("download_models", "facenet512")

    assert "B/s" in capsys.readouterr().err


def test_the_command_ends_with_the_reason(source, models_dir):
    source.withdraw_file("facenet512.onnx")
    with pytest.raises(CommandError, match="status 404"):
        call_command("download_models", "facenet512")
    with pytest.raises(CommandError, match="no model file nobody"):
        call_command("download_models", "nobody")

    assert installed(models_dir) == {}


# Admin


def act(client, action, *names):
    pks = [model_files.row_of(FILES[name]).pk for name in names]
    return client.post(LIST, {"action": action, "_selected_action": pks}, follow=True)


def test_the_admin_shows_each_file_and_how_far_it_is(admin_client, source):
    page = admin_client.get(LIST).content.decode()
    assert "4 files of 4 are not installed" in page
    assert "Download all that are missing" in page

    admin_client.post(reverse("admin:recognition_model_do", args=["download-all"]))

    page = admin_client.get(LIST).content.decode()
    assert 'data-in-progress="yes"' in page
    fragment = admin_client.get(reverse("admin:recognition_model_progress"))
    assert fragment.content.decode().count("<progress") == 4
    work_all()
    fragment = admin_client.get(reverse("admin:recognition_model_progress"))
    assert "All 4 files are intact" in fragment.content.decode()
    entries = LogEntry.objects.filter(content_type__model="modelfile")
    assert entries.count() == 4
    assert {entry.user.username for entry in entries} == {"admin"}


def test_the_admin_downloads_verifies_and_cancels(admin_client, source, models_dir):
    admin_client.get(LIST)
    page = act(admin_client, "download_action", "facenet512").content.decode()
    assert "Asked for the download of facenet512." in page
    row = ModelDownload.objects.get()
    assert (row.asked_by, str(row.user)) == ("admin", "admin")

    page = act(admin_client, "cancel_action", "facenet512", "arcface").content.decode()
    assert "Cancelled the download of facenet512." in page
    assert "No download of arcface is in progress." in page

    act(admin_client, "download_action", "buffalo_sc")
    work_all()
    assert installed(models_dir) == {BUFFALO.file: DETECTOR}
    (models_dir / BUFFALO.file).write_bytes(b"\x08other")
    page = act(admin_client, "verify_action", "buffalo_sc").content.decode()
    assert "corrupted: sha256" in page
    page = act(admin_client, "forget_action", "buffalo_sc").content.decode()
    assert model_files.expected_sha256(BUFFALO) == ""
    told = [*LogEntry.objects.order_by("pk").values_list("change_message", flat=True)]
    assert len(told) == 5


def test_the_admin_tells_why_a_download_failed(admin_client, source):
    source.withdraw_file("facenet512.onnx")
    act(admin_client, "download_action", "facenet512")
    work_all()

    page = admin_client.get(LIST).content.decode()

    assert "failed: 127.0.0.1 answered with status 404." in page


def test_nobody_without_the_permission_changes_anything(
    client, source, django_user_model
):
    user = django_user_model.objects.create_user("eve", password="x", is_staff=True)
    client.force_login(user)

    assert client.get(LIST).status_code == 403
    for name in ("download-all", "cancel-all"):
        address = reverse("admin:recognition_model_do", args=[name])
        assert client.post(address).status_code == 403
    assert client.get(reverse("admin:recognition_model_progress")).status_code == 403
    assert not ModelDownload.objects.exists()


def test_a_file_has_its_page_with_its_downloads(admin_client, source):
    _asked(admin_client, "facenet512")
    work_all()
    pk = model_files.row_of(FILES["facenet512"]).pk

    page = admin_client.get(reverse("admin:recognition_modelfile_change", args=[pk]))

    assert digest(FACENET) in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
