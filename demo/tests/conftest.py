import pytest

from demo.release import build_release
from demo.world import World

VERSION = "2026.03.04"


@pytest.fixture(scope="session")
def small_world():
    return World(seed=77, people_count=24)


@pytest.fixture(scope="session")
def built(small_world, tmp_path_factory):
    return build_release(
        small_world, version=VERSION, out_dir=tmp_path_factory.mktemp("release")
    )
