"""Studio, performers and tags of a scene against a stash-box's."""

from recommendations.field_maps import read_local, read_upstream
from recommendations.scene_diffing import Library, NameIndex, diff_scene

BOX = "https://stashdb.org/graphql"


def here(local_id, name, stash_box_id=None, *, aliases=()):
    """Something of the library, as Stash answers."""
    stash_ids = [{"endpoint": BOX, "stash_id": stash_box_id}] if stash_box_id else []
    return {"id": local_id, "name": name, "aliases": aliases, "stash_ids": stash_ids}


def there(stash_box_id, name, *, aliases=()):
    return {"id": stash_box_id, "name": name, "aliases": aliases}


def appearance(stash_box_id, name, *, credited_as=None, aliases=()):
    performer = there(stash_box_id, name, aliases=aliases)
    return {"as": credited_as, "performer": performer}


def diff(local, upstream, base=None, **kwargs):
    return diff_scene(
        read_local("scene", local, endpoint=BOX),
        read_upstream("scene", upstream),
        None if base is None else read_upstream("scene", base),
        **kwargs,
    )


def ids_of(entities):
    return [entity.stash_box_id for entity in entities]


def test_performers_and_tags_are_compared_by_their_ids():
    local = {
        "performers": [here("1", "Ann", "p-1"), here("2", "Bea", "p-2")],
        "tags": [here("5", "Indoors", "t-1")],
    }
    upstream = {
        "performers": [appearance("p-1", "Ann B"), appearance("p-3", "Cleo")],
        "tags": [there("t-1", "Inside"), there("t-2", "Solo")],
    }

    changes = diff(local, upstream)

    assert ids_of(changes.performers.added) == ["p-3"]
    assert [entity["id"] for entity in changes.performers.removed] == ["2"]
    assert ids_of(changes.tags.added) == ["t-2"]
    assert changes.tags.removed == []


def test_another_name_in_the_credits_alone_is_no_change():
    local = {"performers": [here("1", "Ann", "p-1")]}
    upstream = {"performers": [appearance("p-1", "Ann", credited_as="Annie")]}

    assert not diff(local, upstream).is_change


def test_another_name_in_the_credits_is_a_change_where_the_library_has_one():
    performer = {"id": "1", "name": "Ann", "stash_box_id": "p-1", "as": "Anna"}
    upstream = read_upstream(
        "scene", {"performers": [appearance("p-1", "Ann", credited_as="Annie")]}
    )

    changes = diff_scene({"performers": [performer]}, upstream, None)

    [change] = changes.performers.alias_changed
    assert (change.local_as, change.upstream_as) == ("Anna", "Annie")


def test_who_is_in_the_scene_without_an_id_is_offered_and_not_missing():
    local = {"performers": [here("1", "ANN", aliases=["Annie"])], "tags": []}
    upstream = {"performers": [appearance("p-1", "Anna", aliases=["annie"])]}

    changes = diff(local, upstream)

    assert not changes.is_change
    [unlinked] = changes.performers.unlinked
    assert unlinked.local_match["id"] == "1"
    assert local["performers"][0]["stash_ids"] == []


def test_who_is_linked_to_somebody_else_is_no_match_by_name():
    local = {"performers": [here("1", "Ann", "p-9")]}
    library = Library(
        performers=NameIndex([{"id": "1", "name": "Ann", "stash_box_id": "p-9"}])
    )

    changes = diff(local, {"performers": [appearance("p-1", "Ann")]}, library=library)

    [added] = changes.performers.added
    assert added.local_match is None
    assert [entity["id"] for entity in changes.performers.removed] == ["1"]


def test_added_ones_are_offered_with_whom_the_library_knows_by_name():
    library = Library(
        performers=NameIndex(
            [
                {"id": "10", "name": "Bea", "aliases": ["Ann"]},
                {"id": "9", "name": "ann", "aliases": []},
                {"id": "2", "name": "Ann", "aliases": []},
            ]
        ),
        tags=NameIndex([{"id": "7", "name": "Alone", "aliases": ["Solo"]}]),
    )
    upstream = {
        "performers": [appearance("p-1", "Ann"), appearance("p-2", "Cleo")],
        "tags": [there("t-2", "solo")],
    }

    changes = diff({}, upstream, library=library).as_details()

    ann, cleo = changes["performer_changes"]["added"]
    assert ann["local_match"] == {"id": "2", "name": "Ann"}
    assert ann["is_ambiguous"]
    assert cleo["local_match"] is None
    [solo] = changes["tag_changes"]["added"]
    assert solo["local_match"] == {"id": "7", "name": "Alone"}
    assert not solo["is_ambiguous"]


def test_who_has_the_id_is_offered_and_nobody_by_name():
    library = Library(
        performers=NameIndex(
            [
                {"id": "3", "name": "Cleo", "stash_box_id": None},
                {"id": "7", "name": "Somebody", "stash_box_id": "p-3"},
            ]
        )
    )

    changes = diff({}, {"performers": [appearance("p-3", "Cleo")]}, library=library)

    cleo = changes.performers.added[0].as_details()
    assert cleo["local_match"] == {"id": "7", "name": "Somebody"}
    assert not cleo["is_ambiguous"]


def test_what_was_left_out_or_added_deliberately_is_not_asked_about():
    local = {"tags": [here("5", "Own", "t-own")]}
    upstream = {"tags": [there("t-1", "Seen before"), there("t-2", "New")]}
    base = {"tags": [there("t-1", "Seen before")]}

    changes = diff(local, upstream, base)

    assert ids_of(changes.tags.added) == ["t-2"]
    assert changes.tags.removed == []


def test_what_the_box_took_away_is_removed():
    local = {"tags": [here("5", "Indoors", "t-1")]}

    changes = diff(local, {"tags": []}, {"tags": [there("t-1", "Indoors")]})

    assert [entity["id"] for entity in changes.tags.removed] == ["5"]


def test_a_studio_is_changed_by_its_id():
    local = {"studio": here("3", "House", "s-1")}
    upstream = {"studio": there("s-2", "Home")}

    change = diff(local, upstream).studio

    assert change.local["id"] == "3"
    assert change.upstream.stash_box_id == "s-2"
    assert not change.is_conflict
    assert diff(local, upstream, upstream).studio is None
    assert diff(local, upstream, {"studio": there("s-3", "Hut")}).studio.is_conflict


def test_a_studio_without_an_id_is_the_same_by_its_name_or_alias():
    local = {"studio": here("3", "House", aliases=["Home"])}

    assert diff(local, {"studio": there("s-2", "home")}).studio is None
    assert diff(local, {"studio": there("s-2", "Hut")}).studio is not None


def test_a_missing_studio_is_offered_with_its_match():
    library = Library(studios=NameIndex([{"id": "3", "name": "House"}]))

    changes = diff({}, {"studio": there("s-2", "house")}, library=library)

    assert changes.as_details()["studio_change"] == {
        "local": None,
        "upstream": {
            "id": "s-2",
            "name": "house",
            "as": None,
            "local_match": {"id": "3", "name": "House"},
            "is_ambiguous": False,
        },
        "is_conflict": False,
    }


def test_parts_that_are_switched_off_are_not_looked_at():
    upstream = {
        "studio": there("s-2", "Hut"),
        "performers": [appearance("p-1", "Ann")],
        "tags": [there("t-1", "Solo")],
    }

    changes = diff({}, upstream, parts=("tags",))

    assert changes.studio is None
    assert not changes.performers.is_change
    assert changes.tags.is_change
