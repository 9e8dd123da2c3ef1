"""The limit on how often a service is asked."""

import threading
import time

import pytest

from stashsense.integrations.rate_limiter import RateLimiter
from stashsense.tests.waiting import wait_until

PATIENCE_SECONDS = 20


def seconds_of(limiter, count):
    began_at = time.monotonic()
    for _ in range(count):
        limiter.wait()
    return time.monotonic() - began_at


def started(target, *args):
    # A daemon: should it wait for ever, the test's process still ends.
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


def join_all(threads):
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_a_seconds_worth_goes_at_once_and_then_the_rate_holds():
    limiter = RateLimiter(20)

    # 20 at once and 8 more at 20 a second; a busy machine only makes it longer.
    assert seconds_of(limiter, 28) > 7.9 / 20
    figures = limiter.figures()
    assert figures.total_requests == 28
    assert figures.total_wait_time > 0.39
    assert figures.avg_wait_time == pytest.approx(
        figures.total_wait_time / 28, abs=1e-3
    )
    assert (figures.requests_per_second, figures.queue_depth) == (20, 0)


def test_the_limit_is_one_for_all_threads():
    limiter = RateLimiter(20)
    began_at = time.monotonic()

    join_all([started(seconds_of, limiter, 4) for _ in range(7)])

    assert time.monotonic() - began_at > 7.9 / 20
    assert limiter.figures().total_requests == 28


def test_without_a_rate_nobody_waits_and_all_are_counted():
    limiter = RateLimiter(None)

    assert seconds_of(limiter, 1000) < PATIENCE_SECONDS
    figures = limiter.figures()
    assert (figures.total_requests, figures.requests_per_second) == (1000, None)


def test_a_new_rate_holds_for_those_who_wait_already():
    limiter = RateLimiter(0.001)
    limiter.wait()
    turns = []

    def wait(number):
        limiter.wait()
        turns.append(number)

    threads = []
    for number in range(3):
        threads.append(started(wait, number))
        wait_until(lambda: limiter.figures().queue_depth == len(threads))
    limiter.requests_per_second = 50

    join_all(threads)
    assert sorted(turns) == [0, 1, 2]  # who has the turn first need not tell first
    assert limiter.figures().queue_depth == 0


def test_a_lower_rate_holds_at_once():
    limiter = RateLimiter(50)
    limiter.requests_per_second = 5

    # 5 at once, the sixth after a fifth of a second.
    assert seconds_of(limiter, 6) > 0.19


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        RateLimiter(rate)
    limiter = RateLimiter(5)
    with pytest.raises(ValueError, match="rate"):
        limiter.requests_per_second = rate
    assert limiter.requests_per_second == 5
