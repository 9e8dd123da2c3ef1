"""Makes trained embedders into the networks that are committed.

    python -m demo.training.calibrate arcface TRAINED.pt OUT.onnx

Choose the distance by `benchmarks/demo_accuracy.py --seed` with a seed that the
benchmark does not use by default.
"""

import argparse
import tempfile
from pathlib import Path

import torch

from demo.training.embedder_networks import (
    NETWORKS,
    Calibration,
    export_embedder,
)
from demo.training.shrink import shrink

# Between the 95th percentile of a person's own distances (0.14 and 0.16 on people
# kept back) and the 3rd of the nearest other's among 120 (0.34 and 0.36).
DISTANCE_AT_THRESHOLD = 0.24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("trained", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--distance", type=float, default=DISTANCE_AT_THRESHOLD)
    options = parser.parse_args()
    network = NETWORKS[options.network]()
    network.load_state_dict(torch.load(options.trained)["network"])
    network.widen = Calibration(options.distance)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported.onnx"
        export_embedder(network, exported, input_px=network.input_px)
        shrink(exported, options.target)


if __name__ == "__main__":
    main()
