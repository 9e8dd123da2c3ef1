"""A small sample; benchmarks/demo_accuracy.py holds the claims."""

import shutil

import pytest

from benchmarks.demo_accuracy import DETECTION_SIZE_PX, recognize_all
from dbupdates.prepared import write_prepared
from demo.embedding import open_demo_networks
from demo.pictures import iter_known_pictures, iter_stranger_pictures
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.recognizer import Recognizer

PICTURE_SEED = 4242


@pytest.fixture(scope="module")
def recognizer(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / built.folder.name
    shutil.copytree(built.folder, folder)
    write_prepared(folder)
    return Recognizer(
        networks=open_demo_networks(detection_size_px=DETECTION_SIZE_PX),
        database=FaceDatabase.load(folder, version="2026.03.04"),
    )


def test_people_of_the_world_are_found_and_named(recognizer, small_world):
    pictures = iter_known_pictures(small_world, seed=PICTURE_SEED, count=24)

    tally = recognize_all(recognizer, pictures)

    # Under the benchmark's goals: one head in forty is 2.5 %.
    assert tally.detected >= 0.9 * tally.drawn
    assert tally.right >= 0.9 * tally.detected


def test_strangers_are_found_and_left_without_a_name(recognizer):
    pictures = iter_stranger_pictures(seed=PICTURE_SEED, count=16)

    tally = recognize_all(recognizer, pictures)

    assert tally.detected >= 0.9 * tally.drawn
    assert tally.named <= 0.1 * tally.detected
