import json

from django.core.management import call_command

from demo.pictures import iter_known_pictures, iter_stranger_pictures
from demo.world import World


def test_answers_name_only_people_of_the_world_and_never_strangers():
    world = World(12, 8)
    ids = {person.universal_id for person in world.people}

    known = list(iter_known_pictures(world, seed=3, count=12))
    strangers = list(iter_stranger_pictures(seed=3, count=4))

    assert {a.universal_id for p in known for a in p.answers} <= ids
    assert {a.universal_id for p in strangers for a in p.answers} == {None}
    assert {len(p.answers) for p in known} > {1}
    for picture in known:
        named = [answer.universal_id for answer in picture.answers]
        assert len(set(named)) == len(named)


def test_the_command_draws_pictures_of_any_world_without_a_database(tmp_path):
    call_command(
        "demo_pictures",
        seed=5,
        count=3,
        strangers=1,
        world_seed=12,
        people=8,
        out=tmp_path,
        verbosity=0,
    )

    answers = json.loads((tmp_path / "answers.json").read_text())
    assert set(answers) == {
        "picture-0001.jpg",
        "picture-0002.jpg",
        "picture-0003.jpg",
        "stranger-0001.jpg",
    }
    for name, heads in answers.items():
        assert (tmp_path / name).stat().st_size > 1000
        for head in heads:
            assert set(head) == {"box", "universal_id"}
            assert set(head["box"]) == {"x", "y", "width", "height"}
