"""Every setting of recognition where it is used."""

import subprocess
import sys
from dataclasses import replace

import pytest

from recognition import preferences, registry
from recognition.exceptions import DatabaseNotLoaded
from recognition.models import ServingProcess
from recognition.pictures import decode_picture
from recognition.runtime.networks import open_networks
from recognition.runtime.providers import CPU_PROVIDER, CUDA_PROVIDER
from recognition.tests.conftest import VERSION
from recognition.tests.test_change_over import Gate, serves
from stashsense.integrations.preferences import DEFINITIONS as OTHERS
from stashsense.preferences import values
from stashsense.preferences.services import reset_setting, store_settings
from stashsense.tests.waiting import wait_until

# What recommendations.md lists for each tier; the departures are in the tests below.
TIER_DEFAULTS = {
    "embedding_batch_size": (32, 16, 4),
    "frame_extraction_concurrency": (8, 6, 2),
    "gpu_enabled": (True, True, False),
    "num_frames": (60, 60, 30),
    "face_candidates": (20, 20, 20),
    "body_signal_enabled": (True, True, True),
    "tattoo_signal_enabled": (False, False, False),
    "stash_api_rate": (5.0, 5.0, 5.0),
    # The predecessor looked at a quarter of the pixels where there was no GPU.
    "detection_size": (640, 640, 640),
    "idle_unload_seconds": (1800, 1800, 1800),
    "local_performers_enabled": (False, False, False),
}

ACCESSORS = {
    "embedding_batch_size": (preferences.embedding_batch_size, 7),
    "frame_extraction_concurrency": (preferences.frame_extraction_concurrency, 3),
    "detection_size": (preferences.detection_size_px, 320),
    "idle_unload_seconds": (preferences.idle_unload_seconds, 0),
    "gpu_enabled": (preferences.is_gpu_enabled, False),
    "num_frames": (preferences.num_frames, 77),
    "face_candidates": (preferences.face_candidates, 33),
    "local_performers_enabled": (preferences.is_local_performers_enabled, True),
    "body_signal_enabled": (preferences.is_body_signal_enabled, False),
    "tattoo_signal_enabled": (preferences.is_tattoo_signal_enabled, True),
}


def set_to(**chosen):
    store_settings(chosen, user=None)


def test_every_setting_is_in_these_tests():
    keys = {definition.key for definition in preferences.DEFINITIONS}
    others = {definition.key for definition in OTHERS}

    assert keys | others == set(TIER_DEFAULTS)
    assert keys == set(ACCESSORS)


@pytest.mark.django_db
@pytest.mark.parametrize(("memory_mb", "column"), [(24_000, 0), (2_000, 1), (None, 2)])
def test_each_tier_has_its_defaults(card, memory_mb, column):
    card(memory_mb)

    found = {key: values.value_of(key) for key in TIER_DEFAULTS}

    assert found == {key: row[column] for key, row in TIER_DEFAULTS.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("key", ACCESSORS)
def test_whoever_asks_gets_what_is_stored(key, card):
    card(24_000)
    ask, other = ACCESSORS[key]
    default = ask()
    assert default != other
    assert type(default) is type(other)

    set_to(**{key: other})

    assert ask() == other
    reset_setting(key, user=None)
    assert ask() == default


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "key"),
    [("DETECTION_SIZE_PX", "detection_size"),
     ("EMBEDDING_BATCH_SIZE", "embedding_batch_size")],
)  # fmt: skip
def test_the_operator_sets_a_default_between_the_tiers_and_the_users(
    name, key, settings
):
    setattr(settings, name, 96)
    found = values.setting(key)
    assert (found.value, found.default, found.is_override) == (96, 96, False)

    set_to(**{key: 64 if key == "embedding_batch_size" else 320})

    assert values.setting(key).is_override
    assert values.setting(key).default == 96


@pytest.fixture
def first(card, watching, small_world, monkeypatch):
    """Serve the small world in a process that follows the settings."""
    card(None)
    monkeypatch.setattr(registry, "_registry", watching)
    small_world.activate()
    wait_until(lambda: serves(watching, VERSION))
    return watching


class Spy:
    """A session that notes the shapes it is asked about."""

    def __init__(self, session):
        self._session = session
        self.shapes = []

    def __getattr__(self, name):
        return getattr(self._session, name)

    def run(self, names, feed):
        self.shapes += [array.shape for array in feed.values()]
        return self._session.run(names, feed)


def test_the_detection_size_counts_without_opening_anything_anew(
    first, small_world, monkeypatch
):
    before = first.recognizer()
    network = before.networks.detector._network
    spy = Spy(network.session)
    monkeypatch.setattr(network, "session", spy)
    image = decode_picture(small_world.known_pictures(1)[0].jpeg)

    set_to(detection_size=320)
    wait_until(lambda: first.recognizer().networks.detector.size_px == 320)
    first.recognizer().networks.detector.detect_faces(image, min_confidence=0.5)

    assert spy.shapes == [(1, 3, 320, 320)]
    assert first.recognizer().database is before.database
    # Who began before goes on as it began.
    before.networks.detector.detect_faces(image, min_confidence=0.5)
    assert spy.shapes[-1] == (1, 3, 640, 640)


