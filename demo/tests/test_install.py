import json

import pytest
from django.core.management import call_command

from dbupdates.store import active_release
from demo.embedding import NETWORK_FILES, network_digests
from demo.install import install_demo_world
from demo.world import World
from stashsense.files import sha256_of

SMALL = World(seed=8, people_count=6)


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.MODELS_DIR = settings.DATA_DIR / "models"
    return settings.DATA_DIR


@pytest.mark.django_db
def test_an_installed_world_is_active_with_its_networks_and_pictures(data_dir):
    heard = []

    install_demo_world(data_dir, world=SMALL, on_progress=lambda *at: heard.append(at))

    active = active_release()
    assert active is not None
    assert active.network_set == "demo-1"
    assert active.performer_count == 6
    for name in NETWORK_FILES:
        path = data_dir / "models" / "demo-1" / name
        assert sha256_of(path) == network_digests()[name]
    pictures = data_dir / "demo-pictures"
    answers = json.loads((pictures / "answers.json").read_text())
    assert {path.name for path in pictures.glob("*.jpg")} == set(answers)
    assert heard[-1] == ("import release", 1, 1)


@pytest.mark.django_db
def test_installing_twice_changes_nothing(data_dir):
    first = install_demo_world(data_dir, world=SMALL)

    again = install_demo_world(data_dir, world=SMALL)

    assert again.pk == first.pk
    assert again.is_active


@pytest.mark.django_db
def test_pictures_are_drawn_of_the_active_world(data_dir, tmp_path):
    install_demo_world(data_dir, world=SMALL)

    call_command("demo_pictures", seed=6, count=2, out=tmp_path / "new", verbosity=0)

    answers = json.loads((tmp_path / "new" / "answers.json").read_text())
    named = {head["universal_id"] for heads in answers.values() for head in heads}
    assert named <= {person.universal_id for person in SMALL.people}
