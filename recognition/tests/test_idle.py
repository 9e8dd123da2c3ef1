"""Giving memory back when there is nothing to do, and loading again when asked."""

import gc
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import psutil
import pytest
from onnx import helper, numpy_helper
from rest_framework.test import APIClient

from dbupdates.models import DatabaseRelease
from dbupdates.signals import serving_reports
from recognition import registry, services
from recognition.exceptions import DatabaseNotLoaded
from recognition.inference_queue import InferenceQueue
from recognition.models import ServingProcess
from recognition.runtime.memory import release_unused_memory
from recognition.runtime.networks import ARCFACE_FILE, FACENET_FILE
from recognition.tests.conftest import TWIN_VERSION, VERSION
from recognition.tests.test_change_over import Gate, serves
from recognition.usage import Usage
from stashsense.api.authentication import api_key
from stashsense.preferences.services import store_settings
from stashsense.tests import databases
from stashsense.tests.waiting import wait_until


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def first(watching, small_world, monkeypatch, clock):
    """Serve the first release, with a clock that tells how long nobody asked."""
    monkeypatch.setattr(registry, "_registry", watching)
    watching._usage = Usage(clock)
    store_settings({"idle_unload_seconds": 60}, user=None)
    small_world.activate()
    wait_until(lambda: serves(watching, VERSION))
    return watching


@pytest.fixture
def idle(first, clock):
    """The same after a minute without work."""
    clock.now += 60
    wait_until(lambda: first.state().unloaded is not None)
    return first


def client():
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    return client


def picture(small_world):
    return small_world.known_pictures(1)[0].jpeg


def identify(data):
    return services.identify_image(
        data, max_candidates=3, max_distance=0.6, min_face_confidence=0.5
    )


def looks(watched):
    """Wait until the watcher has looked once more."""
    row = ServingProcess.objects.get()
    wait_until(lambda: ServingProcess.objects.get().heartbeat_at > row.heartbeat_at)
    row = ServingProcess.objects.get()
    wait_until(lambda: ServingProcess.objects.get().heartbeat_at > row.heartbeat_at)


def test_what_nobody_needed_for_the_time_set_is_let_go_and_everybody_is_told(
    first, clock
):
    clock.now += 59
    looks(first)
    assert first.state().serving is not None

    clock.now += 1
    wait_until(lambda: first.state().serving is None)

    wait_until(lambda: ServingProcess.objects.get().is_unloaded)
    [report] = serving_reports()
    assert (report.version, report.is_unloaded) == (VERSION, True)
    health = client().get("/health").json()
    assert health["is_unloaded"]
    assert not health["database_loaded"]
    assert health["release"] == VERSION
    assert health["problem"] is None


def test_whoever_asks_for_what_is_served_begins_the_time_anew(first, clock):
    clock.now += 59
    first.recognizer()
    clock.now += 59
    looks(first)

    assert first.state().serving is not None


def test_zero_means_never(first, clock):
    store_settings({"idle_unload_seconds": 0}, user=None)

    clock.now += 10**6
    looks(first)

    assert first.state().serving is not None


def test_what_is_unloaded_is_loaded_again_when_that_is_switched_off(idle):
    store_settings({"idle_unload_seconds": 0}, user=None)

    wait_until(lambda: serves(idle, VERSION))


def test_the_next_request_has_it_loaded_again_and_waits_for_it(idle, small_world):
    identified = identify(picture(small_world))

    assert identified.release_version == VERSION
    assert len(identified.faces) >= 1
    assert serves(idle, VERSION)
    wait_until(lambda: not ServingProcess.objects.get().is_unloaded)


def test_many_that_come_at_once_have_it_loaded_once(
    idle, small_world, monkeypatch, clock
):
    gate = Gate()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(idle.recognizer) for _ in range(6)]
        assert gate.reached.wait(20)
        assert not any(each.done() for each in asked)
        gate.let_one_through()

        recognizers = {id(each.result(20)) for each in asked}

    assert len(recognizers) == 1
    assert not gate.reached.is_set()


def test_a_request_does_not_wait_for_ever_and_is_told_when_to_come_again(
    idle, monkeypatch
):
    gate = Gate()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)
    monkeypatch.setattr(registry, "WAKING_SECONDS", 0.1)

    answer = client().post("/identify", {"image_base64": "AAAA"}, format="json")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert answer.json()["code"] == "database_not_loaded"
    assert answer.json()["detail"] == "The database is being loaded."
    # The second is not made to wait as long again.
    began = time.monotonic()
    with pytest.raises(DatabaseNotLoaded):
        idle.recognizer()
    assert time.monotonic() - began < 0.1
    gate.opened.set()
    wait_until(lambda: serves(idle, VERSION))


def test_a_load_that_fails_is_told_to_who_waits_for_it(idle, settings, tmp_path):
    settings.MODELS_DIR = tmp_path

    with pytest.raises(DatabaseNotLoaded, match="not installed"):
        idle.recognizer()

    wait_until(lambda: serving_reports()[0].failed_version == VERSION)
    assert not ServingProcess.objects.get().is_unloaded


def test_a_scene_in_work_keeps_it_loaded_however_long_it_takes(first, clock):
    with registry.in_use():
        clock.now += 10**6
        looks(first)
        assert first.state().serving is not None
    looks(first)
    # It counts from the end of the work.
    assert first.state().serving is not None

    clock.now += 60
    wait_until(lambda: first.state().serving is None)


