"""A small detector in SCRFD's layout: three strides, two anchors, five landmarks.

It works on the halved picture: the smallest faces it must find are 40 px wide. The
nine outputs are what `insightface` expects, in its order and its units.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)
ANCHORS = 2
LANDMARKS = 5


def conv(
    inputs: int, outputs: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, dilation, dilation, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class LevelHead(nn.Module):
    """Scores, box distances and landmark offsets of one stride."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.trunk = conv(channels, channels)
        self.score = nn.Conv2d(channels, ANCHORS, 1)
        self.box = nn.Conv2d(channels, ANCHORS * 4, 1)
        self.landmarks = nn.Conv2d(channels, ANCHORS * LANDMARKS * 2, 1)
        nn.init.constant_(self.score.bias, -4.0)
        nn.init.constant_(self.box.bias, 1.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.trunk(x)
        return (
            _rows(self.score(x), 1),
            torch.relu(_rows(self.box(x), 4) * 2),
            _rows(self.landmarks(x), LANDMARKS * 2) * 2,
        )


class TinyDetector(nn.Module):
    """Scores come as logits; `ExportedDetector` finishes them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.AvgPool2d(2), conv(3, 16, 2), conv(16, 32, 2))
        self.fine = Residual(32)
        self.middle = nn.Sequential(conv(32, 64, 2), Residual(64))
        self.coarse = nn.Sequential(conv(64, 80, 2), Residual(80, 2), Residual(80, 3))
        width = 40
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in (32, 64, 80))
        self.heads = nn.ModuleList(LevelHead(width) for _ in STRIDES)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        fine = self.fine(self.stem(x))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        top = self.lateral[2](coarse)
        between = self.lateral[1](middle) + _doubled(top)
        bottom = self.lateral[0](fine) + _doubled(between)
        maps = (bottom, between, top)
        return [head(level) for head, level in zip(self.heads, maps, strict=True)]


class ExportedDetector(nn.Module):
    """One picture in; scores of all strides, then boxes, then landmarks."""

    def __init__(self, network: TinyDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        levels = self.network(x)
        scores = [torch.sigmoid(level[0][0]) for level in levels]
        boxes = [level[1][0] for level in levels]
        landmarks = [level[2][0] for level in levels]
        return (*scores, *boxes, *landmarks)


def export_detector(network: TinyDetector, path: Path) -> None:
    network.eval()
    names = [
        f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in STRIDES
    ]
    torch.onnx.export(
        ExportedDetector(network),
        (torch.zeros(1, 3, 320, 320),),
        str(path),
        input_names=["input.1"],
        output_names=names,
        dynamic_axes={
            "input.1": {2: "height", 3: "width"},
            **{name: {0: f"{name}_rows"} for name in names},
        },
        opset_version=17,
        dynamo=False,
    )


def _rows(x: Tensor, width: int) -> Tensor:
    """Return [batch, rows of anchors in reading order, width]."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, width)


def _doubled(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
