"""Tattoo networks made by hand, with the shapes of the published ones.

The detector takes every colourful cell of a grid of twenty by twenty for a tattoo, the
embedder tells tattoos apart by their colour.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recognition.runtime.tattoos import TATTOO_EMBEDDING_SIZE

DETECTOR_SIDE_PX = 640
GRID = 20
CELL_PX = DETECTOR_SIDE_PX // GRID
ANCHOR_COUNT = 25200
EMBEDDER_SIDE_PX = 224


def write_detector(path, *, answer_size=6):
    """Write the detector; another `answer_size` makes it one that does not fit."""
    middles = (np.arange(GRID) + 0.5) * CELL_PX
    x, y = np.meshgrid(middles, middles)
    side = np.full(GRID * GRID, CELL_PX)
    boxes = np.stack([x.ravel(), y.ravel(), side, side], axis=1)[np.newaxis]
    rest = (1, ANCHOR_COUNT - GRID * GRID, answer_size)
    _write(
        path,
        [
            _node("AveragePool", ["images"], "cells", _square(CELL_PX)),
            _node("ReduceMax", ["cells"], "most", {"axes": [1]}),
            _node("ReduceMin", ["cells"], "least", {"axes": [1]}),
            _node("Sub", ["most", "least"], "colour"),
            _node("Reshape", ["colour", "column"], "objectness"),
            _node(
                "Concat",
                ["boxes", "objectness", "classes"],
                "coloured",
                {"axis": 2},
            ),
            _node("ConstantOfShape", ["rest"], "empty"),
            _node("Concat", ["empty", "coloured"], "output0", {"axis": 1}),
        ],
        inputs={"images": (1, 3, DETECTOR_SIDE_PX, DETECTOR_SIDE_PX)},
        outputs={"output0": (1, ANCHOR_COUNT, answer_size)},
        weights={
            "column": np.array([1, GRID * GRID, 1]),
            "boxes": boxes.astype(np.float32),
            "classes": np.ones((1, GRID * GRID, answer_size - 5), np.float32),
            "rest": np.array(rest),
        },
    )


def write_embedder(path, *, answer_size=TATTOO_EMBEDDING_SIZE):
    """Write the embedder; another `answer_size` makes it one that does not fit."""
    _write(
        path,
        [
            _node("GlobalAveragePool", ["input"], "mean"),
            _node("Flatten", ["mean"], "colour"),
            _node("MatMul", ["colour", "directions"], "output"),
        ],
        inputs={"input": (1, 3, EMBEDDER_SIDE_PX, EMBEDDER_SIDE_PX)},
        outputs={"output": (1, answer_size)},
        weights={"directions": np.eye(3, answer_size, dtype=np.float32)},
    )


def embedding_of(colour):
    """Return what the embedder answers for a tattoo of one colour."""
    values = np.array(colour, np.float32) / 255
    values = (values - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    embedding = np.zeros(TATTOO_EMBEDDING_SIZE, np.float32)
    embedding[:3] = values
    return embedding


def _square(side):
    return {"kernel_shape": [side, side], "strides": [side, side]}


def _node(operation, inputs, output, attributes=None):
    return helper.make_node(operation, inputs, [output], **(attributes or {}))


def _write(path, nodes, *, inputs, outputs, weights):
    def described(tensors):
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in tensors.items()
        ]

    graph = helper.make_graph(
        nodes,
        "tattoos",
        described(inputs),
        described(outputs),
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
