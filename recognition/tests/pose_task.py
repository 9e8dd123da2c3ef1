"""A pose landmarker task made by hand: MediaPipe runs it as it runs the published one.

Nothing is learnt in it. The first network takes each red square of a picture for a
head, with a body of a known size below; the second sees one pose in every body, whose
shoulders are the wider the bluer it is.
"""

import zipfile

import flatbuffers
import numpy as np
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_schema
from mediapipe.tasks.metadata import schema_py_generated as schema

# A head is one cell of a grid of seven by seven.
GRID = 7
DETECTOR_SIDE_PX = 224
CELL_PX = DETECTOR_SIDE_PX // GRID
LANDMARKS_SIDE_PX = 256
# What MediaPipe's graph was built for: anchors of strides 8, 16 and 32.
ANCHOR_COUNT = 2254
COARSE_ANCHORS = 6
RED = (255, 0, 0)

# The pose in the second network's picture, in pixels; others lie in the middle.
POSE = {
    0: (128, 26),
    11: (168, 70),
    12: (88, 70),
    15: (200, 130),
    16: (56, 130),
    23: (152, 128),
    24: (104, 128),
    27: (150, 230),
    28: (106, 230),
    33: (128, 128),
    34: (128, 26),
}
SHOULDER_HIP = (168 - 88) / (152 - 104)


