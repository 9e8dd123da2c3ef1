"""Writing ONNX graphs with random weights: a builder that knows shapes and counts.

Weights are drawn after He, so that activations neither grow nor fade from layer to
layer. Counted are parameters and the multiplications of convolutions and matrices.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# What tf2onnx and PyTorch wrote at the time of the published networks.
_OPSET = 17
_IR_VERSION = 8

Size = tuple[int, int]


class Tensor:
    """A tensor [1, channels, height, width] of the graph being built."""

    def __init__(self, name: str, channels: int, height: int, width: int) -> None:
        self.name = name
        self.channels = channels
        self.height = height
        self.width = width


class GraphBuilder:
    """Nodes and weights of one graph, added in the order they run."""

    def __init__(self, name: str, *, seed: int) -> None:
        self._name = name
        self._rng = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.parameters = 0
        self.multiplications = 0

    def node(self, operation: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node with one output; return that output's name."""
        output = f"{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def weight(self, values: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        self.parameters += values.size
        return name

    def random(self, *shape: int, deviation: float) -> NDArray[np.float32]:
        """Return normally distributed numbers around zero."""
        values = self._rng.standard_normal(shape, dtype=np.float32)
        return (values * np.float32(deviation)).astype(np.float32)

    def conv(
        self,
        tensor: Tensor,
        channels: int,
        kernel: Size = (3, 3),
        *,
        stride: int = 1,
        is_valid: bool = False,
        groups: int = 1,
        gain: float = 1.0,
        bias: NDArray[np.float32] | None = None,
    ) -> Tensor:
        """Add a convolution with bias; `is_valid` leaves the padding out."""
        fan_in = tensor.channels // groups * kernel[0] * kernel[1]
        shape = (channels, tensor.channels // groups, *kernel)
        weights = self.random(*shape, deviation=gain * math.sqrt(2 / fan_in))
        pad = [0, 0] if is_valid else [kernel[0] // 2, kernel[1] // 2]
        name = self.node(
            "Conv",
            [
                tensor.name,
                self.weight(weights),
                self.weight(np.zeros(channels, np.float32) if bias is None else bias),
            ],
            kernel_shape=list(kernel),
            strides=[stride, stride],
            pads=pad * 2,
            group=groups,
        )
        height = (tensor.height + 2 * pad[0] - kernel[0]) // stride + 1
        width = (tensor.width + 2 * pad[1] - kernel[1]) // stride + 1
        self.multiplications += height * width * channels * fan_in
        return Tensor(name, channels, height, width)

    def relu(self, tensor: Tensor) -> Tensor:
        """Add a ReLU."""
        return self._same_shape(tensor, self.node("Relu", [tensor.name]))

    def prelu(self, tensor: Tensor) -> Tensor:
        """Add a PReLU with a slope of 0.25 for each channel."""
        slope = self.weight(np.full((tensor.channels, 1, 1), 0.25, dtype=np.float32))
        return self._same_shape(tensor, self.node("PRelu", [tensor.name, slope]))

    def batch_norm(self, tensor: Tensor) -> Tensor:
        """Add a batch normalisation that stays a node, as before a padded layer."""
        ones = np.ones(tensor.channels, dtype=np.float32)
        arrays = (ones, 0 * ones, 0 * ones, ones)
        constants = [self.weight(array) for array in arrays]
        name = self.node("BatchNormalization", [tensor.name, *constants])
        return self._same_shape(tensor, name)

    def add(self, first: Tensor, second: Tensor) -> Tensor:
        """Add the sum of two tensors of one shape."""
        return self._same_shape(first, self.node("Add", [first.name, second.name]))

    def concat(self, *tensors: Tensor) -> Tensor:
        """Join tensors along their channels."""
        name = self.node("Concat", [tensor.name for tensor in tensors], axis=1)
        channels = sum(tensor.channels for tensor in tensors)
        return Tensor(name, channels, tensors[0].height, tensors[0].width)

    def enlarge(self, tensor: Tensor) -> Tensor:
        """Repeat each place twice in both directions."""
        scales = self.weight(np.array([1, 1, 2, 2], dtype=np.float32))
        name = self.node("Resize", [tensor.name, "", scales], mode="nearest")
        return Tensor(name, tensor.channels, 2 * tensor.height, 2 * tensor.width)

    def max_pool(self, tensor: Tensor) -> Tensor:
        """Add a 3x3 maximum with stride 2 and no padding."""
        name = self.node("MaxPool", [tensor.name], kernel_shape=[3, 3], strides=[2, 2])
        height, width = (tensor.height - 3) // 2 + 1, (tensor.width - 3) // 2 + 1
        return Tensor(name, tensor.channels, height, width)

    def dense(self, name: str, inputs: int, outputs: int) -> str:
        """Add a matrix product with bias; return the output's name."""
        matrix = self.weight(self.random(inputs, outputs, deviation=inputs**-0.5))
        product = self.node("MatMul", [name, matrix])
        self.multiplications += inputs * outputs
        bias = self.weight(np.zeros(outputs, dtype=np.float32))
        return self.node("Add", [product, bias])

    def save(self, path: Path) -> None:
        """Check the graph and write it with its weights inside."""
        graph = helper.make_graph(
            self._nodes, self._name, self.inputs, self.outputs, self._weights
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="stash-sense benchmarks",
        )
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())

    @staticmethod
    def _same_shape(tensor: Tensor, name: str) -> Tensor:
        return Tensor(name, tensor.channels, tensor.height, tensor.width)


def float_tensor(name: str, shape: list[int | str]) -> Any:
    """Return the description of an input or output; a text is an open dimension."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
