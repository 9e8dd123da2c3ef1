"""A library and its stash-box: they agree, and what is changed is what is told."""

from typing import Any

import pytest

from benchmarks.upstream_world import Changed, change, connect, make_world, told
from demo.stash.library import now

ENDPOINT = "https://box.example/graphql"


@pytest.fixture
def world():
    """A hundred and fifty linked performers."""
    made = make_world(150)
    connect(made, ENDPOINT, "a-key")
    return made


def test_everybody_is_linked_to_somebody_of_their_name(world):
    for local_id, id in world.linked.items():
        ours, theirs = world.library.performers[local_id], world.box.performers[id]
        assert (ours.name, ours.country) == (theirs.name, theirs.country)
        assert [(s.endpoint, s.stash_id) for s in ours.stash_ids] == [(ENDPOINT, id)]
    assert len(set(world.linked.values())) == 150


def test_nobody_is_changed_in_two_ways(world):
    before = now()

    changed = change(world)

    parts = [
        changed.upstream,
        changed.merged,
        changed.deleted,
        changed.newly_linked,
        changed.conflicts,
        changed.silent,
    ]
    assert [len(part) for part in parts] == [1] * 6
    assert len(set().union(*parts)) == 6
    edited = {r.id for r in world.library.performers.values() if r.updated_at > before}
    assert edited == changed.silent | changed.conflicts | changed.newly_linked
    assert len(changed.proposed()) == 5


def test_what_is_proposed_is_told_as_what_should_be():
    changed = Changed(
        upstream={"1"}, merged={"2": "target"}, deleted={"3"}, conflicts={"4"}
    )
    rows: list[dict[str, Any]] = [
        {"target_id": "1", "changes": [{"field": "country", "is_conflict": False}]},
        {"target_id": "4", "changes": [{"field": "country", "is_conflict": True}]},
        {"target_id": "2", "is_gone_upstream": True, "merged_into_id": "target"},
        {"target_id": "3", "is_gone_upstream": True, "merged_into_id": None},
    ]

    assert told(rows) == changed.proposed()
