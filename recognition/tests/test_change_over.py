"""How a process changes from one release to another, and what it tells of it."""

import gc
import threading
import time
import weakref

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from dbupdates.models import DatabaseRelease
from dbupdates.signals import release_activated, serving_reports
from recognition import loading, registry
from recognition.exceptions import DatabaseNotLoaded, DatabaseUpdating
from recognition.models import ServingProcess
from recognition.runtime.networks import open_networks
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.vector_index import VectorIndex
from recognition.tests.conftest import TWIN_VERSION, VERSION
from stashsense.api.authentication import api_key
from stashsense.tests.waiting import wait_until


def serves(watching, version):
    serving = watching.state().serving
    return serving is not None and serving.release.version == version


@pytest.fixture
def first(watching, small_world):
    """Serve the first release."""
    small_world.activate()
    wait_until(lambda: serves(watching, VERSION))
    return watching


class Gate:
    """Loads that wait until they are let through."""

    def __init__(self):
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.error = None

    def load(self, *args, **kwargs):
        opened = self.opened
        self.reached.set()
        assert opened.wait(20)
        if self.error is not None:
            raise self.error
        return loading.load_recognizer(*args, **kwargs)

    def let_one_through(self):
        """Open for the load that waits, and close for the next."""
        opened, self.opened = self.opened, threading.Event()
        self.reached.clear()
        opened.set()


@pytest.fixture
def gate(first, monkeypatch):
    gate = Gate()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)
    yield gate
    gate.opened.set()


def test_the_old_release_answers_until_the_new_one_is_in_place(
    first, gate, small_world
):
    before = first.recognizer()
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)

    assert first.recognizer() is before
    gate.opened.set()
    wait_until(lambda: serves(first, TWIN_VERSION))

    assert first.recognizer().database is not before.database
    wait_until(lambda: [r.version for r in serving_reports()] == [TWIN_VERSION])
    [report] = serving_reports()
    assert not report.has_unloaded_first
    assert report.available_memory_bytes > 10_000_000


def test_networks_that_both_need_stay_open(first, small_world):
    before = first.recognizer().networks
    small_world.activate(TWIN_VERSION)
    wait_until(lambda: serves(first, TWIN_VERSION))

    assert first.recognizer().networks is before


