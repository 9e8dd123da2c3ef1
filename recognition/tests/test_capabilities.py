"""What can be done here, and the reasons of what cannot."""

import dataclasses
import shutil

import pytest
from rest_framework.test import APIClient

from dbupdates.models import DatabaseRelease
from recognition import capabilities, registry
from recognition.runtime.signals import OFF_BY_SETTING, ON, SignalResources
from recognition.tests.conftest import VERSION
from stashsense.api.authentication import api_key
from stashsense.preferences import values
from stashsense.preferences.services import store_settings


@pytest.fixture
def told():
    """Ask for the capabilities."""
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    return lambda: client.get("/capabilities").json()


@pytest.fixture
def serve_signals(served, small_recognizer):
    """Have the process serve with signals of this status."""

    def serve(**status):
        signals = SignalResources({"body": ON, "tattoo": ON, **status})
        recognizer = dataclasses.replace(small_recognizer, signals=signals)
        registry.serve(registry.Serving(served.release, recognizer))

    return serve


def test_what_is_there_can_be_used(serve_signals, told):
    serve_signals()

    answer = told()

    assert answer["capabilities"]["identification"] is True
    assert answer["capabilities"]["body_signal"] is True
    assert {"identification", "body_signal"}.isdisjoint(answer["reasons"])


def test_model_files_are_told_as_by_their_own_route(served, told):
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())

    models = told()["models"]

    assert models == client.get("/models/status").json()["models"]
    assert models["facenet512"]["status"]


def test_the_names_are_those_of_the_contract(served, told):
    assert sorted(told()["capabilities"]) == [
        "body_signal",
        "duplicate_detection_basic",
        "identification",
        "tattoo_signal",
        "upstream_sync",
    ]


def test_everything_that_cannot_be_used_has_a_reason(serve_signals, told):
    store_settings({"body_signal_enabled": False}, user=None)
    store_settings({"tattoo_signal_enabled": True}, user=None)
    serve_signals(tattoo="tattoo.onnx is not installed.")

    answer = told()

    missing = {name for name, there in answer["capabilities"].items() if not there}
    assert set(answer["reasons"]) == missing
    assert "body_signal_enabled" in answer["reasons"]["body_signal"]
    assert answer["reasons"]["tattoo_signal"] == "tattoo.onnx is not installed."


@pytest.mark.django_db
def test_without_a_release_nothing_can_be_identified(told):
    answer = told()

    assert not answer["capabilities"]["identification"]
    assert "No release is active" in answer["reasons"]["identification"]
    assert "No release is active" in answer["reasons"]["body_signal"]


def test_without_its_networks_a_release_identifies_nobody(
    served, told, settings, tmp_path
):
    settings.MODELS_DIR = tmp_path

    assert "facenet512.onnx" in told()["reasons"]["identification"]
    assert DatabaseRelease.objects.active() is not None


SIGNAL_FILES = {
    "body": ["models/pose_landmarker_lite.task"],
    "tattoo": [
        "models/tattoo_yolov5s.onnx",
        "models/tattoo_efficientnet_b0.onnx",
        f"releases/{VERSION}/tattoo_embeddings.voy",
        f"releases/{VERSION}/tattoo_embeddings.json",
    ],
}


@pytest.mark.parametrize("signal", ["body", "tattoo"])
def test_auto_means_on_where_the_files_are_there(
    settings, serve_signals, small_world, tmp_path, signal
):
    data_dir = shutil.copytree(small_world.data_dir, tmp_path / "data")
    settings.DATA_DIR, settings.MODELS_DIR = data_dir, data_dir / "models"
    setattr(settings, f"FIRST_{signal.upper()}_SIGNAL", "auto")
    key = f"{signal}_signal_enabled"
    serve_signals()
    assert values.value_of(key) is False

    for name in SIGNAL_FILES[signal]:
        (data_dir / name).touch()
    assert values.value_of(key) is True

    # What came of opening them must not change what is opened, or that never ends.
    serve_signals(**{signal: "It cannot be read."})
    assert values.value_of(key) is True
    serve_signals(**{signal: OFF_BY_SETTING})
    assert values.value_of(key) is True


@pytest.mark.parametrize(
    ("signal", "missing"),
    [("body", "pose_landmarker_lite.task"), ("tattoo", "tattoo_yolov5s.onnx")],
)
def test_what_is_not_served_yet_is_told_by_its_files(served, told, signal, missing):
    registry.serve(None)
    store_settings({f"{signal}_signal_enabled": True}, user=None)

    assert missing in str(capabilities.signal_problem(signal))
    assert signal + "_signal" in told()["reasons"]
