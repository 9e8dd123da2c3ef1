"""Stores the weights of a graph as 16-bit floats; the arithmetic stays 32-bit.

    python -m demo.training.shrink IN.onnx OUT.onnx

Halves the file. ONNX Runtime folds the casts away when it opens the graph.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Smaller tensors are biases: nothing to gain.
_FEWEST_NUMBERS = 1024


def shrink(source: Path, target: Path) -> None:
    network = onnx.load(str(source))
    graph = network.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _FEWEST_NUMBERS:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        tensor.CopyFrom(half)
        casts.append(
            helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    for node in graph.node:
        node.doc_string = ""
    onnx.checker.check_model(network)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(network, str(target))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    shrink(options.source, options.target)


if __name__ == "__main__":
    main()
