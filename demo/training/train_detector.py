"""Trains the detector on drawn pictures.

    python -m demo.training.train_detector SCENES.pickle --out DIR

Production hands RGB arrays to `insightface`, which expects BGR and swaps: the network
sees blue first, so that is what it is trained with.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from demo.camera import decode_jpeg
from demo.training.detection_scenes import CANVAS_PX
from demo.training.detector_network import (
    ANCHORS,
    STRIDES,
    TinyDetector,
    export_detector,
)

BATCH_SIZE = 12
KEPT_BACK_SCENES = 200
# Longer side of the box in pixels that each anchor of each stride answers for.
ANCHOR_RANGES = (
    ((0, 40), (40, 70)),
    ((70, 115), (115, 180)),
    ((180, 280), (280, 9999)),
)
# Faces near the edge of a range are taught to both neighbours.
RANGE_SLACK = 1.18
# Alignment hangs on the landmarks: a few pixels matter more than for boxes.
LANDMARK_WEIGHT = 40.0
LEARNING_RATE = 2.5e-3
POSITIVE_RADIUS, IGNORED_RADIUS = 0.16, 0.34

Scenes = list[tuple[bytes, NDArray[np.float32]]]


class Targets:
    """What every anchor of a batch should say: rows are [batch, anchors]."""

    def __init__(self, batch: list[NDArray[np.float32]], size: int) -> None:
        self.centres, self.strides, low, high = _anchors(size)
        labels, heads = [], []
        for rows in batch:
            label, head = _assign(rows, self.centres, self.strides, low, high)
            labels.append(label)
            heads.append(head)
        self.labels = torch.from_numpy(np.stack(labels))
        self.heads = torch.from_numpy(np.stack(heads))


def _anchors(size: int) -> tuple[NDArray[np.float32], ...]:
    centres, strides, low, high = [], [], [], []
    for stride, ranges in zip(STRIDES, ANCHOR_RANGES, strict=True):
        cells = size // stride
        grid = np.stack(np.mgrid[:cells, :cells][::-1], axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid * stride, ANCHORS, axis=0))
        count = cells * cells
        strides.append(np.full(count * ANCHORS, stride))
        low.append(np.tile([r[0] / RANGE_SLACK for r in ranges], count))
        high.append(np.tile([r[1] * RANGE_SLACK for r in ranges], count))
    return tuple(
        np.concatenate(part).astype(np.float32)
        for part in (centres, strides, low, high)
    )


def _assign(
    rows: NDArray[np.float32],
    centres: NDArray[np.float32],
    strides: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return 1 (face), 0 (not) or -1 (no matter) per anchor, and the head it is."""
    label = np.zeros(len(centres), np.float32)
    head = np.zeros((len(centres), 14), np.float32)
    for row in rows:
        middle = (row[:2] + row[2:4]) / 2
        side = float(max(row[2] - row[0], row[3] - row[1]))
        away = np.abs(centres - middle).max(axis=1)
        near = away < np.maximum(POSITIVE_RADIUS * side, 0.51 * strides)
        around = away < np.maximum(IGNORED_RADIUS * side, 1.01 * strides)
        in_range = (side >= low) & (side <= high)
        nearly = (side >= low / RANGE_SLACK) & (side <= high * RANGE_SLACK)
        label[around & nearly & (label == 0)] = -1
        label[near & in_range] = 1
        head[near & in_range] = row
    return label, head


