"""The clock of stages: what is within another stage counts once."""

import itertools

import pytest

from benchmarks.stages import StageClock


@pytest.fixture
def clock():
    """A clock on which a second passes whenever it is looked at."""
    return StageClock(now=itertools.count().__next__)


def test_a_stage_within_another_takes_its_time_away_from_that(clock):
    with clock.stage("outer"), clock.stage("inner"):
        pass

    assert clock.seconds == {"outer": 2, "inner": 1}


def test_calls_and_the_waiting_for_items_are_stages(clock):
    add = clock.timed("adding", lambda one, other: one + other)
    count = clock.timed_items("counting", lambda end: iter(range(end)))

    assert [add(1, item) for item in count(3)] == [1, 2, 3]

    # The fourth asking finds the end.
    assert clock.counts == {"adding": 3, "counting": 4}
    assert clock.seconds == {"adding": 3, "counting": 4}


def test_a_stage_that_raises_ends(clock):
    with pytest.raises(ValueError, match="wrong"), clock.stage("wrong"):
        raise ValueError("wrong")
    with clock.stage("after"):
        pass

    assert clock.seconds == {"wrong": 1, "after": 1}


def test_who_watches_is_told_of_each_that_begins(clock):
    begun: list[str] = []
    clock.on_begin = begun.append

    with clock.stage("outer"), clock.stage("inner"):
        pass

    assert begun == ["outer", "inner"]