@pytest.fixture
def no_collector():
    """Have things go when nothing refers to them, or not at all."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_nothing_holds_on_to_the_old_releases(first, small_world, no_collector):
    databases = []
    for version in [TWIN_VERSION, VERSION] * 3:
        databases.append(weakref.ref(first.recognizer().database))
        small_world.activate(version)
        wait_until(lambda version=version: serves(first, version))

    wait_until(lambda: not any(database() for database in databases))


def test_nothing_holds_on_to_what_was_opened_for_a_load_that_failed(
    small_world, settings, monkeypatch, no_collector
):
    settings.MODELS_DIR = small_world.data_dir / "models"
    load = VectorIndex.load
    opened = []

    def remember(thing):
        opened.append(weakref.ref(thing))
        return thing

    def load_or_fail(path):
        if "arcface" in path.name:
            raise DatabaseNotLoaded("The disk is on fire.")
        return remember(load(path))

    monkeypatch.setattr(VectorIndex, "load", load_or_fail)
    monkeypatch.setattr(
        loading,
        "open_networks",
        lambda *args, **kwargs: remember(open_networks(*args, **kwargs)),
    )

    with pytest.raises(DatabaseNotLoaded):
        loading.load_recognizer(small_world.release, choose_execution_plan("cpu"))

    assert len(opened) == 2
    assert [thing() for thing in opened] == [None, None]


def test_where_memory_is_short_the_old_release_goes_first(
    first, gate, small_world, monkeypatch
):
    monkeypatch.setattr(loading, "available_memory_bytes", lambda: 1)
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)

    assert first.state().serving is None
    with pytest.raises(DatabaseUpdating):
        first.recognizer()

    gate.opened.set()
    wait_until(lambda: serves(first, TWIN_VERSION))
    wait_until(lambda: [r.has_unloaded_first for r in serving_reports()] == [True])


@pytest.mark.parametrize(("swap", "goes_first"), [("beside", 0), ("unload-first", 1)])
def test_the_operator_may_decide(first, gate, small_world, settings, swap, goes_first):
    settings.SWAP = swap
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)

    assert (first.state().serving is None) == bool(goes_first)


def test_pictures_in_work_are_waited_for_before_the_next_release_is_loaded(
    first, gate, small_world, settings
):
    settings.SWAP = "unload-first"
    in_work = first.recognizer()
    small_world.activate(TWIN_VERSION)
    wait_until(lambda: first.state().serving is None)

    assert not gate.reached.wait(0.2)
    assert in_work.database.version == VERSION
    del in_work

    # Sooner than what is never let go would be waited for.
    assert gate.reached.wait(registry.LETTING_GO_SECONDS / 2)


def test_a_roll_back_while_the_old_release_is_unloaded_is_still_an_update(
    first, gate, small_world, settings
):
    settings.SWAP = "unload-first"
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)
    small_world.activate(VERSION)

    gate.let_one_through()

    assert gate.reached.wait(20)
    with pytest.raises(DatabaseUpdating):
        first.recognizer()
    gate.opened.set()
    wait_until(lambda: serves(first, VERSION))
    assert first.recognizer().database.version == VERSION


def test_every_process_that_is_about_to_load_counts(
    first, small_world, monkeypatch, settings
):
    release = small_world.release_of(TWIN_VERSION)
    wait_until(lambda: ServingProcess.objects.filter(release_version=VERSION).exists())
    needed = loading._needed_bytes(release, opens_networks=False)
    monkeypatch.setattr(loading, "available_memory_bytes", lambda: int(1.5 * needed))
    assert not loading.must_unload_first(release, opens_networks=False)

    row = ServingProcess.objects.get()
    row.pk, row.pid = None, 1
    row.save()

    assert loading.must_unload_first(release, opens_networks=False)
    # One that has nothing loaded, for want of work, does not load it now either.
    ServingProcess.objects.filter(pk=row.pk).update(is_unloaded=True)
    assert not loading.must_unload_first(release, opens_networks=False)


def test_meanwhile_only_pictures_are_refused(first, gate, small_world, monkeypatch):
    monkeypatch.setattr(registry, "_registry", first)
    monkeypatch.setattr(loading, "available_memory_bytes", lambda: 1)
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)

    answer = client.post("/identify", {"image_base64": "AAAA"}, format="json")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert answer.json() == {
        "detail": "Database update in progress",
        "code": "database_updating",
    }
    health = client.get("/health")
    assert health.status_code == 200
    assert (health.json()["status"], health.json()["is_loading"]) == ("degraded", True)
    assert client.get("/database/info").json()["version"] == TWIN_VERSION
    assert client.get("/database/update/status").status_code == 200


@pytest.mark.parametrize("available_bytes", [1, 10**12])
def test_a_release_that_cannot_be_loaded_is_told_and_the_former_one_comes_back(
    first, gate, small_world, monkeypatch, available_bytes
):
    monkeypatch.setattr(loading, "available_memory_bytes", lambda: available_bytes)
    gate.error = DatabaseNotLoaded("The disk is on fire.")
    gate.opened.set()
    small_world.activate(TWIN_VERSION)
    wait_until(lambda: [r.failed_version for r in serving_reports()] == [TWIN_VERSION])
    assert serving_reports()[0].problem == "The disk is on fire."
    gate.error = None

    small_world.activate(VERSION)

    wait_until(lambda: serves(first, VERSION))
    wait_until(lambda: [r.failed_version for r in serving_reports()] == [""])


def test_rows_tell_what_changed_without_waiting_for_a_heartbeat(
    first, gate, small_world, monkeypatch
):
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 3600)
    # The last row that is written because it is time.
    wait_until(lambda: first._next_heartbeat - time.monotonic() > 60)
    gate.error = DatabaseNotLoaded("The disk is on fire.")
    gate.opened.set()

    small_world.activate(TWIN_VERSION)
    wait_until(lambda: [r.failed_version for r in serving_reports()] == [TWIN_VERSION])
    assert first.recognizer().database.version == VERSION
    small_world.activate(VERSION)
    wait_until(lambda: [r.failed_version for r in serving_reports()] == [""])
    gate.error = None
    small_world.activate(TWIN_VERSION)
    wait_until(lambda: [r.version for r in serving_reports()] == [TWIN_VERSION])
    wait_until(lambda: not ServingProcess.objects.get().is_loading)


def test_a_load_that_ends_while_the_row_is_written_is_told_at_once(
    first, gate, small_world, monkeypatch
):
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 3600)
    wait_until(lambda: first._next_heartbeat - time.monotonic() > 60)
    write_row = first._write_row

    def write_while_the_load_ends():
        is_loading = first.state().is_loading
        write_row()
        if is_loading:
            gate.opened.set()
            wait_until(lambda: not first.state().is_loading and first._wake.is_set())

    monkeypatch.setattr(first, "_write_row", write_while_the_load_ends)

    small_world.activate(TWIN_VERSION)

    wait_until(lambda: [r.version for r in serving_reports()] == [TWIN_VERSION])
    assert not ServingProcess.objects.get().is_loading


def test_a_release_that_is_not_active_any_more_is_not_put_in_place(
    first, gate, small_world
):
    small_world.activate(TWIN_VERSION)
    assert gate.reached.wait(20)
    small_world.activate(VERSION)
    before = first.recognizer()

    gate.opened.set()

    wait_until(lambda: not first.state().is_loading)
    assert first.recognizer() is before


def test_without_an_active_release_nothing_is_served(first):
    DatabaseRelease.objects.update(status="retired")

    wait_until(lambda: first.state().serving is None)
    with pytest.raises(DatabaseNotLoaded, match="No release is active"):
        first.recognizer()
    wait_until(lambda: [r.version for r in serving_reports()] == [""])


def test_a_process_that_was_killed_is_not_reported(first):
    wait_until(lambda: serving_reports() != [])
    row = ServingProcess.objects.get()
    row.pk, row.pid = None, 2**22 + 1
    row.save()

    assert [report.pid for report in serving_reports()] != [row.pid]
    assert len(serving_reports()) == 1


def test_an_activation_in_this_process_is_followed_at_once(
    first, small_world, monkeypatch
):
    monkeypatch.setattr(registry, "_registry", first)
    monkeypatch.setattr(registry, "POLL_SECONDS", 3600)
    # The watcher begins its long wait.
    first.look_at_once()
    wait_until(lambda: not first._wake.is_set())
    small_world.activate(TWIN_VERSION)

    release_activated.send_robust(sender=DatabaseRelease, release=None)

    wait_until(lambda: serves(first, TWIN_VERSION))


def test_people_see_what_each_process_serves_and_cannot(first, admin_client):
    wait_until(lambda: ServingProcess.objects.filter(release_version=VERSION).exists())
    first.stop()
    ServingProcess.objects.create(
        host="nas",
        pid=4711,
        release_version=VERSION,
        failed_version=TWIN_VERSION,
        problem="The disk is on fire.",
        device="Abacus",
        memory_bytes=3 * 1024**2,
        started_at=timezone.now(),
        heartbeat_at=timezone.now(),
    )

    page = admin_client.get(reverse("admin:recognition_servingprocess_changelist"))

    for told in ("nas", "4711", VERSION, TWIN_VERSION, "on fire", "Abacus", "3.0"):
        assert told in page.content.decode()
