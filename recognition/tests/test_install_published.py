"""From the demo world to published data and back, with networks that run."""

import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from dbupdates import manifest, store
from dbupdates.execution import execute_run
from dbupdates.management import terminal
from dbupdates.models import DatabaseRelease, ReleaseFile, UpdateRun
from dbupdates.progress import Phase
from dbupdates.services import activate_release, import_release
from demo.embedding import DETECTOR_FILE, NETWORK_SET_NAME, NETWORKS_DIR
from demo.install import install_networks
from demo.release_simulator import ReleaseSimulator
from recognition import model_files, registry
from recognition.exceptions import ModelsNotInstalled
from recognition.loading import network_set_of
from recognition.models import ModelDownload, ModelFile
from recognition.pictures import decode_picture
from recognition.registry import Registry
from recognition.runtime.networks import ARCFACE_FILE, FACENET_FILE
from recognition.runtime.recognizer import Timing
from recognition.tests.conftest import VERSION
from recognition.tests.model_source import (
    BUFFALO,
    HASTY,
    MEMBER,
    PACK_PATH,
    digest,
    embedder,
    installed,
    left_over,
    zip_of,
)
from stashsense.tests.waiting import wait_until

NEW = "2026.04.01"
NETWORKS = {
    FACENET_FILE: (NETWORKS_DIR / FACENET_FILE).read_bytes(),
    ARCFACE_FILE: (NETWORKS_DIR / ARCFACE_FILE).read_bytes(),
    BUFFALO.file: (NETWORKS_DIR / DETECTOR_FILE).read_bytes(),
}
FILES = {
    "facenet512": embedder("facenet512", NETWORKS[FACENET_FILE]),
    "arcface": embedder("arcface", NETWORKS[ARCFACE_FILE]),
    "buffalo_sc": BUFFALO,
}
PUBLISHED = manifest.NetworkSet(
    name="published",
    files={
        FACENET_FILE: FILES["facenet512"].sha256,
        ARCFACE_FILE: FILES["arcface"].sha256,
        BUFFALO.file: "",
    },
)


def archive_of(folder, target, *, version, has_networks):
    """Write the small world's release as a zip of that version."""
    content = json.loads((folder / "manifest.json").read_text())
    content["version"] = version
    if not has_networks:
        del content["networks"]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in content["checksums"]:
            archive.write(folder / name, name)
        archive.writestr("manifest.json", json.dumps(content))
    return target


@pytest.fixture
def source(transactional_db, settings, monkeypatch, tmp_path, small_world):
    """The demo world is served; the feed has a release of the published networks."""
    settings.DATA_DIR = tmp_path / "data"
    settings.MODELS_DIR = settings.DATA_DIR / "models"
    monkeypatch.setattr(manifest, "PUBLISHED_NETWORKS", PUBLISHED)
    monkeypatch.setattr(model_files, "MODEL_FILES", FILES)
    install_networks(settings.MODELS_DIR)
    folder = small_world.release.path
    demo = archive_of(folder, tmp_path / "d.zip", version=VERSION, has_networks=True)
    activate_release(import_release(demo))
    new = archive_of(folder, tmp_path / "n.zip", version=NEW, has_networks=False)
    with ReleaseSimulator() as simulator:
        settings.RELEASE_FEED = simulator.feed_url
        settings.MODEL_SOURCES = dict.fromkeys(
            settings.MODEL_SOURCES, simulator.files_url
        )
        simulator.publish(NEW, new)
        for name in (FACENET_FILE, ARCFACE_FILE):
            simulator.serve_file(name, NETWORKS[name])
        simulator.serve_file(PACK_PATH, zip_of({MEMBER: NETWORKS[BUFFALO.file]}))
        yield simulator


@pytest.fixture
def process(source, monkeypatch):
    """A process that serves whatever is active."""
    monkeypatch.setattr(registry, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.02)
    watched = Registry()
    watched.start()
    wait_until(lambda: served(watched) == VERSION)
    yield watched
    watched.stop()
    wait_until(lambda: not watched.state().is_loading)


