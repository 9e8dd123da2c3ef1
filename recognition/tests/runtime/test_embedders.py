"""Many faces in one run, mirrors averaged, rows in the order of the crops."""

from types import SimpleNamespace

import numpy as np
import pytest

from recognition.exceptions import ModelsNotInstalled
from recognition.numeric.embedder_input import arcface_input
from recognition.runtime.embedders import Embedder


class MeanColumnSession:
    """Answers with the mean of each picture's left half, in every number.

    So a mirror answers with the right half, and the order of rows shows.
    """

    def __init__(self, size=512):
        self.size = size
        self.batches = []

    def get_inputs(self):
        return [SimpleNamespace(name="crops", shape=["batch", 112, 112, 3])]

    def get_outputs(self):
        return [SimpleNamespace(name="embeddings", shape=["batch", self.size])]

    def run(self, output_names, input_feed):
        inputs = input_feed["crops"]
        self.batches.append(len(inputs))
        means = inputs[:, :, :56].mean(axis=(1, 2, 3))
        return [np.repeat(means[:, None], self.size, axis=1)]


def crop(left, right):
    halves = [np.full((112, 56, 3), grey, np.uint8) for grey in (left, right)]
    return np.concatenate(halves, axis=1)


def test_an_embedding_is_the_mean_over_the_crop_and_its_mirror():
    embedder = Embedder(MeanColumnSession(), arcface_input, batch_size=16)

    embeddings = embedder.embed([crop(0, 0), crop(255, 255), crop(0, 255)])

    expected = (np.array([0, 255, 127.5]) - 127.5) / 128
    # float32 means over 18,816 pixels.
    np.testing.assert_allclose(embeddings[:, 0], expected, atol=1e-4)
    assert embeddings.shape == (3, 512)
    assert embeddings.dtype == np.float32


@pytest.mark.parametrize(
    ("face_count", "batches"), [(1, [2]), (4, [8]), (5, [8, 2]), (9, [8, 8, 2])]
)
def test_faces_share_runs_up_to_the_batch_size(face_count, batches):
    session = MeanColumnSession()
    crops = [crop(10 * number, 10 * number) for number in range(face_count)]

    embeddings = Embedder(session, arcface_input, batch_size=4).embed(crops)

    assert session.batches == batches
    assert (np.diff(embeddings[:, 0]) > 0).all()


def test_no_faces_need_no_run():
    session = MeanColumnSession()

    embeddings = Embedder(session, arcface_input, batch_size=4).embed([])

    assert embeddings.shape == (0, 512)
    assert session.batches == []


def test_a_network_of_another_size_is_refused():
    with pytest.raises(ModelsNotInstalled, match="128"):
        Embedder(MeanColumnSession(size=128), arcface_input, batch_size=4)