def test_the_batch_size_counts_without_opening_anything_anew(first):
    before = first.recognizer().networks

    set_to(embedding_batch_size=3)
    wait_until(lambda: first.recognizer().networks is not before)

    networks = first.recognizer().networks
    assert (networks.facenet.batch_size, networks.arcface.batch_size) == (3, 3)
    assert networks.facenet._session is before.facenet._session
    assert networks.detector._network is before.detector._network
    assert before.facenet.batch_size == 4


@pytest.fixture
def on_a_gpu(card, watching, small_world, monkeypatch):
    """Serve the small world as if on a GPU; return the plans networks were opened by.

    There is no such card here: ONNX Runtime would fall back with many words.
    """
    card(24_000)
    plans = []

    def open_on_the_cpu(network_set, plan, **sizes):
        plans.append(plan)
        return open_networks(
            network_set, replace(plan, providers=(CPU_PROVIDER,)), **sizes
        )

    monkeypatch.setattr("recognition.loading.open_networks", open_on_the_cpu)
    small_world.activate()
    wait_until(lambda: serves(watching, VERSION))
    wait_until(lambda: ServingProcess.objects.filter(device="Abacus").exists())
    return plans


def test_switching_the_gpu_off_opens_the_networks_on_the_cpu_beside_those_that_answer(
    on_a_gpu, watching, monkeypatch
):
    before = watching.recognizer()
    gate = Gate()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)

    set_to(gpu_enabled=False)
    assert gate.reached.wait(20)
    assert watching.recognizer() is before
    gate.opened.set()
    wait_until(lambda: watching.recognizer() is not before)

    assert [plan.provider for plan in on_a_gpu] == [CUDA_PROVIDER, CPU_PROVIDER]
    assert watching.recognizer().networks is not before.networks
    assert watching.recognizer().database is before.database
    wait_until(lambda: ServingProcess.objects.filter(device="CPU").exists())
    assert "switched off" in ServingProcess.objects.get().device_reason


def test_a_reload_lets_go_first_where_the_operator_says_so(
    on_a_gpu, watching, settings, monkeypatch
):
    settings.SWAP = "unload-first"
    gate = Gate()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)

    set_to(gpu_enabled=False)

    # Sooner than what is never let go would be waited for.
    assert gate.reached.wait(registry.LETTING_GO_SECONDS * 0.8)
    assert watching.state().serving is None
    gate.opened.set()
    wait_until(lambda: serves(watching, VERSION))
    assert len(watching.recognizer().database.facenet) > 0


@pytest.mark.parametrize(
    ("chosen", "options"),
    [
        ({"body_signal_enabled": False}, {"is_body_signal_enabled": False}),
        ({"tattoo_signal_enabled": True}, {"is_tattoo_signal_enabled": True}),
    ],
)
def test_a_signal_that_is_switched_is_served_so_after_a_reload(first, chosen, options):
    before = first.state().serving

    set_to(**chosen)
    wait_until(lambda: first.state().serving is not before)

    assert first.state().serving.options == replace(before.options, **options)


def test_options_that_cannot_be_served_leave_the_former_ones_and_harm_no_update(
    first, monkeypatch
):
    before = first.recognizer()
    gate = Gate()
    gate.error = DatabaseNotLoaded("The disk is on fire.")
    gate.opened.set()
    monkeypatch.setattr(registry, "load_recognizer", gate.load)

    set_to(tattoo_signal_enabled=True)

    wait_until(lambda: ServingProcess.objects.exclude(problem="").exists())
    row = ServingProcess.objects.get()
    assert (row.problem, row.failed_version) == ("The disk is on fire.", "")
    assert row.release_version == VERSION
    assert first.recognizer() is before
    # Setting it back ends it.
    set_to(tattoo_signal_enabled=False)
    wait_until(lambda: ServingProcess.objects.filter(problem="").exists())


@pytest.mark.usefixtures("first")
def test_a_setting_that_serving_does_not_depend_on_replaces_nothing(first):
    before = first.state().serving

    set_to(num_frames=50, face_candidates=40, frame_extraction_concurrency=1)
    row = ServingProcess.objects.get()
    wait_until(lambda: ServingProcess.objects.get().heartbeat_at > row.heartbeat_at)

    assert first.state().serving is before


def test_a_process_that_only_asks_once_takes_the_settings_too(
    transactional_db, settings, small_world
):
    settings.DATA_DIR = small_world.data_dir
    settings.MODELS_DIR = small_world.data_dir / "models"
    small_world.activate()
    set_to(detection_size=320)
    asked = registry.Registry()

    asked.load_active()

    assert asked.recognizer().networks.detector.size_px == 320


def test_settings_are_known_where_no_network_is():
    script = (
        "import sys, django\n"
        "django.setup()\n"
        "from stashsense.preferences.definitions import get_definition\n"
        "assert get_definition('num_frames')\n"
        "assert 'onnxruntime' not in sys.modules\n"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "stashsense.tests.settings"}

    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
