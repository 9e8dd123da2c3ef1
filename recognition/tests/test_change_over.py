"""How a process changes from one release to another, and what it tells of it."""

import gc
import threading
import weakref

import pytest
from rest_framework.test import APIClient

from dbupdates.models import DatabaseRelease
from dbupdates.signals import serving_reports
from recognition import loading, registry
from recognition.exceptions import DatabaseNotLoaded, DatabaseUpdating
from recognition.models import ServingProcess
from recognition.tests.conftest import TWIN_VERSION, VERSION, wait_until
from stashsense.api.authentication import api_key


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
        self.reached.set()
        assert self.opened.wait(20)
        if self.error is not None:
            raise self.error
        return loading.load_recognizer(*args, **kwargs)


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


def test_nothing_holds_on_to_the_old_release(first, small_world):
    database = weakref.ref(first.recognizer().database)

    small_world.activate(TWIN_VERSION)
    wait_until(lambda: serves(first, TWIN_VERSION))

    wait_until(lambda: gc.collect() >= 0 and database() is None)


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
    assert (health.status_code, health.json()["is_loading"]) == (200, True)
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

    registry.look_at_once()

    wait_until(lambda: serves(first, TWIN_VERSION))
