"""Ties between processes, seen on real ones."""

import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

BOUND_SECONDS = 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")

# Each prints the pids of its descendants and then waits for ever.
PARENT_OF_TIED = """
import subprocess, sys
from stashsense import processes
child = subprocess.Popen(
    ["sleep", "600"], preexec_fn=processes.end_with_parent)
print(child.pid, flush=True)
child.wait()
"""
PARENT_OF_FORKS = """
import multiprocessing, os, signal
from stashsense import processes
processes.end_forks_with_parent()
fork = multiprocessing.get_context("fork")
def child():
    grandchild = fork.Process(target=signal.pause)
    grandchild.start()
    print(os.getpid(), grandchild.pid, flush=True)
    signal.pause()
fork.Process(target=child).start()
signal.pause()
"""
ADOPTER = """
import signal, subprocess
from stashsense import processes
processes.adopt_orphans()
script = "sleep 600 > /dev/null 2> /dev/null & echo $!"
# Told once the shell between the two is gone.
answer = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
print(answer.stdout, flush=True)
signal.pause()
"""


@pytest.fixture
def run():
    """Start Python code; return it and the processes whose pids it prints."""
    with contextlib.ExitStack() as stack:

        def start(code):
            command = [sys.executable, "-c", code]
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            pids = map(int, process.stdout.readline().split())
            printed = [psutil.Process(pid) for pid in pids]
            for each in printed:
                stack.callback(kill, each)
            return process, printed

        yield start


def kill(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def are_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=BOUND_SECONDS)
    return not alive


def test_a_tied_process_ends_when_its_parent_is_killed(run):
    parent, tied = run(PARENT_OF_TIED)

    parent.kill()

    assert are_gone(tied)


def test_forks_at_any_depth_end_when_the_first_is_killed(run):
    parent, forks = run(PARENT_OF_FORKS)
    assert len(forks) == 2

    parent.kill()

    assert are_gone(forks)


def test_an_orphan_becomes_a_child_of_the_adopter(run):
    adopter, [orphan] = run(ADOPTER)

    assert orphan.ppid() == adopter.pid
    assert orphan.pid != os.getpid()
    orphan.send_signal(signal.SIGKILL)
