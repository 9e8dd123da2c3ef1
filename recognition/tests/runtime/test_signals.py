"""Signals: what is missing is neutral and told, and evidence stays with its person."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import voyager

from demo.performers_db import write_performers_db
from demo.world import World
from recognition.numeric.body import BodyRatios
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import PersonCandidate
from recognition.numeric.reranking import FaceCandidate
from recognition.numeric.tattoos import TattooBox, TattooEvidence
from recognition.runtime.pose import PoseEstimator, PoseUnreadable
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.signals import (
    FaceSignals,
    PersonSignals,
    SignalResources,
    SignalSetting,
    combine,
    load_signals,
    signals_used,
)
from recognition.tests.pose_task import SHOULDER_HIP, write_pose_task
from recognition.tests.tattoo_networks import (
    CELL_PX,
    embedding_of,
    write_detector,
    write_embedder,
)

ROOT = Path(__file__).resolve().parents[3]
PLAN = choose_execution_plan("cpu", threads=1)
RED, BLUE = (255, 0, 0), (0, 0, 255)
LEFT_FACE, RIGHT_FACE = FaceBox(96, 64, 64, 64), FaceBox(480, 64, 64, 64)
FACES = [LEFT_FACE, RIGHT_FACE]
INKED, OTHER, PLAIN = "stashdb.org:inked", "fansdb.cc:other", "javstash.org:plain"
TATTOO_FILES = ("tattoo_yolov5s.onnx", "tattoo_efficientnet_b0.onnx")
TATTOO_RELEASE_FILES = ("tattoo_embeddings.voy", "tattoo_embeddings.json")


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    """A models folder and a release with all that signals can use."""
    root = tmp_path_factory.mktemp("signals")
    models_dir, release_dir = root / "models", root / "release"
    models_dir.mkdir()
    release_dir.mkdir()
    write_pose_task(models_dir / "pose_landmarker_lite.task")
    write_detector(models_dir / "tattoo_yolov5s.onnx")
    write_embedder(models_dir / "tattoo_efficientnet_b0.onnx")
    write_performers_db(
        release_dir / "performers.db",
        World(seed=3, people_count=3).people,
        [],
        seed=3,
        created_at="2026-01-01",
    )
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=1280)
    index.add_items(np.stack([embedding_of(RED), embedding_of(BLUE)]))
    index.save(str(release_dir / "tattoo_embeddings.voy"))
    names = [{"universal_id": INKED}, {"universal_id": OTHER}]
    (release_dir / "tattoo_embeddings.json").write_text(json.dumps(names))
    return models_dir, release_dir


@pytest.fixture
def folders(everything, tmp_path):
    """The same two folders, to remove files from."""
    return [shutil.copytree(path, tmp_path / path.name) for path in everything]


@pytest.fixture(scope="module")
def resources(everything):
    models_dir, release_dir = everything
    return load_signals(release_dir, models_dir, PLAN, body=True, tattoo=True)


def load(folders, *, body=True, tattoo=True, reuse=None):
    models_dir, release_dir = folders
    return load_signals(
        release_dir, models_dir, PLAN, body=body, tattoo=tattoo, reuse=reuse
    )


def open_already(**parts):
    """Resources of these parts, whose status nobody asks for."""
    return SignalResources({}, **parts)


def combined(*observations):
    return combine(observations)


def picture_of(*tattoos):
    """Grey, with a cell of colour in each column and row given."""
    image = np.full((640, 640, 3), 120, np.uint8)
    for column, row, colour in tattoos:
        x, y = column * CELL_PX, row * CELL_PX
        image[y : y + CELL_PX, x : x + CELL_PX] = colour
    return image


def candidates(*pairs):
    return [FaceCandidate(name, distance, 1 - distance) for name, distance in pairs]


def order(given, ranking):
    return [given[ranked.position].universal_id for ranked in ranking]


def is_neutral(resources):
    """Whether nothing is seen and nothing changes."""
    given = candidates((PLAIN, 0.3), (INKED, 0.31))
    seen = resources.observe(picture_of((3, 8, RED)), FACES)
    ranking = resources.rerank(given, seen)
    return seen == [FaceSignals(), FaceSignals()] and order(given, ranking) == [
        PLAIN,
        INKED,
    ]


def test_with_all_files_there_both_signals_are_on(resources):
    assert resources.status == {"body": "on", "tattoo": "on"}
    assert resources.reads_anything


@pytest.mark.parametrize("signal", ["body", "tattoo"])
def test_a_signal_switched_off_is_not_read(folders, signal):
    loaded = load(folders, **{signal: False})

    assert loaded.status[signal] == "off by setting"
    assert "on" in loaded.status.values()


@pytest.mark.parametrize(
    ("setting", "status"), [("auto", "on"), ("true", "on"), ("false", "off by setting")]
)
def test_what_an_operator_says_of_a_signal_is_done(folders, setting, status):
    # I16: "auto" was read as "false", and kept.
    loaded = load(folders, body=False, tattoo=SignalSetting(setting).is_wanted)

    assert loaded.status["tattoo"] == status


def test_mediapipe_is_not_started_where_its_network_cannot_be_cut(folders, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    loaded = load(folders, tattoo=False)

    assert "reports its use to its maker" in loaded.status["body"]
    assert "riscv64" in loaded.status["body"]
    assert is_neutral(loaded)


def test_many_threads_can_look_at_pictures_at_once(resources):
    image = picture_of((3, 8, RED), (16, 9, BLUE))
    alone = resources.observe(image, FACES)

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda _: resources.observe(image, FACES), range(24)))

    assert together == [alone] * 24


def test_with_both_off_nothing_is_opened_and_nothing_changes(folders):
    loaded = load(folders, body=False, tattoo=False)

    assert not loaded.reads_anything
    assert is_neutral(loaded)


def test_an_installation_without_any_model_works_and_says_what_is_missing(folders):
    # I15: a missing pose model failed every identification.
    for path in folders[0].iterdir():
        path.unlink()

    loaded = load(folders)

    assert loaded.status == {
        "body": "pose_landmarker_lite.task is not installed",
        "tattoo": "tattoo_yolov5s.onnx is not installed",
    }
    assert is_neutral(loaded)


@pytest.mark.parametrize("name", TATTOO_FILES)
def test_tattoos_need_both_networks(folders, name):
    (folders[0] / name).unlink()

    loaded = load(folders, body=False)

    assert loaded.status["tattoo"] == f"{name} is not installed"
    assert is_neutral(loaded)


@pytest.mark.parametrize("name", TATTOO_RELEASE_FILES)
def test_tattoos_need_a_release_that_has_some(folders, name):
    (folders[1] / name).unlink()

    loaded = load(folders, body=False)

    assert loaded.status["tattoo"] == f"the release has no {name}"
    assert is_neutral(loaded)


def test_bodies_need_a_release_that_has_some(folders):
    connection = sqlite3.connect(folders[1] / "performers.db")
    with connection:
        connection.execute("DELETE FROM body_proportions")
    connection.close()

    loaded = load(folders, tattoo=False)

    assert (
        loaded.status["body"] == "the release's performers.db has no body proportions"
    )
    assert is_neutral(loaded)


@pytest.mark.parametrize(
    ("signal", "folder", "name"),
    [
        ("body", 0, "pose_landmarker_lite.task"),
        ("body", 1, "performers.db"),
        *[("tattoo", 0, name) for name in TATTOO_FILES],
        *[("tattoo", 1, name) for name in TATTOO_RELEASE_FILES],
    ],
)
def test_a_broken_file_switches_its_signal_off_and_says_so(
    folders, signal, folder, name, caplog
):
    (folders[folder] / name).write_bytes(b"something else entirely")
    other = {"body": "tattoo", "tattoo": "body"}[signal]

    loaded = load(folders, **{other: False})

    assert name in loaded.status[signal]
    assert is_neutral(loaded)
    (record,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert name in record.getMessage()


def test_a_new_release_uses_the_networks_that_are_open(folders, resources):
    models_dir, _ = folders
    shutil.rmtree(models_dir)
    models_dir.mkdir()
    for name in ("pose_landmarker_lite.task", *TATTOO_FILES):
        # There, but nothing that could be opened.
        (models_dir / name).write_bytes(b"")

    loaded = load(folders, reuse=resources)

    assert loaded.status == {"body": "on", "tattoo": "on"}
    assert loaded.observe(picture_of((3, 8, RED)), FACES)[0].tattoos.tattoos


def test_a_picture_without_faces_costs_nothing():
    class Nobody:
        def __getattr__(self, name):
            raise AssertionError("nothing should be asked")

    loaded = open_already(pose=Nobody(), tattoos=Nobody())

    assert loaded.observe(picture_of(), []) == []


def test_only_the_person_with_the_tattoo_is_affected(resources):
    # I7, I10: both were given the tattoo, or both the want of it.
    given = candidates((PLAIN, 0.30), (INKED, 0.35))
    left, right = resources.observe(picture_of((3, 8, RED)), FACES)

    with_tattoo = resources.rerank(given, [left])
    without = resources.rerank(given, [right])

    assert order(given, with_tattoo) == [INKED, PLAIN]
    assert order(given, without) == [PLAIN, INKED]
    assert [one.multipliers.tattoo for one in without] == [1.0, 0.95]
    # Distances stay those of the face, and percentages fall with the order.
    assert [one.confidence for one in with_tattoo] == pytest.approx([0.65, 0.65])
    assert [one.confidence for one in without] == pytest.approx([0.70, 0.65])


@pytest.mark.parametrize("name", [INKED, OTHER])
def test_performers_of_every_endpoint_have_their_tattoos(resources, name):
    # I8: only those of StashDB had.
    colour = {INKED: RED, OTHER: BLUE}[name]
    given = candidates((PLAIN, 0.30), (name, 0.35))
    seen = resources.observe(picture_of((3, 8, colour)), FACES)

    assert order(given, resources.rerank(given, seen[:1]))[0] == name


def test_only_the_person_with_the_body_is_affected(everything):
    # I7: by the real pose task; a head is red, and shoulders are wide in blue.
    image = np.zeros((448, 448, 3), np.uint8)
    image[:, 260:, 2] = 230
    faces = [FaceBox(64, 64, 64, 64), FaceBox(256, 64, 64, 64)]
    for face in faces:
        image[face.y : face.y + 64, face.x : face.x + 64] = RED
    loaded = load(everything, tattoo=False)
    given = candidates((PLAIN, 0.30), (INKED, 0.35))

    left, right = loaded.observe(image, faces)
    known = replace(
        loaded,
        body_ratios={INKED: SHOULDER_HIP, PLAIN: right.body.shoulder_hip},
    )

    assert right.body.shoulder_hip > SHOULDER_HIP + 0.5
    assert order(given, known.rerank(given, [left])) == [INKED, PLAIN]
    assert order(given, known.rerank(given, [right])) == [PLAIN, INKED]


def body(shoulder_hip, confidence=0.9):
    return BodyRatios(shoulder_hip, 1.0, 1.0, confidence)


def test_an_unknown_body_speaks_against_nobody():
    known = open_already(body_ratios={INKED: 1.2})
    given = candidates((PLAIN, 0.30), (INKED, 0.35))

    ranking = known.rerank(given, [FaceSignals(body=body(1.6))])

    assert [one.multipliers.body for one in ranking] == [1.0, 0.3]


def test_evidence_adds_nobody_whom_the_limits_kept_out(resources):
    # I5: whoever looks like the tattoo was beyond max_distance.
    given = candidates((PLAIN, 0.30))
    seen = resources.observe(picture_of((3, 8, RED)), FACES)

    assert order(given, resources.rerank(given, seen[:1])) == [PLAIN]


def test_several_pictures_of_a_person_count_together():
    tattoo = TattooBox(0.1, 0.1, 0.1, 0.1, 0.9)
    seen = combined(
        FaceSignals(body=body(1.2, 0.6), tattoos=TattooEvidence((), {})),
        FaceSignals(body=body(1.5, 0.8), tattoos=None),
        FaceSignals(tattoos=TattooEvidence((tattoo,), {INKED: 0.6, OTHER: 0.2})),
        FaceSignals(tattoos=TattooEvidence((tattoo,), {INKED: 0.8})),
    )

    assert seen.body == body(1.5, 0.8)
    assert seen.tattoos.tattoos == (tattoo, tattoo)
    assert seen.tattoos.similarities == {INKED: 0.8, OTHER: 0.2}


def test_a_person_nobody_looked_at_has_no_evidence():
    assert combine([]) == FaceSignals()
    assert signals_used([]) == ["face"]


def test_an_answer_says_what_it_rests_on():
    assert signals_used([FaceSignals(body=body(1.5))]) == ["face", "body"]
    assert signals_used([FaceSignals(tattoos=TattooEvidence((), {}))]) == [
        "face",
        "tattoo",
    ]


def test_rows_of_the_release_come_back_in_their_new_order():
    loaded = open_already(body_ratios={"a:0": 1.0, "a:1": 1.5})
    people = [
        (
            [
                PersonCandidate(row, 0.3 + row / 100, 0.3, None, 0.7 - row / 100, 4)
                for row in range(3)
            ],
            [FaceSignals(body=body(1.5))],
        ),
        ([], []),
    ]

    first, nobody = loaded.rerank_person_candidates(
        people, universal_id=lambda row: f"a:{row}"
    )

    assert [one.performer for one in first] == [1, 2, 0]
    assert [one.distance for one in first] == [0.31, 0.32, 0.30]
    assert [one.confidence for one in first] == pytest.approx([0.69, 0.68, 0.68])
    assert nobody == ()


def test_two_people_do_not_become_one_performer():
    # I6.
    loaded = open_already(body_ratios={"a:x": 1.0, "a:y": 1.5})
    given = candidates(("a:x", 0.3), ("a:y", 0.31))
    swapped = candidates(("a:y", 0.2), ("a:x", 0.4))
    seen = [FaceSignals(body=body(1.5))]

    rankings = loaded.rerank_people(
        [PersonSignals(given, seen), PersonSignals(swapped, seen)]
    )

    assert order(given, rankings[0])[0] == "a:x"
    assert order(swapped, rankings[1])[0] == "a:y"


def test_a_picture_mediapipe_fails_on_is_without_bodies_and_told(caplog):
    class Failing:
        def detect(self, image):
            raise PoseUnreadable("MediaPipe failed on a picture of 8 x 8: why")

    loaded = open_already(pose=PoseEstimator(Failing()))

    assert loaded.observe(picture_of(), [LEFT_FACE]) == [FaceSignals()]
    assert "picture of 8 x 8" in caplog.text


LOAD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
import numpy as np
from recognition.numeric.boxes import FaceBox
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.signals import load_signals

tried = []
sys.addaudithook(
    lambda event, args: tried.append((event, args[-1]))
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request")
    else None
)
models, release = map(Path, sys.argv[1:])
plan = choose_execution_plan("cpu", threads=1)
loaded = load_signals(release, models, plan, body=True, tattoo=True)
seen = loaded.observe(np.zeros((640, 640, 3), np.uint8), [FaceBox(96, 64, 64, 64)])
print(loaded.status, len(seen), "mediapipe" in sys.modules, tried)
"""


def run_loading(folders, *, prefix=()):
    return subprocess.run(
        [*prefix, sys.executable, "-c", LOAD, *folders],
        cwd=ROOT,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_library_looks_for_anything_on_the_network(folders):
    result = run_loading(folders)

    assert result.stdout == "{'body': 'on', 'tattoo': 'on'} 1 True []\n", result.stderr


def test_everything_loads_where_there_is_no_network(folders):
    prefix = ["unshare", "--net", "--map-root-user"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            [*prefix, "true"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this system does not let tests cut the network")

    result = run_loading(folders, prefix=prefix)

    assert result.stdout == "{'body': 'on', 'tattoo': 'on'} 1 True []\n", result.stderr


def test_mediapipe_is_not_imported_without_a_model_for_it(folders):
    (folders[0] / "pose_landmarker_lite.task").unlink()

    result = run_loading(folders)

    assert "'tattoo': 'on'} 1 False []" in result.stdout, result.stderr


def test_loading_signals_leaves_this_process_its_network(resources):
    with socket.socket() as sock:
        assert sock.fileno() >= 0