def detector_loss(
    levels: list[tuple[Tensor, Tensor, Tensor]], targets: Targets
) -> Tensor:
    logits, boxes, landmarks = (
        torch.cat([level[part] for level in levels], dim=1) for part in range(3)
    )
    logits = logits[..., 0]
    labels = targets.labels
    positive = labels > 0.5
    strides = torch.from_numpy(targets.strides)[None, :, None].expand_as(boxes[..., :1])
    centres = torch.from_numpy(targets.centres)[None].expand(len(boxes), -1, -1)
    truth = targets.heads[positive]
    stride, centre = strides[positive], centres[positive]
    distance = boxes[positive] * stride
    found = torch.cat([centre - distance[:, :2], centre + distance[:, 2:]], dim=1)
    overlap = _overlap(found, truth[:, :4])
    side = (truth[:, 2:4] - truth[:, :2]).amax(1, keepdim=True)
    points = landmarks[positive] * stride + centre.repeat(1, 5)
    missed = (points - truth[:, 4:]) / side
    quality = torch.zeros_like(labels)
    quality[positive] = overlap.detach().clamp(0.3, 1)
    score = torch.sigmoid(logits)
    weight = (quality - score).abs() ** 2 * (labels > -0.5)
    scores = functional.binary_cross_entropy_with_logits(
        logits, quality, weight=weight.detach(), reduction="sum"
    )
    count = max(1, int(positive.sum()))
    off_box = (found - truth[:, :4]).abs() / side
    return (
        scores / count
        + (1 - overlap).mean()
        + 2 * off_box.mean()
        + LANDMARK_WEIGHT
        * functional.smooth_l1_loss(missed, torch.zeros_like(missed), beta=0.02)
    )


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    sizes = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1)
    return shared / (sizes - shared).clamp(min=1)


def load_batch(scenes: Scenes, size: int) -> tuple[Tensor, list[NDArray[np.float32]]]:
    """Return pictures blue first, cut or padded to this size and mirrored at random."""
    pixels = np.zeros((len(scenes), size, size, 3), np.float32)
    batch = []
    for index, (jpeg, rows) in enumerate(scenes):
        picture, heads = decode_jpeg(jpeg), rows.copy()
        if np.random.random() < 0.5:
            picture, heads = picture[:, ::-1], _mirrored(heads, CANVAS_PX)
        pixels[index] = picture[:size, :size, ::-1]
        batch.append(heads)
    tensor = torch.from_numpy((pixels - 127.5) / 128.0).permute(0, 3, 1, 2)
    return tensor, batch


def _mirrored(heads: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    out = heads.copy()
    out[:, 0], out[:, 2] = width - heads[:, 2], width - heads[:, 0]
    points = heads[:, 4:].reshape(-1, 5, 2)[:, [1, 0, 2, 4, 3]].copy()
    points[..., 0] = width - points[..., 0]
    out[:, 4:] = points.reshape(-1, 10)
    return out


def train(
    network: TinyDetector,
    scenes: Scenes,
    *,
    minutes: float,
    first_rate: float,
    out: Path,
) -> None:
    """Train for this long; the learning rate follows the clock."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    started, step = time.monotonic(), 0
    while True:
        order = np.random.permutation(len(scenes))
        for first in range(0, len(order) - BATCH_SIZE, BATCH_SIZE):
            share = (time.monotonic() - started) / (minutes * 60)
            if share >= 1:
                return
            for group in optimizer.param_groups:
                warm = min(1.0, (step + 1) / 100)
                group["lr"] = max(2e-5, first_rate * warm * (1 - share))
            chosen = [scenes[n] for n in order[first : first + BATCH_SIZE]]
            x, batch = load_batch(chosen, CANVAS_PX)
            x = x.contiguous(memory_format=torch.channels_last)
            loss = detector_loss(network(x), Targets(batch, CANVAS_PX))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            step += 1
            if step % 25 == 0:
                print(step, f"{share:.3f} {loss.item():.4f}", flush=True)
            if step % 500 == 0:
                torch.save(network.state_dict(), out / "detector.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", type=Path)
    parser.add_argument("--minutes", type=float, default=18)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", type=Path, help="a .pt written earlier")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    scenes = pickle.loads(options.scenes.read_bytes())
    network = TinyDetector()
    first_rate = LEARNING_RATE
    if options.resume is not None:
        network.load_state_dict(torch.load(options.resume))
        first_rate = LEARNING_RATE / 2
    train(
        network.to(memory_format=torch.channels_last),
        scenes[KEPT_BACK_SCENES:],
        minutes=options.minutes,
        first_rate=first_rate,
        out=options.out,
    )
    torch.save(network.state_dict(), options.out / "detector.pt")
    export_detector(network, options.out / "det_demo.onnx")


if __name__ == "__main__":
    main()
