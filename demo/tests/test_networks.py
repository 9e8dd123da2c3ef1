import numpy as np
import onnxruntime as ort
import pytest
from insightface.app import FaceAnalysis

from demo.camera import decode_jpeg
from demo.embedding import (
    DETECTOR_FILE,
    NETWORK_FILES,
    NETWORKS_DIR,
    network_digests,
    open_demo_networks,
)
from demo.scenes import draw_reference
from demo.seeds import Namespace, generator
from demo.world import World

MAX_COMMITTED_BYTES = 6_000_000


def session(name):
    path = str(NETWORKS_DIR / name)
    return ort.InferenceSession(path, providers=["CPUExecutionProvider"])


def test_the_committed_networks_stay_small():
    files = [path for path in NETWORKS_DIR.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) <= MAX_COMMITTED_BYTES
    names = {path.relative_to(NETWORKS_DIR).as_posix() for path in files}
    assert names == set(NETWORK_FILES)
    assert set(network_digests()) == names


@pytest.mark.parametrize(
    ("name", "side"), [("facenet512.onnx", 160), ("arcface.onnx", 112)]
)
def test_an_embedder_takes_and_gives_what_the_published_one_does(name, side):
    network = session(name)

    (given,) = network.get_inputs()
    assert (given.name, given.type) == ("input", "tensor(float)")
    assert given.shape[1:] == [side, side, 3]
    for count in (1, 5):
        pixels = np.zeros((count, side, side, 3), np.float32)
        (answer,) = network.run(None, {"input": pixels})
        assert answer.shape == (count, 512)
        assert answer.dtype == np.float32


@pytest.mark.parametrize("size", [320, 640])
def test_the_detector_has_the_nine_outputs_of_scrfd(size):
    pixels = np.zeros((1, 3, size, size), np.float32)

    network = session(DETECTOR_FILE)
    outputs = network.run(None, {network.get_inputs()[0].name: pixels})

    rows = [2 * (size // stride) ** 2 for stride in (8, 16, 32)]
    widths = (1, 1, 1, 4, 4, 4, 10, 10, 10)
    expected = list(zip(rows * 3, widths, strict=True))
    assert [output.shape for output in outputs] == expected


def test_insightface_loads_the_detector_pack_and_finds_the_drawn_face():
    scene = draw_reference(
        World(5, 1).people[0].identity, generator(Namespace.RELEASE, 5)
    )
    analysis = FaceAnalysis(
        str((NETWORKS_DIR / DETECTOR_FILE).parent),
        allowed_modules=["detection"],
        providers=["CPUExecutionProvider"],
    )
    analysis.prepare(ctx_id=-1, det_size=(640, 640))

    # RGB, as production hands it over.
    (face,) = analysis.get(decode_jpeg(scene.jpeg))

    head = scene.heads[0]
    eye_distance = np.linalg.norm(head.landmarks[0] - head.landmarks[1])
    off = np.linalg.norm(face.kps - head.landmarks, axis=1)
    assert (off < 0.3 * eye_distance).all()


def test_the_production_code_opens_the_networks():
    networks = open_demo_networks(detection_size_px=320)

    crop = np.full((112, 112, 3), 90, np.uint8)

    assert networks.facenet.embed([crop, crop]).shape == (2, 512)
    assert networks.arcface.embed([crop, crop]).shape == (2, 512)
