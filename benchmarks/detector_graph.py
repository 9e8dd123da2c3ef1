"""The detector in production size, and a picture in which it sees five faces.

Layers, channels and the nine outputs are those of an SCRFD of 500 million
multiplications; its weights are random and its heads almost silent. What it takes
for a face is a magenta square: one small convolution more finds those, so that a
known picture has a known number of faces while the work is that of the real network.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.graphs import GraphBuilder, Tensor, float_tensor

# Channels of the backbone's blocks, and whether a block halves the size.
_STEM_CHANNELS = 16
_BACKBONE = (
    *((16, False), (40, True), (40, False)),
    *((72, True), (72, False), (72, False)),
    *((152, True), (152, False)),
    *(
        (288, True),
        (288, False),
        (288, False),
        (288, False),
        (288, False),
        (288, False),
    ),
)
_FINEST_STRIDE = 8
_SIDE_PX = 640
_NECK_CHANNELS = 16
_HEAD_CHANNELS = 64
_ANCHORS = 2
# The heads' own opinion: it is computed, but too little to matter.
_HEAD_GAIN = 0.001

# A box reaches so many cells from a marker; the five points lie within, as in a face.
_BOX_REACH = 8.0
_LANDMARKS = ((-2.8, -2.2), (2.8, -2.2), (0.0, 0.6), (-2.2, 3.6), (2.2, 3.6))
# Grey answers 0 and magenta 4, which makes the logits -8 and 8.
_MAGENTA = (255, 0, 255)
_MAGENTA_FILTER = (1.0, -2.0, 1.0)
_NO_FACE_LOGIT = -8.0
_MARKER_GAIN = 4.0

# The detector looks at 640 x 480 of these.
PICTURE_WIDTH, PICTURE_HEIGHT = 1280, 960
FACE_CENTRES = ((256, 288), (640, 288), (1024, 288), (416, 704), (864, 704))
# Two by two cells, so that suppression has something to suppress.
_MARKER_PX = 32
_FACE_RADIUS_PX = 120
# Of a photograph's fine detail: makes a JPEG of 0.3 MB.
_GRAIN = 6.0


def write_detector(path: Path) -> GraphBuilder:
    """Write the graph; the builder knows its size, at 640 x 640."""
    graph = GraphBuilder("det_benchmark", seed=500)
    graph.inputs.append(float_tensor("input.1", [1, 3, "height", "width"]))
    picture = Tensor("input.1", 3, _SIDE_PX, _SIDE_PX)
    heads = [_head(graph, level) for level in _neck(graph, _backbone(graph, picture))]
    scores, boxes, landmarks = zip(*heads, strict=True)
    finest = graph.add(scores[0], _marker_answers(graph, picture))
    for tensor in (finest, *scores[1:]):
        _add_output(graph, graph.node("Sigmoid", [tensor.name]), columns=1)
    for tensor in boxes:
        _add_output(graph, tensor.name, columns=4)
    for tensor in landmarks:
        _add_output(graph, tensor.name, columns=10)
    graph.save(path)
    return graph


def marked_picture() -> bytes:
    """Return a JPEG in which the detector sees a face at each of FACE_CENTRES."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(60, 190, (8, 10, 1)) + rng.uniform(-20, 20, (8, 10, 3))
    image = cv2.resize(
        coarse.astype(np.float32),
        (PICTURE_WIDTH, PICTURE_HEIGHT),
        interpolation=cv2.INTER_CUBIC,
    )
    for centre in FACE_CENTRES:
        tone = rng.uniform(90, 220) * np.array([0.75, 0.85, 1.0])
        cv2.circle(image, centre, _FACE_RADIUS_PX, tone.tolist(), -1)
    image += rng.normal(0, _GRAIN, image.shape).astype(np.float32)
    half = _MARKER_PX // 2
    for x, y in FACE_CENTRES:
        image[y - half : y + half, x - half : x + half] = _MAGENTA
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return encoded.tobytes()


