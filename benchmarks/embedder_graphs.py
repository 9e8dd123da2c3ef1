"""The two embedders in production size: random weights in the published shapes.

NHWC in, 512 numbers out, any number of pictures at once. ArcFace is the improved
residual network of 34 layers, FaceNet the first Inception-ResNet.
"""

from pathlib import Path

from benchmarks.graphs import GraphBuilder, Tensor, float_tensor

EMBEDDING_SIZE = 512
ARCFACE_SIZE_PX = 112
FACENET_SIZE_PX = 160

# Blocks and channels of ArcFace's four stages.
_ARCFACE_STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
# What a residual block adds, against what passes it by.
_RESIDUAL_GAIN = 0.3


def write_arcface(path: Path) -> GraphBuilder:
    """Write the graph; the builder knows its size."""
    graph = GraphBuilder("arcface", seed=34)
    tensor = graph.prelu(graph.conv(_nhwc_input(graph, ARCFACE_SIZE_PX), 64))
    for blocks, channels in _ARCFACE_STAGES:
        for block in range(blocks):
            tensor = _improved_block(
                graph, tensor, channels, stride=2 if block == 0 else 1
            )
    tensor = graph.batch_norm(tensor)
    # As written from Keras: the features of a place lie together.
    last = graph.node("Transpose", [tensor.name], perm=[0, 2, 3, 1])
    _embedding_output(
        graph,
        graph.node("Flatten", [last], axis=1),
        tensor.height * tensor.width * tensor.channels,
    )
    graph.save(path)
    return graph


def write_facenet(path: Path) -> GraphBuilder:
    """Write the graph; the builder knows its size."""
    graph = GraphBuilder("facenet512", seed=1)
    tensor = _stem(graph, _nhwc_input(graph, FACENET_SIZE_PX))
    for _ in range(5):
        tensor = _block35(graph, tensor)
    tensor = _reduction_a(graph, tensor)
    for _ in range(10):
        tensor = _factorised_block(graph, tensor, channels=128, length=7)
    tensor = _reduction_b(graph, tensor)
    for _ in range(6):
        tensor = _factorised_block(graph, tensor, channels=192, length=3)
    pooled = graph.node("GlobalAveragePool", [tensor.name])
    _embedding_output(graph, graph.node("Flatten", [pooled], axis=1), tensor.channels)
    graph.save(path)
    return graph


def _nhwc_input(graph: GraphBuilder, size_px: int) -> Tensor:
    graph.inputs.append(float_tensor("input", ["batch", size_px, size_px, 3]))
    name = graph.node("Transpose", ["input"], perm=[0, 3, 1, 2])
    return Tensor(name, 3, size_px, size_px)


def _embedding_output(graph: GraphBuilder, name: str, size: int) -> None:
    output = graph.dense(name, size, EMBEDDING_SIZE)
    graph.outputs.append(float_tensor(output, ["batch", EMBEDDING_SIZE]))


def _improved_block(
    graph: GraphBuilder, tensor: Tensor, channels: int, *, stride: int
) -> Tensor:
    """Add a block that normalises first; behind a convolution that is folded in."""
    shortcut = tensor
    if stride > 1 or channels != tensor.channels:
        shortcut = graph.conv(tensor, channels, (1, 1), stride=stride, gain=0.7)
    inner = graph.prelu(graph.conv(graph.batch_norm(tensor), channels))
    inner = graph.conv(inner, channels, stride=stride, gain=_RESIDUAL_GAIN)
    return graph.add(shortcut, inner)


def _unit(
    graph: GraphBuilder,
    tensor: Tensor,
    channels: int,
    kernel: tuple[int, int] = (1, 1),
    *,
    stride: int = 1,
    is_valid: bool = False,
) -> Tensor:
    return graph.relu(
        graph.conv(tensor, channels, kernel, stride=stride, is_valid=is_valid)
    )


def _stem(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    tensor = _unit(graph, tensor, 32, (3, 3), stride=2, is_valid=True)
    tensor = _unit(graph, tensor, 32, (3, 3), is_valid=True)
    tensor = graph.max_pool(_unit(graph, tensor, 64, (3, 3)))
    tensor = _unit(graph, tensor, 80)
    tensor = _unit(graph, tensor, 192, (3, 3), is_valid=True)
    return _unit(graph, tensor, 256, (3, 3), stride=2, is_valid=True)


def _block35(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    second = _unit(graph, _unit(graph, tensor, 32), 32, (3, 3))
    third = _unit(graph, _unit(graph, tensor, 32), 32, (3, 3))
    third = _unit(graph, third, 32, (3, 3))
    return _residual(graph, tensor, _unit(graph, tensor, 32), second, third)


def _factorised_block(
    graph: GraphBuilder, tensor: Tensor, *, channels: int, length: int
) -> Tensor:
    """Add a block whose square kernel is taken apart into a row and a column."""
    second = _unit(graph, _unit(graph, tensor, channels), channels, (1, length))
    second = _unit(graph, second, channels, (length, 1))
    return _residual(graph, tensor, _unit(graph, tensor, channels), second)


def _residual(graph: GraphBuilder, tensor: Tensor, *branches: Tensor) -> Tensor:
    inner = graph.conv(
        graph.concat(*branches), tensor.channels, (1, 1), gain=_RESIDUAL_GAIN
    )
    return graph.relu(graph.add(tensor, inner))


def _reduction_a(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    first = _unit(graph, tensor, 384, (3, 3), stride=2, is_valid=True)
    second = _unit(graph, _unit(graph, tensor, 192), 192, (3, 3))
    second = _unit(graph, second, 256, (3, 3), stride=2, is_valid=True)
    return graph.concat(first, second, graph.max_pool(tensor))


def _reduction_b(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    reduced = [_unit(graph, tensor, 256) for _ in range(3)]
    reduced[2] = _unit(graph, reduced[2], 256, (3, 3))
    branches = [
        _unit(graph, branch, channels, (3, 3), stride=2, is_valid=True)
        for branch, channels in zip(reduced, (384, 256, 256), strict=True)
    ]
    return graph.concat(*branches, graph.max_pool(tensor))