def test_a_picture_that_waits_for_its_turn_keeps_it_loaded(
    first, clock, small_world, monkeypatch
):
    queue = InferenceQueue(slots=1, waiting=1)
    monkeypatch.setattr(services, "inference_queue", lambda: queue)
    with ThreadPoolExecutor(1) as pool:
        with queue.slot():
            waiting = pool.submit(identify, picture(small_world))
            wait_until(lambda: queue.inside == 2)
            clock.now += 10**6
            looks(first)
            assert first.state().serving is not None
        assert waiting.result(20).release_version == VERSION


def test_who_began_before_goes_on_with_what_it_holds(first, clock, small_world):
    recognizer = first.recognizer()
    clock.now += 60
    wait_until(lambda: first.state().serving is None)

    assert recognizer.database.version == VERSION
    assert len(recognizer.database.facenet) > 0


def test_a_swap_while_unloaded_is_followed_without_loading_anything(
    idle, small_world, monkeypatch
):
    monkeypatch.setattr(registry, "load_recognizer", pytest.fail)
    small_world.activate(TWIN_VERSION)

    wait_until(lambda: [r.version for r in serving_reports()] == [TWIN_VERSION])

    assert idle.state().serving is None
    assert ServingProcess.objects.get().is_unloaded
    monkeypatch.undo()


def test_after_a_swap_while_unloaded_the_new_release_answers(idle, small_world):
    small_world.activate(TWIN_VERSION)

    wait_until(lambda: idle.state().unloaded.version == TWIN_VERSION)

    assert idle.recognizer().database.version == TWIN_VERSION


@databases.many_hosts
def test_nobody_who_is_idle_follows_to_a_release_that_cannot_be_had(idle, small_world):
    small_world.activate(TWIN_VERSION)
    DatabaseRelease.objects.filter(version=TWIN_VERSION).update(version="2031.01.01")

    wait_until(lambda: [r.failed_version for r in serving_reports()] == ["2031.01.01"])

    [report] = serving_reports()
    assert report.version != "2031.01.01"
    assert "not on this host" in report.problem


def test_a_release_that_is_not_active_any_more_is_not_loaded_again(idle):
    DatabaseRelease.objects.update(status="retired")

    wait_until(lambda: idle.state().unloaded is None)

    with pytest.raises(DatabaseNotLoaded, match="No release is active"):
        idle.recognizer()
    wait_until(lambda: [r.version for r in serving_reports()] == [""])


def test_a_changed_setting_does_not_wake_it(idle, monkeypatch):
    monkeypatch.setattr(registry, "load_recognizer", pytest.fail)
    store_settings({"detection_size": 320}, user=None)
    looks(idle)

    assert idle.state().unloaded is not None
    monkeypatch.undo()
    assert idle.recognizer().networks.detector.size_px == 320


def test_nobody_begins_while_it_is_decided():
    usage = Usage(Clock())
    began = threading.Event()

    def work():
        with usage.work():
            began.set()

    with usage.while_idle(0) as is_idle:
        thread = threading.Thread(target=work)
        thread.start()
        assert is_idle
        assert not began.wait(0.05)
    thread.join(5)
    assert began.is_set()


def make_heavy(path, megabytes):
    """Have the network in the file hold so much more, and need it."""
    model = onnx.load(path)
    graph = model.graph
    output, source = graph.output[0].name, graph.input[0].name
    for node in graph.node:
        node.output[:] = ["light" if name == output else name for name in node.output]
    weights = np.random.default_rng(0).standard_normal(
        (megabytes, 1024 * 256), dtype=np.float32
    )
    ballast = numpy_helper.from_array(weights, "ballast")
    zero = numpy_helper.from_array(np.zeros(1, np.int64), "zero")
    nothing = numpy_helper.from_array(np.zeros(1, np.float32), "nothing")
    graph.initializer.extend([ballast, zero, nothing])
    graph.node.extend(
        [
            helper.make_node("Shape", [source], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["count"]),
            helper.make_node("Mul", ["count", "zero"], ["row"]),
            helper.make_node("Gather", ["ballast", "row"], ["picked"]),
            helper.make_node("ReduceMax", ["picked"], ["most"], keepdims=0),
            helper.make_node("Mul", ["most", "nothing"], ["weightless"]),
            helper.make_node("Add", ["light", "weightless"], [output]),
        ]
    )
    onnx.save(model, path)


def test_the_memory_is_really_given_back(
    watching, small_world, settings, tmp_path, monkeypatch, clock
):
    watching._usage = Usage(clock)
    store_settings({"idle_unload_seconds": 60}, user=None)
    shutil.copytree(settings.MODELS_DIR, tmp_path, dirs_exist_ok=True)
    settings.MODELS_DIR = tmp_path
    release = small_world.activate()
    DatabaseRelease.objects.update(status="retired")
    for name in (FACENET_FILE, ARCFACE_FILE):
        path = tmp_path / release.network_set / name
        path.chmod(0o644)
        make_heavy(path, megabytes=60)
    gc.collect()
    release_unused_memory()
    empty = resident_mb()

    DatabaseRelease.objects.update(
        status="active", network_files=dict.fromkeys(release.network_files, "")
    )
    wait_until(lambda: serves(watching, VERSION))
    full = resident_mb()
    clock.now += 60
    wait_until(lambda: watching.state().unloaded is not None)
    wait_until(lambda: ServingProcess.objects.get().is_unloaded)

    left = resident_mb()
    assert full - empty >= 120
    assert left - empty < 0.2 * (full - empty), (empty, full, left)


def resident_mb():
    return psutil.Process().memory_info().rss / 1e6
