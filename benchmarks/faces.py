"""A face index of production size: random embeddings, gathered by performer.

Its size, its graph and the time of a query are those of a published index. Who the
faces belong to is made up.
"""

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import voyager
from numpy.typing import NDArray

from benchmarks.cache import cached_folder
from stashsense.cores import usable_cores

EMBEDDERS = ("facenet", "arcface")

_DIMENSIONS = 512
# As published: 2,165 bytes a vector on disk.
_LINKS = 12
_EF_CONSTRUCTION = 100
# Two faces of one performer are about 0.4 apart, as photographs are.
_NOISE = 0.8
_CHUNK = 5_000


@dataclass(frozen=True)
class Crowd:
    """How many faces of how many performers an index holds."""

    faces: int
    performers: int


PRODUCTION = Crowd(faces=250_000, performers=73_000)
QUICK = Crowd(faces=20_000, performers=5_840)


def face_performers(crowd: Crowd) -> NDArray[np.int64]:
    """Return each face's performer; faces of one lie together, each has one or more."""
    rng = np.random.default_rng(crowd.faces)
    more = rng.integers(crowd.performers, size=crowd.faces - crowd.performers)
    return np.sort(np.concatenate([np.arange(crowd.performers), more]))


def index_path(embedder: str, crowd: Crowd) -> Path:
    """Return the index file; building the production one takes half an hour."""
    recipe = {
        "embedder": embedder,
        "links": _LINKS,
        "ef_construction": _EF_CONSTRUCTION,
        "noise": _NOISE,
        **asdict(crowd),
    }

    def build(folder: Path) -> None:
        _build_index(embedder, crowd).save(str(folder / f"face_{embedder}.voy"))

    folder = cached_folder(
        f"index-{embedder}-{crowd.faces}", recipe=recipe, build=build
    )
    return folder / f"face_{embedder}.voy"


def look_alikes(
    embedder: str,
    crowd: Crowd,
    performers: NDArray[np.int64],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return a new face of each of these performers of the index."""
    centres = _centres(_generator(embedder, crowd), crowd)[performers]
    noise = generator.standard_normal(centres.shape, dtype=np.float32)
    faces: NDArray[np.float32] = centres + np.float32(_NOISE) * noise
    return faces


def _generator(embedder: str, crowd: Crowd) -> np.random.Generator:
    return np.random.default_rng([EMBEDDERS.index(embedder), crowd.faces])


def _centres(rng: np.random.Generator, crowd: Crowd) -> NDArray[np.float32]:
    return rng.standard_normal((crowd.performers, _DIMENSIONS), dtype=np.float32)


def _build_index(embedder: str, crowd: Crowd) -> voyager.Index:
    rng = _generator(embedder, crowd)
    centres = _centres(rng, crowd)
    performers = face_performers(crowd)
    index = voyager.Index(
        voyager.Space.Cosine,
        num_dimensions=_DIMENSIONS,
        M=_LINKS,
        ef_construction=_EF_CONSTRUCTION,
        max_elements=crowd.faces,
        random_seed=1,
    )
    started = time.monotonic()
    for start in range(0, crowd.faces, _CHUNK):
        rows = performers[start : start + _CHUNK]
        noise = rng.standard_normal((len(rows), _DIMENSIONS), dtype=np.float32)
        ids = np.arange(start, start + len(rows))
        index.add_items(
            centres[rows] + _NOISE * noise, ids=ids, num_threads=usable_cores()
        )
        seconds = time.monotonic() - started
        print(
            f"\r{embedder}: {len(index):,} of {crowd.faces:,} faces, {seconds:.0f} s",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print(file=sys.stderr)
    return index


if __name__ == "__main__":
    for name in EMBEDDERS:
        print(index_path(name, QUICK if "--quick" in sys.argv else PRODUCTION))
