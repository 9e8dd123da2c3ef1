"""A process of its own that works at an analysis and tells what that took."""

import pytest

from benchmarks.analysis_process import ANSWERING, PAIRING, READING, STORING
from benchmarks.duplicate_library import make_library
from benchmarks.duplicates import TYPE, analysing

pytestmark = pytest.mark.service


def test_a_run_tells_its_stages_and_what_it_found():
    made_up = make_library(500)

    with analysing(made_up) as process:
        took = process.ask("run", type=TYPE)
        found = process.ask("found", type=TYPE)

    pairs = {(row["scene_a_id"], row["scene_b_id"]) for row in found}
    assert made_up.planted <= pairs
    assert {READING, ANSWERING, PAIRING, STORING} <= took["stages"].keys()
    assert sum(took["stages"].values()) <= took["seconds"]
    assert took["peak_bytes"] >= took["peak_bytes_before"] > 0
