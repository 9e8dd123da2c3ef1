"""Trains one embedder on aligned crops with an additive cosine margin (CosFace).

    python -m demo.training.train_embedder arcface CROPS.npy [CROPS.npy …] --out DIR

The last people of the last file are kept back to choose by; they are training people
still, never those of a world.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from demo.identity import sample_identity
from demo.seeds import Namespace, generator
from demo.training.embedder_networks import NARROW_DIM, NETWORKS, export_embedder
from demo.training.traits import trait_vector

BATCH_SIZE = 64
KEPT_BACK_PEOPLE = 150
TRAIT_WEIGHT = 8.0
SCALE = 18.0
MARGIN = 0.22
LEARNING_RATE = 3e-3


class MarginLoss(nn.Module):
    """The right person's cosine must win by a margin over everybody else's.

    As CosFace, but where a person's centre lies is read off their traits, which the
    artist knows exactly: all centres are useful from the first step. Beside it the
    traits must be readable from the embedding.
    """

    def __init__(self, people: int, width: int) -> None:
        super().__init__()
        traits = np.stack(
            [
                trait_vector(sample_identity(generator(Namespace.TRAINING_PERSON, n)))
                for n in range(people)
            ]
        )
        spread = traits.std(axis=0)
        traits = (traits - traits.mean(axis=0))[:, spread > 0] / spread[spread > 0]
        self.register_buffer("traits", torch.from_numpy(traits).clamp(-4, 4))
        count = traits.shape[1]
        self.place = nn.Sequential(
            nn.Linear(count, 128), nn.ReLU(), nn.Linear(128, width, bias=False)
        )
        self.read = nn.Linear(width, count)

    def forward(
        self, embedding: Tensor, person: Tensor, *, margin: float
    ) -> tuple[Tensor, Tensor]:
        """Return what to minimise, and of it the part that is about traits."""
        centres = functional.normalize(self.place(self.traits))
        cosine = functional.normalize(embedding) @ centres.T
        penalty = torch.zeros_like(cosine)
        penalty[torch.arange(len(person)), person] = margin
        named = functional.cross_entropy(SCALE * (cosine - penalty), person)
        traits = functional.mse_loss(self.read(embedding), self.traits[person])
        return named + TRAIT_WEIGHT * traits, traits


class Crops:
    """Crops in memory at half the size that the network takes."""

    def __init__(self, paths: list[Path], drawings: int, input_px: int) -> None:
        parts = [_halved(np.load(path, mmap_mode="r"), input_px) for path in paths]
        self.pixels = np.concatenate(parts)
        self.drawings = drawings
        self.people = len(self.pixels) // drawings

    def batch(self, rows: NDArray[np.int64], *, augment: bool, scale: float) -> Tensor:
        pixels = self.pixels[rows]
        if augment:
            flipped = np.random.random(len(rows)) < 0.5
            pixels[flipped] = pixels[flipped, :, ::-1]
            _erase(pixels)
        return (torch.from_numpy(pixels).float() - 127.5) / scale


def _halved(crops: NDArray[np.uint8], input_px: int) -> NDArray[np.uint8]:
    """Do to each crop what the caller (resizing) and the graph (pooling) will do."""
    half = input_px // 2
    out = np.empty((len(crops), half, half, 3), np.uint8)
    for index, crop in enumerate(crops):
        if input_px != crop.shape[0]:
            crop = cv2.resize(crop, (input_px, input_px), interpolation=cv2.INTER_AREA)
        out[index] = cv2.resize(crop, (half, half), interpolation=cv2.INTER_AREA)
    return out


def _erase(pixels: NDArray[np.uint8]) -> None:
    size = pixels.shape[1]
    for index in np.flatnonzero(np.random.random(len(pixels)) < 0.15):
        side = np.random.randint(size // 8, size // 3)
        x, y = np.random.randint(0, size - side, 2)
        pixels[index, y : y + side, x : x + side] = np.random.randint(0, 255, 3)


def _measure(network: nn.Module, crops: Crops, first: int, scale: float) -> str:
    """Compare people kept back: one crop against the best of four others."""
    network.eval()
    vectors = []
    rows = np.arange(first * crops.drawings, len(crops.pixels))
    with torch.no_grad():
        for start in range(0, len(rows), 256):
            x = crops.batch(rows[start : start + 256], augment=False, scale=scale)
            vectors.append(network(x) + network(x.flip(2)))
    network.train()
    unit = functional.normalize(torch.cat(vectors)).reshape(-1, crops.drawings, 512)
    probes, known = unit[:, 4:], unit[:, :4]
    distance = 1 - torch.einsum("pkd,qrd->pkqr", probes, known).amax(-1)
    people = len(unit)
    own = distance[torch.arange(people), :, torch.arange(people)]
    others = distance.clone()
    others[torch.arange(people), :, torch.arange(people)] = 9
    nearest = others.flatten(2).amin(-1)
    top1 = (own < nearest).float().mean()
    return (
        f"top1 {top1:.4f} own>0.6 {(own > 0.6).float().mean():.4f}"
        f" stranger<0.6 {(nearest < 0.6).float().mean():.4f}"
        f" own p95 {own.quantile(0.95):.3f} nearest p03 {nearest.quantile(0.03):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("crops", type=Path, nargs="+")
    parser.add_argument("--drawings", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", type=Path, help="a .pt written earlier")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    network = NETWORKS[options.network]()
    crops = Crops(options.crops, options.drawings, network.input_px)
    print("crops", crops.pixels.shape, flush=True)
    loss_of = MarginLoss(crops.people - KEPT_BACK_PEOPLE, NARROW_DIM)
    is_resumed = options.resume is not None
    if is_resumed:
        state = torch.load(options.resume)
        network.load_state_dict(state["network"])
        loss_of.load_state_dict(state["loss"])
    network.body[0] = nn.Identity()
    train(network, loss_of, crops, minutes=options.minutes, is_resumed=is_resumed)
    state = {"network": network.state_dict(), "loss": loss_of.state_dict()}
    torch.save(state, options.out / f"{options.network}.pt")
    network.body[0] = nn.AvgPool2d(2)
    path = options.out / f"{options.network}.onnx"
    export_embedder(network, path, input_px=network.input_px)


def train(
    network: nn.Module,
    loss_of: MarginLoss,
    crops: Crops,
    *,
    minutes: float,
    is_resumed: bool,
) -> None:
    """Train for this long; the learning rate follows the clock."""
    scale = float(network.scale)
    network.to(memory_format=torch.channels_last)
    kept_from = crops.people - KEPT_BACK_PEOPLE
    first_rate = LEARNING_RATE / 2 if is_resumed else LEARNING_RATE
    optimizer = torch.optim.AdamW(
        [
            {"params": network.parameters(), "weight_decay": 0.02},
            {"params": loss_of.parameters(), "weight_decay": 0.0},
        ],
        lr=first_rate,
    )
    rows_in_use = kept_from * crops.drawings
    started, step, epoch = time.monotonic(), 0, 0
    while True:
        order = np.random.permutation(rows_in_use)
        for start in range(0, rows_in_use - BATCH_SIZE, BATCH_SIZE):
            share = (time.monotonic() - started) / (minutes * 60)
            if share >= 1:
                print("end", _measure(network, crops, kept_from, scale), flush=True)
                return
            rate = first_rate * min(1.0, (step + 1) / 100) * (1 - share)
            for group in optimizer.param_groups:
                group["lr"] = max(rate, 1e-5)
            rows = order[start : start + BATCH_SIZE]
            x = crops.batch(rows, augment=True, scale=scale)
            person = torch.from_numpy(rows // crops.drawings)
            ramp = 1.0 if is_resumed else float(np.clip((share - 0.1) / 0.4, 0, 1))
            embedding = network.narrow(x)
            loss, trait_loss = loss_of(embedding, person, margin=MARGIN * ramp)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step % 50 == 0:
                print(epoch, step, f"{share:.3f} {loss.item():.3f}", end=" ")
                print(f"traits {trait_loss.item():.3f}", flush=True)
            if step % 300 == 0:
                print(_measure(network, crops, kept_from, scale), flush=True)
        epoch += 1


if __name__ == "__main__":
    main()
