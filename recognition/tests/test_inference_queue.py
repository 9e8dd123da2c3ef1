"""A few at a time, some waiting, the rest sent away."""

import threading

import pytest

from recognition.exceptions import Busy
from recognition.inference_queue import InferenceQueue

BOUND_SECONDS = 10


class Visitors:
    """Threads that take a slot and hold it until they are released."""

    def __init__(self, queue):
        self.queue = queue
        self.release = threading.Event()
        self.changed = threading.Condition()
        self.holding = 0
        self.most_holding = 0
        self.finished = 0
        self.threads = []

    def send(self, count):
        for _ in range(count):
            thread = threading.Thread(target=self._visit)
            thread.start()
            self.threads.append(thread)

    def _visit(self):
        with self.queue.slot():
            with self.changed:
                self.holding += 1
                self.most_holding = max(self.most_holding, self.holding)
                self.changed.notify_all()
            assert self.release.wait(BOUND_SECONDS)
            with self.changed:
                self.holding -= 1
                self.finished += 1

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, BOUND_SECONDS)

    def finish(self):
        self.release.set()
        for thread in self.threads:
            thread.join(BOUND_SECONDS)


def full_queue(*, slots, waiting):
    queue = InferenceQueue(slots=slots, waiting=waiting)
    visitors = Visitors(queue)
    visitors.send(slots + waiting)
    visitors.wait_for(lambda: visitors.holding == slots)
    deadline = threading.Event()
    while queue.inside < slots + waiting:
        assert not deadline.wait(0.001)
    return queue, visitors


def test_no_more_than_the_slots_work_at_once_and_all_get_their_turn():
    _, visitors = full_queue(slots=2, waiting=5)

    visitors.finish()

    assert visitors.most_holding == 2
    assert visitors.finished == 7


def test_one_too_many_is_sent_away_at_once_and_told_to_come_back():
    queue, visitors = full_queue(slots=1, waiting=2)

    with pytest.raises(Busy) as refusal, queue.slot():
        pass

    assert refusal.value.retry_after_seconds
    visitors.finish()
    with queue.slot():
        pass


def test_a_visitor_that_fails_gives_its_place_back():
    queue = InferenceQueue(slots=1, waiting=0)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), queue.slot():
            raise ZeroDivisionError

    with queue.slot():
        pass
