"""Requests are spaced as the setting says."""

import pytest

from stashsense.integrations.preferences import stash_api_rate
from stashsense.integrations.rate_limiter import RateLimiter
from stashsense.preferences.services import store_settings


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 50.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def time():
    return Time()


def limiter(time, rate):
    return RateLimiter(rate, clock=time.clock, sleep=time.sleep)


def turns(limiter, time, count):
    """Return the moments at which so many callers came through."""
    moments = []
    for _ in range(count):
        limiter.wait()
        moments.append(round(time.now - 50, 6))
    return moments


def test_the_first_does_not_wait_and_the_others_come_evenly(time):
    limited = limiter(time, lambda: 4.0)

    assert turns(limited, time, 4) == [0, 0.25, 0.5, 0.75]
    assert limited.statistics().requests == 4
    assert limited.statistics().waited_seconds == pytest.approx(0.75)
    assert limited.statistics().waiting == 0


def test_a_pause_earns_no_burst(time):
    limited = limiter(time, lambda: 4.0)
    limited.wait()
    time.now += 100

    assert turns(limited, time, 3) == [100, 100.25, 100.5]


@pytest.mark.django_db
def test_the_setting_counts_at_once(time):
    limited = limiter(time, stash_api_rate)
    assert turns(limited, time, 2) == [0, 0.2]

    store_settings({"stash_api_rate": 0.5}, user=None)

    limited.wait()
    began = time.now
    limited.wait()
    assert time.now - began == pytest.approx(2)
