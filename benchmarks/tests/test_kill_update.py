"""Updates whose processes are killed at random moments: the first rounds of many."""

import random

import pytest

from benchmarks.kill_update import VICTIMS, play

ROUNDS = 20


@pytest.mark.service
def test_an_update_survives_the_death_of_any_process_at_any_moment():
    # Other moments each time; the seed is shown when it fails.
    seed = random.SystemRandom().randrange(10**6)

    rounds = list(play(ROUNDS, seed=seed))

    assert {each.victim for each in rounds} == {*VICTIMS}
    assert [each for each in rounds if each.problems] == [], f"seed {seed}"
