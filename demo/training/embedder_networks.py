"""Two small embedders of different build, and how they become ONNX graphs.

Both take what the production embedders take (NHWC, RGB, normalised by the caller),
shrink it first, and give 512 numbers.
"""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

EMBEDDING_DIM = 512
# What training works with; widening to 512 by an orthogonal map changes no cosine.
NARROW_DIM = 128
# Where recognition's default threshold lies.
DEFAULT_MAX_DISTANCE = 0.6
CALIBRATION_SEED = 11


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class InceptionBlock(nn.Module):
    """Three branches of growing reach, joined and added to the input."""

    def __init__(self, channels: int, branch: int) -> None:
        super().__init__()
        self.near = _conv(channels, branch, 1)
        self.middle = nn.Sequential(_conv(channels, branch, 1), _conv(branch, branch))
        self.far = nn.Sequential(
            _conv(channels, branch, 1), _conv(branch, branch), _conv(branch, branch)
        )
        self.join = nn.Sequential(
            nn.Conv2d(3 * branch, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        branches = torch.cat([self.near(x), self.middle(x), self.far(x)], dim=1)
        return torch.relu(x + self.join(branches))


def _head(channels: int, cells: int) -> nn.Sequential:
    """From a 4x4 or 5x5 map to the narrow embedding."""
    return nn.Sequential(
        _conv(channels, 56, 1),
        nn.Flatten(),
        nn.Linear(56 * cells, NARROW_DIM, bias=False),
        nn.BatchNorm1d(NARROW_DIM),
    )


class Embedder(nn.Module):
    """Takes NHWC; `body` begins with the pooling and ends with the narrow embedding."""

    def __init__(self, body: nn.Sequential) -> None:
        super().__init__()
        self.body = body
        self.widen = nn.Linear(NARROW_DIM, EMBEDDING_DIM, bias=False)
        nn.init.orthogonal_(self.widen.weight)
        self.widen.weight.requires_grad_(False)

    def narrow(self, x: Tensor) -> Tensor:
        return self.body(x.permute(0, 3, 1, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.widen(self.narrow(x))


class TinyArcFace(Embedder):
    """112 px in, worked on at 56 px: a plain residual network."""

    input_px = 112
    scale = 128.0

    def __init__(self) -> None:
        body = nn.Sequential(
            nn.AvgPool2d(2),
            _conv(3, 24, 3, 2),
            _conv(24, 40, 3, 2),
            ResidualBlock(40),
            _conv(40, 80, 3, 2),
            ResidualBlock(80),
            _conv(80, 120, 3, 2),
            ResidualBlock(120),
            _head(120, 16),
        )
        super().__init__(body)


class TinyFaceNet(Embedder):
    """160 px in, worked on at 80 px: an inception network with residuals."""

    input_px = 160
    scale = 127.5

    def __init__(self) -> None:
        body = nn.Sequential(
            nn.AvgPool2d(2),
            _conv(3, 16, 5, 2),
            _conv(16, 40, 3, 2),
            InceptionBlock(40, 12),
            _conv(40, 80, 3, 2),
            InceptionBlock(80, 32),
            _conv(80, 128, 3, 2),
            InceptionBlock(128, 40),
            _head(128, 25),
        )
        super().__init__(body)


class Calibration(nn.Module):
    """Stretches distances so that a chosen one becomes 0.6, the default threshold.

    Trained embeddings of different people lie nearer than those of photographs do.
    Random Fourier features (Rahimi and Recht, 2007) of the narrow embedding turn its
    cosine distance d into about 1 - exp(-g d): the order stays, the scale is ours.
    """

    def __init__(self, distance_at_threshold: float) -> None:
        super().__init__()
        growth = -math.log(1 - DEFAULT_MAX_DISTANCE) / distance_at_threshold
        rng = np.random.default_rng(CALIBRATION_SEED)
        # Orthogonal directions with the lengths of random ones: less noise.
        blocks = [
            np.linalg.qr(rng.normal(size=(NARROW_DIM, NARROW_DIM)))[0]
            for _ in range(EMBEDDING_DIM // 2 // NARROW_DIM)
        ]
        lengths = np.sqrt(rng.chisquare(NARROW_DIM, size=EMBEDDING_DIM // 2))
        frequencies = math.sqrt(growth) * lengths[:, None] * np.concatenate(blocks)
        self.register_buffer("frequencies", torch.tensor(frequencies).float())

    def forward(self, narrow: Tensor) -> Tensor:
        unit = narrow / narrow.norm(dim=1, keepdim=True).clamp_min(1e-6)
        angles = unit @ self.frequencies.T
        return torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)


NETWORKS: dict[str, type[TinyArcFace] | type[TinyFaceNet]] = {
    "arcface": TinyArcFace,
    "facenet512": TinyFaceNet,
}


def export_embedder(network: nn.Module, path: Path, *, input_px: int) -> None:
    network.eval()
    torch.onnx.export(
        network,
        (torch.zeros(2, input_px, input_px, 3),),
        str(path),
        input_names=["input"],
        output_names=["embedding"],
        dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
