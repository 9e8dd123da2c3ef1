import dataclasses

import cv2
import numpy as np
import pytest

from demo.artist import draw_head, sample_sitting
from demo.camera import decode_jpeg
from demo.geometry import Placement
from demo.identity import sample_identity
from demo.scenes import draw_group, draw_portrait
from demo.seeds import TRAINING_NAMESPACES, Namespace, generator
from demo.world import World, invent_stranger

SEED = 31


def person(index):
    return sample_identity(generator(Namespace.WORLD_PERSON, SEED, index))


def drawn(index, sitting_seed):
    picture = np.full((240, 240, 3), 128, np.uint8)
    sitting = sample_sitting(generator(Namespace.HELD_OUT_PICTURE, sitting_seed))
    head = draw_head(picture, person(index), sitting, Placement(120, 112, 52))
    return picture, head


def test_the_same_seed_draws_the_same_picture_to_the_last_pixel():
    first = draw_group([person(0), person(1)], generator(Namespace.RELEASE, SEED))

    again = draw_group([person(0), person(1)], generator(Namespace.RELEASE, SEED))

    assert first.jpeg == again.jpeg
    for one, other in zip(first.heads, again.heads, strict=True):
        assert one.box == other.box
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


@pytest.mark.parametrize("sitting_seed", range(25))
def test_landmarks_lie_in_the_head_and_in_their_order(sitting_seed):
    _, head = drawn(sitting_seed, sitting_seed)

    left, top, right, bottom = head.box
    x, y = head.landmarks.T

    assert ((x > left) & (x < right) & (y > top) & (y < bottom)).all()
    left_eye, right_eye, _nose, left_corner, right_corner = head.landmarks
    assert left_eye[0] < right_eye[0]
    assert left_corner[0] < right_corner[0]
    assert max(left_eye[1], right_eye[1]) < min(left_corner[1], right_corner[1])


def test_a_person_stays_the_same_while_pose_and_light_change():
    near = draw_portrait(person(3), generator(Namespace.RELEASE, 1))
    other = draw_portrait(person(3), generator(Namespace.RELEASE, 2))

    assert near.jpeg != other.jpeg
    assert person(3) == person(3)


def test_two_people_differ_in_many_traits():
    traits = [dataclasses.asdict(person(index)) for index in range(30)]

    fewest = min(
        sum(one[name] != other[name] for name in one)
        for index, one in enumerate(traits)
        for other in traits[:index]
    )

    assert fewest >= 12


def test_two_people_in_the_same_pose_look_different():
    pictures = [cv2.resize(drawn(index, 7)[0], (40, 40)) for index in range(12)]

    nearest = min(
        float(np.abs(one.astype(int) - other.astype(int)).mean())
        for index, one in enumerate(pictures)
        for other in pictures[:index]
    )

    # Grey levels on average over the whole picture, background included.
    assert nearest > 6


def test_a_group_has_a_box_for_everybody_inside_the_picture():
    scene = draw_group([person(n) for n in range(5)], generator(Namespace.RELEASE, 4))

    assert len(scene.heads) == 5
    assert decode_jpeg(scene.jpeg).shape == (scene.height, scene.width, 3)
    for head in scene.heads:
        assert head.box[0] >= 0
        assert head.box[2] <= scene.width


def test_nobody_of_a_world_and_no_stranger_is_a_training_person():
    training = {
        sample_identity(generator(Namespace.TRAINING_PERSON, n)) for n in range(200)
    }
    held_out = {p.identity for p in World(SEED, 100).people}
    held_out |= {invent_stranger(SEED, index) for index in range(100)}

    assert not training & held_out
    assert len(held_out) == 200


def test_training_and_held_out_drawings_have_different_seeds():
    held_out = set(Namespace) - TRAINING_NAMESPACES

    first_numbers = {
        namespace: generator(namespace, 0, 0).integers(2**62) for namespace in Namespace
    }

    assert len(set(first_numbers.values())) == len(Namespace)
    assert Namespace.WORLD_PERSON in held_out
    assert Namespace.STRANGER in held_out
    assert Namespace.HELD_OUT_PICTURE in held_out
