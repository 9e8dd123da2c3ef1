"""The benchmarks' network set: three graphs in production size, kept in the cache."""

import inspect
from pathlib import Path

from benchmarks import detector_graph, embedder_graphs, graphs
from benchmarks.cache import cached_folder, source_digest
from stashsense.files import sha256_of

NETWORK_SET = "benchmark"
FACENET_FILE = "facenet512.onnx"
ARCFACE_FILE = "arcface.onnx"
DETECTOR_FILE = "detector/det_benchmark.onnx"
NETWORK_FILES = (FACENET_FILE, ARCFACE_FILE, DETECTOR_FILE)

_WRITERS = {
    FACENET_FILE: embedder_graphs.write_facenet,
    ARCFACE_FILE: embedder_graphs.write_arcface,
    DETECTOR_FILE: detector_graph.write_detector,
}
_SIZES_FILE = "sizes.txt"


def networks_folder() -> Path:
    """Return the folder that holds the networks, written at first use."""
    modules = (graphs, embedder_graphs, detector_graph)
    sources = [Path(inspect.getfile(module)) for module in modules]
    recipe = {"sources": source_digest(*sources)}
    return cached_folder("networks", recipe=recipe, build=_write_networks)


def network_digests() -> dict[str, str]:
    """Return the SHA-256 of each network."""
    folder = networks_folder()
    return {name: sha256_of(folder / name) for name in NETWORK_FILES}


def network_bytes() -> int:
    """Return what the networks take on disk."""
    folder = networks_folder()
    return sum((folder / name).stat().st_size for name in NETWORK_FILES)


def print_networks() -> None:
    """Print how large the networks are."""
    print((networks_folder() / _SIZES_FILE).read_text(), end="", flush=True)


def _write_networks(folder: Path) -> None:
    lines = []
    for name, write in _WRITERS.items():
        graph = write(folder / name)
        lines.append(
            f"{name}: {(folder / name).stat().st_size / 1e6:.1f} MB,"
            f" {graph.parameters / 1e6:.1f} million parameters,"
            f" {graph.multiplications / 1e9:.2f} billion multiplications,"
            f" input {_shape(graph.inputs[0])}\n"
        )
    (folder / _SIZES_FILE).write_text("".join(lines))


def _shape(value: object) -> list[int | str]:
    dimensions = value.type.tensor_type.shape.dim  # type: ignore[attr-defined]
    return [one.dim_param or one.dim_value for one in dimensions]
