"""The made-up library as rows of a Stash: nothing of it gets lost."""

from benchmarks.duplicate_library import make_library
from benchmarks.duplicate_stash import stash_library
from demo.stash.server import StashServer
from recommendations.phashes import parse_phash
from stashsense.integrations.stash import configured_client
from stashsense.integrations.stash_library import StashLibrary


def test_what_stash_tells_of_the_scenes_is_what_was_made_up(settings, db):
    made_up = make_library(300)
    rows = stash_library(made_up)

    with StashServer(rows) as server:
        settings.STASH_URL, settings.STASH_API_KEY = server.url, ""
        told = list(StashLibrary(configured_client()).iter_lean_scenes())

    assert [str(scene.id) for scene in told] == [s.scene_id for s in made_up.scenes]
    for scene, facts in zip(told, made_up.scenes, strict=True):
        assert scene.date == facts.date
        assert scene.duration_seconds == facts.duration_seconds
        assert [*map(parse_phash, scene.phashes)] == [
            phash for phash in [facts.phash] if phash is not None
        ]
        assert {(s.endpoint, s.stash_id) for s in scene.stash_ids} == facts.stash_ids
        cast = {rows.performers[str(each)].name for each in scene.performer_ids}
        assert cast == {f"Performer {each}" for each in facts.performer_ids}
        assert rows.studios[str(scene.studio_id)].name == f"Studio {facts.studio_id}"
