"""The limit that processes share by a file."""

import math
import struct
import subprocess
import sys
import threading
import time

import pytest

from stashsense.integrations.shared_rate_limiter import (
    PausedForLonger,
    SharedRateLimiter,
)

PATIENCE_SECONDS = 30
PROCESS = """
import sys, threading, time
from pathlib import Path
from stashsense.integrations.shared_rate_limiter import SharedRateLimiter

limiter = SharedRateLimiter(Path(sys.argv[1]), float(sys.argv[2]))

def ask(thread):
    for _ in range(int(sys.argv[3])):
        limiter.wait()
        print(thread, time.time(), flush=True)

threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


class Stopped(Exception):
    """What a run raises when it is asked to end."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "limits" / "box"


def test_turns_are_evenly_apart(path):
    limiter = SharedRateLimiter(path, 60 * 50)
    began_at = time.monotonic()

    for _ in range(11):
        limiter.wait()

    # Ten intervals of 20 ms; a busy machine only makes it longer.
    assert time.monotonic() - began_at > 0.199
    figures = limiter.figures()
    assert (figures.total_requests, figures.queue_depth) == (11, 0)
    assert figures.requests_per_second == 50
    assert figures.total_wait_time > 0.15


def test_the_rate_holds_for_all_processes_and_all_threads_get_their_turns(path):
    arguments = [sys.executable, "-c", PROCESS, str(path), "1200", "6"]
    processes = [
        subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    turns = [
        (float(moment), number, thread)
        for number, process in enumerate(processes)
        for thread, moment in map(
            str.split, process.communicate(timeout=PATIENCE_SECONDS)[0].splitlines()
        )
    ]

    moments = sorted(moment for moment, *_ in turns)

    assert len(moments) == 3 * 3 * 6
    # 20 a second: in no second were there more, but for one that printed late.
    most = max(sum(a <= b < a + 1 for b in moments) for a in moments)
    assert most <= 22
    # Nobody took all the turns: in any two rounds of nine, each comes at least once.
    middle = [(number, thread) for _, number, thread in sorted(turns)[18:36]]
    assert len(set(middle)) == 9


def test_a_pause_holds_for_those_who_wait_already(path):
    waiting, other = (SharedRateLimiter(path, 60) for _ in range(2))
    waiting.wait()
    began_at = time.monotonic()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    while waiting.figures().queue_depth == 0:
        assert time.monotonic() - began_at < PATIENCE_SECONDS

    other.pause(1.5)
    thread.join(PATIENCE_SECONDS)

    assert not thread.is_alive()
    assert time.monotonic() - began_at > 1.4


def test_a_shorter_pause_does_not_end_a_longer_one(path):
    limiter = SharedRateLimiter(path, 60)

    limiter.pause(100)
    limiter.pause(1)

    assert 99 < limiter.pause_seconds() <= 100


def test_a_long_pause_is_told_instead_of_waited_for(path):
    limiter = SharedRateLimiter(path, 60)
    limiter.pause(100)

    with pytest.raises(PausedForLonger) as pause:
        limiter.wait(longest_pause_seconds=60)

    assert 99 < pause.value.seconds <= 100
    assert limiter.figures().queue_depth == 0


def test_no_pause_is_longer_than_an_hour(path):
    limiter = SharedRateLimiter(path, 60)

    limiter.pause(1e9)

    assert 3599 < limiter.pause_seconds() <= 3600


def test_waiting_can_be_broken_off(path):
    limiter = SharedRateLimiter(path, 1)
    limiter.wait()
    calls = []

    def check():
        calls.append(time.monotonic())
        if len(calls) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        limiter.wait(check_stop=check)

    assert calls[2] - calls[0] < 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"far too long for a state of this kind",
        struct.pack("<dd", math.nan, math.nan),
        struct.pack("<dd", math.inf, math.inf),
        # As a clock wrote it that has been set back by a day since.
        struct.pack("<dd", time.time() + 86_400, time.time() + 86_400),
    ],
)
def test_what_no_clock_of_now_can_have_written_holds_nobody_up(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    limiter = SharedRateLimiter(path, 6000)
    began_at = time.monotonic()

    limiter.wait()

    assert time.monotonic() - began_at < 5
    assert path.stat().st_size == 16


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_what_is_no_rate_is_refused(path, rate):
    with pytest.raises(ValueError, match="positive number"):
        SharedRateLimiter(path, rate)


def test_a_changed_rate_is_that_of_the_next_turns(path):
    limiter = SharedRateLimiter(path, 1)

    limiter.requests_per_minute = 6000
    began_at = time.monotonic()
    for _ in range(5):
        limiter.wait()

    assert time.monotonic() - began_at < PATIENCE_SECONDS
    assert limiter.requests_per_minute == pytest.approx(6000)