def served(watched):
    serving = watched.state().serving
    return serving and serving.release.version


def active():
    release = store.active_release()
    assert release is not None
    return release


def work():
    run = UpdateRun.objects.latest()
    execute_run(run.pk, patience=HASTY)
    run.refresh_from_db()
    return run


def ask(client):
    answer = client.post("/models/install-published")
    assert answer.status_code == 200, answer.content
    return answer.json()


def demo_files():
    return {
        f"{NETWORK_SET_NAME}/{name}": (NETWORKS_DIR / name).read_bytes()
        for name in (FACENET_FILE, ARCFACE_FILE, DETECTOR_FILE)
    }


def assert_only_the_demo(settings):
    """The demo world is served, the run's folder is gone, no network is new."""
    assert active().version == VERSION
    assert not [*(settings.DATA_DIR / "staging").iterdir()]
    assert installed(settings.MODELS_DIR) == demo_files()


def test_one_action_fetches_networks_and_release_and_serves_them(
    process, source, admin_client, settings, small_world
):
    started = ask(admin_client)

    run = work()

    assert (run.job_id, run.phase, run.error) == (
        started["job_id"],
        Phase.COMPLETE,
        "",
    )
    assert served(process) == NEW
    assert {Phase.MODELS, Phase.DOWNLOADING, Phase.RELOADING} <= {*run.phase_seconds}
    log = "\n".join(line.text for line in run.log_lines.all())
    assert "facenet512, arcface, buffalo_sc are fetched" in log
    assert installed(settings.MODELS_DIR) == {**demo_files(), **NETWORKS}
    assert left_over(settings.MODELS_DIR) == []
    picture = next(p for p in small_world.known_pictures(12) if len(p.answers) == 1)
    (face,) = process.recognizer().recognize(
        decode_picture(picture.jpeg),
        max_candidates=1,
        max_distance=0.6,
        min_face_confidence=0.5,
        timing=Timing(),
    )
    assert face.matches[0].performer.universal_id == (picture.answers[0].universal_id)
    assert active().network_set == "published"
    # What nobody publishes is compared from now on.
    assert network_set_of(active()).files[BUFFALO.file] == digest(
        NETWORKS[BUFFALO.file]
    )
    assert {row.asked_by for row in ModelDownload.objects.all()} == {"update"}


def test_the_way_back_is_a_roll_back_with_both_sets_in_place(
    process, source, admin_client, settings
):
    ask(admin_client)
    work()

    admin_client.post(f"/database/releases/{VERSION}/activate")
    assert work().phase == Phase.COMPLETE
    assert served(process) == VERSION
    assert installed(settings.MODELS_DIR) == {**demo_files(), **NETWORKS}

    before = len(source.file_requests())
    admin_client.post(f"/database/releases/{NEW}/activate")
    assert work().phase == Phase.COMPLETE
    assert served(process) == NEW
    assert len(source.file_requests()) == before


def test_it_does_not_ask_which_version_is_later(source, admin_client):
    DatabaseRelease.objects.filter(version=VERSION).update(version_key=9 * 10**15)
    older = admin_client.post("/database/update", content_type="application/json")
    assert (older.status_code, older.json()["code"]) == (400, "already_latest")

    ask(admin_client)

    assert work().phase == Phase.COMPLETE
    again = admin_client.post("/models/install-published")
    assert (again.status_code, again.json()["code"]) == (400, "already_latest")


def test_networks_that_cannot_be_had_end_it_before_the_archive_is_fetched(
    source, admin_client, settings
):
    source.withdraw_file(FACENET_FILE)
    ask(admin_client)

    run = work()

    assert (run.phase, run.error_code) == (Phase.FAILED, "download_failed")
    assert "status 404" in run.error
    assert f"by hand, as {FACENET_FILE}, {ARCFACE_FILE}, {BUFFALO.file}" in run.error
    assert source.sent_archive_bytes < 100_000
    assert active().version == VERSION
    assert installed(settings.MODELS_DIR) == demo_files()
    assert ModelDownload.objects.get().state == "failed"
    # What was begun of the archive is kept for the next attempt, as ever.
    source.serve_file(FACENET_FILE, NETWORKS[FACENET_FILE])
    ask(admin_client)
    assert work().phase == Phase.COMPLETE


