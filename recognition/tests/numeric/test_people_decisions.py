"""What the owner said of people becomes who is together and who apart."""

import pytest

from recognition.numeric.people_decisions import Said, units_of

MEDIA = [*range(6)]


def one(*people, moved=()):
    return Said(moved=[*moved], stayed=[*people], is_split=False)


def split(moved, stayed):
    return Said(moved=moved, stayed=stayed, is_split=True)


def sets(said, media=MEDIA):
    return [unit.people for unit in units_of(media, said)]


def may_be_one(said, first, second, media=MEDIA):
    of = {person: unit for unit in units_of(media, said) for person in unit.people}
    one, other = of[first], of[second]
    return one.has.isdisjoint(other.refuses) and other.has.isdisjoint(one.refuses)


def test_nothing_said_leaves_everybody_alone():
    assert sets([]) == [[0], [1], [2], [3], [4], [5]]
    assert may_be_one([], 0, 1)


def test_people_of_a_medium_are_apart_unless_they_were_said_to_be_one():
    media = ["a", "a", "b", None, None, "b"]

    assert not may_be_one([], 0, 1, media)
    assert may_be_one([], 0, 2, media)
    assert may_be_one([], 3, 4, media)
    assert sets([one(0, moved=[1])], media)[0] == [0, 1]


def test_a_merge_holds_together_what_merges_held_before():
    said = [one(0, moved=[1]), one(2, moved=[3]), one(1, moved=[3])]

    assert sets(said) == [[0, 1, 2, 3], [4], [5]]
    assert [unit.is_held for unit in units_of(MEDIA, said)] == [True, False, False]


def test_a_split_keeps_apart_and_leaves_the_rest_as_it_was():
    said = [split([0, 1], [2, 3])]

    assert sets(said) == [[0, 1], [2], [3], [4], [5]]
    assert not may_be_one(said, 0, 2)
    assert not may_be_one(said, 1, 3)
    assert may_be_one(said, 2, 3)
    assert may_be_one(said, 0, 4)


def test_of_a_merge_and_a_split_the_later_counts():
    merged, parted = one(0, 1, moved=[2, 3]), split([2, 3], [0, 1])

    assert sets([merged, parted])[:2] == [[0, 1], [2, 3]]
    assert not may_be_one([merged, parted], 0, 2)
    assert sets([parted, merged])[0] == [0, 1, 2, 3]
    assert may_be_one([parted, merged], 0, 4)


@pytest.mark.parametrize("other", [4, 5])
def test_a_merge_of_some_takes_no_split_back_that_is_about_others(other):
    said = [split([0], [1, other]), one(0, moved=[1])]

    assert sets(said)[0] == [0, 1]
    assert may_be_one(said, 0, other)
