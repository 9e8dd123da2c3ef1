"""Puts the default demo world into a data folder: networks, release, pictures."""

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from dbupdates.models import DatabaseRelease
from dbupdates.services import activate_release, import_release
from dbupdates.store import active_release
from demo.embedding import NETWORK_FILES, NETWORK_SET_NAME, NETWORKS_DIR
from demo.pictures import iter_known_pictures, iter_stranger_pictures, write_pictures
from demo.release import build_release
from demo.world import DEFAULT_PEOPLE_COUNT, DEFAULT_SEED, World
from stashsense.files import write_atomically

DEMO_VERSION = "2026.01.01"
DEFAULT_WORLD = World(DEFAULT_SEED, DEFAULT_PEOPLE_COUNT)
PICTURES_DIR_NAME = "demo-pictures"
PICTURE_SEED = 1
_KNOWN_PICTURE_COUNT = 10
_STRANGER_PICTURE_COUNT = 2

OnInstallProgress = Callable[[str, int, int], None]


def ignore_install_progress(_step: str, _done: int, _total: int, /) -> None:
    """Report progress to nobody."""


def install_demo_world(
    data_dir: Path,
    *,
    world: World = DEFAULT_WORLD,
    on_progress: OnInstallProgress = ignore_install_progress,
) -> DatabaseRelease:
    """Return the world's release, imported and active.

    `on_progress` hears the step, what is done of it and how much there is. After a
    crash it can be called again: nothing is served before the last step.
    """
    install_networks(data_dir / "models")
    draw_sample_pictures(world, data_dir / PICTURES_DIR_NAME)
    with tempfile.TemporaryDirectory(prefix="stash-sense-demo-") as name:
        built = build_release(
            world,
            version=DEMO_VERSION,
            out_dir=Path(name),
            on_progress=lambda done, total: on_progress("draw people", done, total),
        )
        on_progress("import release", 0, 1)
        release = import_release(built.folder)
    activate_release(release)
    on_progress("import release", 1, 1)
    return release


def install_networks(models_dir: Path) -> Path:
    """Copy the demo's networks below `models_dir`; return their folder."""
    folder = models_dir / NETWORK_SET_NAME
    for name in NETWORK_FILES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, (NETWORKS_DIR / name).read_bytes())
    return folder


def draw_sample_pictures(world: World, out_dir: Path) -> int:
    """Replace the folder by a few pictures to try; return how many."""
    if out_dir.exists():
        shutil.rmtree(out_dir)
    return write_pictures(
        out_dir,
        itertools.chain(
            iter_known_pictures(world, seed=PICTURE_SEED, count=_KNOWN_PICTURE_COUNT),
            iter_stranger_pictures(seed=PICTURE_SEED, count=_STRANGER_PICTURE_COUNT),
        ),
    )


def find_active_world() -> World | None:
    """Return the world that the active release was drawn from, if it was drawn."""
    release = active_release()
    if release is None:
        return None
    text = (release.path / "manifest.json").read_text(encoding="utf-8")
    described = json.loads(text).get("demo")
    if not isinstance(described, dict):
        return None
    return World(described["seed"], described["people"])