def test_a_spoiled_network_switches_nothing(source, admin_client, settings):
    source.spoil_file(ARCFACE_FILE, 5000)
    ask(admin_client)

    run = work()

    assert (run.phase, run.error_code) == (Phase.FAILED, "invalid_model_file")
    assert active().version == VERSION
    assert ARCFACE_FILE not in installed(settings.MODELS_DIR)
    assert left_over(settings.MODELS_DIR) == []
    assert ModelDownload.objects.latest().state == "failed"


def test_a_spoiled_release_leaves_networks_and_what_is_served(
    source, admin_client, settings
):
    # Or every file would be linked from the demo release, which has the same.
    ReleaseFile.objects.all().delete()
    source.corrupt(NEW, "face_arcface.voy")
    ask(admin_client)

    run = work()

    assert run.phase == Phase.FAILED
    assert active().version == VERSION
    assert not [*(settings.DATA_DIR / "staging").iterdir()]
    assert installed(settings.MODELS_DIR) == {**demo_files(), **NETWORKS}


def test_a_server_without_ranges_gives_the_networks_last(source, admin_client):
    source.faults.ignore_range = True
    ask(admin_client)

    run = work()

    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert run.phase_seconds[Phase.MODELS] >= 0


def test_cancelling_ends_the_networks_with_the_run(source, admin_client, settings):
    source.faults.bytes_per_second = 500_000
    ask(admin_client)
    run = UpdateRun.objects.latest()

    def cancel(progress):
        if progress.phase == Phase.MODELS and progress.done_bytes:
            admin_client.post("/database/update/cancel")

    execute_run(run.pk, patience=HASTY, listener=cancel)

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert_only_the_demo(settings)
    assert left_over(settings.MODELS_DIR) == []
    assert ModelDownload.objects.get().state == "cancelled"


def test_a_network_that_was_replaced_is_not_opened(source, admin_client, settings):
    ask(admin_client)
    work()
    (settings.MODELS_DIR / BUFFALO.file).write_bytes(NETWORKS[FACENET_FILE])

    with pytest.raises(ModelsNotInstalled, match="is not the file"):
        network_set_of(active()).require_installed()


def test_the_command_does_it_and_says_the_way_back(
    source, settings, capsys, monkeypatch
):
    monkeypatch.setattr(terminal, "PATIENCE_SECONDS", 0)

    call_command("install_published")

    lines = capsys.readouterr().out.splitlines()
    assert "Models" in [line.split(" ")[0] for line in lines]
    assert lines[-2:] == [
        f"Release {NEW} is active.",
        f"Back: manage.py activate_release {VERSION}",
    ]
    assert ModelFile.objects.get(name="buffalo_sc").recorded_sha256
    with pytest.raises(CommandError, match="is active already"):
        call_command("install_published")


def test_a_feed_that_is_not_there_is_told(settings, source, admin_client):
    settings.RELEASE_FEED = "http://127.0.0.1:9/releases"

    answer = admin_client.post("/models/install-published")

    assert (answer.status_code, answer.json()["code"]) == (503, "feed_unavailable")
    assert not UpdateRun.objects.exists()


def test_the_admin_offers_it_while_the_demo_world_is_served(
    source, admin_client, settings
):
    from django.contrib.admin.models import LogEntry
    from django.urls import reverse

    page = reverse("admin:dbupdates_databaserelease_changelist")
    assert "Install the published data" in admin_client.get(page).content.decode()

    admin_client.post(reverse("admin:dbupdates_install_published"))

    run = UpdateRun.objects.get()
    assert (run.asked_by, str(run.user), run.version) == ("admin", "admin", NEW)
    assert NEW in LogEntry.objects.get().change_message
    assert work().phase == Phase.COMPLETE
    assert "Install the published data" not in admin_client.get(page).content.decode()