def decode(picture: bytes) -> NDArray[np.uint8]:
    """Return the picture as RGB."""
    pixels = np.frombuffer(picture, dtype=np.uint8)
    return np.asarray(cv2.imdecode(pixels, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def detector_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the picture at the detector's size, on black, as its network takes it."""
    ratio = _SIDE_PX / max(image.shape[:2])
    small = cv2.resize(image, None, fx=ratio, fy=ratio)
    square = np.zeros((_SIDE_PX, _SIDE_PX, 3), dtype=np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return np.asarray(
        cv2.dnn.blobFromImage(square, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
    )


def face_landmarks() -> NDArray[np.float32]:
    """Return float32 [faces, 5, 2]: about where the detector sees the five points."""
    cell_px = _FINEST_STRIDE * PICTURE_WIDTH / _SIDE_PX
    offsets = np.array(_LANDMARKS, dtype=np.float32) * np.float32(cell_px)
    return np.array(FACE_CENTRES, dtype=np.float32)[:, None] + offsets


def _backbone(graph: GraphBuilder, picture: Tensor) -> list[Tensor]:
    """Return the features at strides 8, 16 and 32."""
    tensor = graph.relu(graph.conv(picture, _STEM_CHANNELS, stride=2))
    stages: dict[int, Tensor] = {}
    for channels, halves in _BACKBONE:
        tensor = _separable(graph, tensor, channels, stride=2 if halves else 1)
        stages[picture.height // tensor.height] = tensor
    return [stage for stride, stage in stages.items() if stride >= _FINEST_STRIDE]


def _separable(
    graph: GraphBuilder, tensor: Tensor, channels: int, *, stride: int = 1
) -> Tensor:
    """Add a convolution of each channel by itself, then one across channels."""
    inner = graph.conv(tensor, tensor.channels, stride=stride, groups=tensor.channels)
    return graph.relu(graph.conv(graph.relu(inner), channels, (1, 1)))


def _neck(graph: GraphBuilder, stages: list[Tensor]) -> list[Tensor]:
    """Return the stages mixed from coarse to fine, and back again."""
    levels = [graph.conv(stage, _NECK_CHANNELS, (1, 1), gain=0.7) for stage in stages]
    for fine in (1, 0):
        levels[fine] = graph.add(levels[fine], graph.enlarge(levels[fine + 1]))
    levels = [graph.conv(level, _NECK_CHANNELS, gain=0.7) for level in levels]
    for coarse in (1, 2):
        halved = graph.conv(levels[coarse - 1], _NECK_CHANNELS, stride=2, gain=0.7)
        levels[coarse] = graph.add(levels[coarse], halved)
    mixed = [graph.conv(level, _NECK_CHANNELS, gain=0.7) for level in levels[1:]]
    return [levels[0], *mixed]


def _head(graph: GraphBuilder, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits, box distances and landmark offsets, in cells."""
    tensor = _separable(graph, level, _HEAD_CHANNELS)
    tensor = _separable(graph, tensor, _HEAD_CHANNELS)
    logits = np.full(1, _NO_FACE_LOGIT)
    reaches = np.full(4, _BOX_REACH)
    offsets = np.array(_LANDMARKS).ravel()
    scores, boxes, landmarks = (
        graph.conv(
            tensor,
            _ANCHORS * len(mean),
            gain=_HEAD_GAIN,
            bias=np.tile(mean, _ANCHORS).astype(np.float32),
        )
        for mean in (logits, reaches, offsets)
    )
    return scores, boxes, landmarks


def _marker_answers(graph: GraphBuilder, picture: Tensor) -> Tensor:
    """Return what a cell's mean colour adds to the logit of its first anchor."""
    side = _FINEST_STRIDE
    weights = np.zeros((_ANCHORS, 3, side, side), dtype=np.float32)
    weights[0] = np.array(_MAGENTA_FILTER)[:, None, None] * _MARKER_GAIN / side**2
    name = graph.node(
        "Conv",
        [picture.name, graph.weight(weights)],
        kernel_shape=[side, side],
        strides=[side, side],
    )
    return Tensor(name, _ANCHORS, picture.height // side, picture.width // side)


def _add_output(graph: GraphBuilder, name: str, *, columns: int) -> None:
    """Give the tensor out as a table: a row for each place and anchor."""
    moved = graph.node("Transpose", [name], perm=[2, 3, 0, 1])
    shape = graph.weight(np.array([-1, columns], dtype=np.int64))
    table = graph.node("Reshape", [moved, shape])
    graph.outputs.append(float_tensor(table, ["anchors", columns]))