def write_pose_task(path):
    """Write the two networks as a bundle, which is a zip without compression."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        bundle.writestr("pose_detector.tflite", _detector().content())
        bundle.writestr("pose_landmarks_detector.tflite", _landmarker().content())


class Graph:
    """One TFLite network, written operation by operation."""

    def __init__(self, side):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors = []
        self.graph.operators = []
        self.input = self.tensor([1, side, side, 3])
        self.graph.inputs = [self.input]
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, data=None):
        tensor = schema.TensorT()
        tensor.name = f"tensor_{len(self.graph.tensors)}"
        tensor.shape = [*shape]
        tensor.type = schema.TensorType.FLOAT32
        tensor.buffer = 0
        if data is not None:
            if data.dtype == np.int32:
                tensor.type = schema.TensorType.INT32
            tensor.buffer = self.buffer(data.tobytes())
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def buffer(self, content):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def constant(self, values, dtype=np.float32):
        values = np.ascontiguousarray(values, dtype)
        return self.tensor(values.shape, values)

    def operation(self, name, inputs, shape, options, **values):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(
            schema.BuiltinOperator, name
        )
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs = inputs
        operator.outputs = [self.tensor(shape)]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        operator.builtinOptions = getattr(schema, f"{options}T")()
        for key, value in values.items():
            setattr(operator.builtinOptions, key, value)
        self.graph.operators.append(operator)
        return operator.outputs[0]

    def mean(self, source, side, shape):
        return self.operation(
            "AVERAGE_POOL_2D",
            [source],
            shape,
            "Pool2DOptions",
            padding=schema.Padding.VALID,
            strideW=side,
            strideH=side,
            filterWidth=side,
            filterHeight=side,
        )

    def dense(self, source, bias, weights=None):
        bias = np.ravel(bias)
        if weights is None:
            weights = np.zeros((len(bias), 3))
        inputs = [source, self.constant(weights), self.constant(bias)]
        return self.operation(
            "FULLY_CONNECTED", inputs, [1, len(bias)], "FullyConnectedOptions"
        )

    def reshape(self, source, shape):
        inputs = [source, self.constant(shape, np.int32)]
        return self.operation(
            "RESHAPE", inputs, shape, "ReshapeOptions", newShape=[*shape]
        )

    def content(self):
        entry = schema.MetadataT()
        entry.name = "TFLITE_METADATA"
        entry.buffer = self.buffer(_metadata(len(self.graph.outputs)))
        self.model.metadata = [entry]
        builder = flatbuffers.Builder(0)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _detector():
    graph = Graph(DETECTOR_SIDE_PX)
    cells = graph.mean(graph.input, CELL_PX, [1, GRID, GRID, 3])
    # One of a cell's anchors answers, and only to red.
    weights = np.zeros((COARSE_ANCHORS, 1, 1, 3))
    weights[0, 0, 0] = (20, -20, -20)
    bias = np.full(COARSE_ANCHORS, -50)
    bias[0] = -14
    scores = graph.operation(
        "CONV_2D",
        [cells, graph.constant(weights), graph.constant(bias)],
        [1, GRID, GRID, COARSE_ANCHORS],
        "Conv2DOptions",
        padding=schema.Padding.VALID,
        strideW=1,
        strideH=1,
        dilationWFactor=1,
        dilationHFactor=1,
    )
    coarse_count = GRID * GRID * COARSE_ANCHORS
    fine = graph.constant(np.full((1, ANCHOR_COUNT - coarse_count, 1), -50))
    scores = graph.operation(
        "CONCATENATION",
        [fine, graph.reshape(scores, [1, coarse_count, 1])],
        [1, ANCHOR_COUNT, 1],
        "ConcatenationOptions",
        axis=1,
    )
    # A box, then the middle of the body and its upper end, twice, in pixels from the
    # cell: the body's square is drawn around them.
    anchor = [0, 0, 30, 30, 0, 60, 0, 0, 0, 60, 0, 0]
    mean = graph.mean(cells, GRID, [1, 1, 1, 3])
    boxes = graph.dense(mean, np.tile(anchor, ANCHOR_COUNT))
    graph.graph.outputs = [graph.reshape(boxes, [1, ANCHOR_COUNT, 12]), scores]
    return graph


def _landmarker():
    graph = Graph(LANDMARKS_SIDE_PX)
    mean = graph.mean(graph.input, LANDMARKS_SIDE_PX, [1, 1, 1, 3])
    landmarks = np.zeros((39, 5))
    landmarks[:, :2] = LANDMARKS_SIDE_PX / 2
    # Visibility and presence, before a sigmoid.
    landmarks[:, 3:] = 5
    for landmark, point in POSE.items():
        landmarks[landmark, :2] = point
    weights = np.zeros((39, 5, 3))
    weights[11, 0, 2], weights[12, 0, 2] = 200, -200
    side = LANDMARKS_SIDE_PX // 4
    graph.graph.outputs = [
        graph.dense(mean, landmarks, weights.reshape(-1, 3)),
        graph.dense(mean, np.ones(1)),
        graph.reshape(
            graph.dense(mean, np.zeros(LANDMARKS_SIDE_PX**2)),
            [1, LANDMARKS_SIDE_PX, LANDMARKS_SIDE_PX, 1],
        ),
        # A heat map of nothing leaves landmarks where they are.
        graph.reshape(
            graph.dense(mean, np.full(side * side * 39, -50)), [1, side, side, 39]
        ),
        graph.dense(mean, np.zeros(117)),
    ]
    return graph


def _metadata(output_count):
    """Return what MediaPipe asks of a network: how to scale pictures for it, to 0…1."""
    scale = metadata_schema.NormalizationOptionsT()
    scale.mean, scale.std = [0.0], [255.0]
    unit = metadata_schema.ProcessUnitT()
    unit.optionsType = metadata_schema.ProcessUnitOptions.NormalizationOptions
    unit.options = scale
    properties = metadata_schema.ImagePropertiesT()
    properties.colorSpace = metadata_schema.ColorSpaceType.RGB
    picture = metadata_schema.TensorMetadataT()
    picture.name = "image"
    picture.content = metadata_schema.ContentT()
    picture.content.contentPropertiesType = (
        metadata_schema.ContentProperties.ImageProperties
    )
    picture.content.contentProperties = properties
    picture.processUnits = [unit]
    graph = metadata_schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [picture]
    graph.outputTensorMetadata = [
        metadata_schema.TensorMetadataT() for _ in range(output_count)
    ]
    model = metadata_schema.ModelMetadataT()
    model.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())
