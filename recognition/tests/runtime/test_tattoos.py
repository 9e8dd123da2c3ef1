"""Tattoos found, embedded and looked up, by real ONNX graphs and a real index."""

import json

import numpy as np
import pytest
import voyager

from dbupdates.exceptions import InvalidRelease
from recognition.exceptions import DatabaseNotLoaded, ModelsNotInstalled
from recognition.numeric.boxes import FaceBox
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.sessions import open_session
from recognition.runtime.tattoos import (
    TattooDetector,
    TattooEmbedder,
    TattooIndex,
    TattooReader,
)
from recognition.tests.tattoo_networks import (
    CELL_PX,
    embedding_of,
    write_detector,
    write_embedder,
)

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
LEFT_FACE, RIGHT_FACE = FaceBox(96, 64, 64, 64), FaceBox(480, 64, 64, 64)
PLAN = choose_execution_plan("cpu", threads=1)


def write_index(folder, owned):
    """Write an index of (universal id or None, colour) pairs."""
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=1280)
    if owned:
        vectors = np.stack([embedding_of(colour) for _, colour in owned])
        index.add_items(vectors, num_threads=1)
    index.save(str(folder / "tattoo_embeddings.voy"))
    names = [owner and {"universal_id": owner} for owner, _ in owned]
    (folder / "tattoo_embeddings.json").write_text(json.dumps(names))


def picture_of(*tattoos, width=640, height=640):
    """Grey, with a cell of colour in each row and column given."""
    image = np.full((height, width, 3), 120, np.uint8)
    for column, row, colour in tattoos:
        x, y = column * CELL_PX, row * CELL_PX
        image[y : y + CELL_PX, x : x + CELL_PX] = colour
    return image


@pytest.fixture
def detector(tmp_path):
    write_detector(tmp_path / "detector.onnx")
    return TattooDetector(open_session(tmp_path / "detector.onnx", PLAN))


@pytest.fixture
def embedder(tmp_path):
    write_embedder(tmp_path / "embedder.onnx")
    return TattooEmbedder(open_session(tmp_path / "embedder.onnx", PLAN))


@pytest.fixture
def reader(tmp_path, detector, embedder):
    write_index(
        tmp_path,
        [("stashdb.org:red", RED), ("fansdb.cc:blue", BLUE), (None, GREEN)],
    )
    return TattooReader(detector, embedder, TattooIndex.load(tmp_path))


def test_a_tattoo_is_found_where_it_is(detector):
    (found,) = detector.detect(picture_of((5, 10, RED)))

    assert (found.x, found.y) == pytest.approx((5 / 20, 10 / 20))
    assert (found.width, found.height) == pytest.approx((1 / 20, 1 / 20))
    assert found.confidence == pytest.approx(1)


def test_a_tattoo_is_found_in_a_picture_of_another_shape(detector):
    # 320 x 160 lies doubled in rows 160 … 480 of the detector's square.
    image = np.full((160, 320, 3), 120, np.uint8)
    image[32:48, 80:96] = RED

    (found,) = detector.detect(image)

    assert (found.x, found.y) == pytest.approx((80 / 320, 32 / 160), abs=0.002)
    assert (found.width, found.height) == pytest.approx((16 / 320, 16 / 160), abs=0.002)


def test_skin_has_no_tattoos(detector):
    assert detector.detect(picture_of()) == []


def test_embeddings_have_length_one(embedder):
    crops = [picture_of((0, 0, RED)), picture_of((0, 0, BLUE))[:CELL_PX, :CELL_PX]]

    embeddings = embedder.embed(crops)

    assert embeddings.shape == (2, 1280)
    assert embeddings.dtype == np.float32
    # float32 sums of 1280 squares.
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_no_crops_no_embeddings(embedder):
    assert embedder.embed([]).shape == (0, 1280)


def test_each_person_has_the_tattoos_below_their_own_face(reader):
    # I7, I10: the whole picture's tattoos were everybody's.
    image = picture_of((3, 8, RED), (16, 9, BLUE))

    left, right = reader.read(image, [LEFT_FACE, RIGHT_FACE])

    assert len(left.tattoos) == len(right.tattoos) == 1
    assert max(left.similarities, key=left.similarities.get) == "stashdb.org:red"
    assert max(right.similarities, key=right.similarities.get) == "fansdb.cc:blue"


def test_who_wears_none_is_seen_without_any(reader):
    left, right = reader.read(picture_of((3, 8, RED)), [LEFT_FACE, RIGHT_FACE])

    assert left.similarities["stashdb.org:red"] > 0.7
    assert right.tattoos == ()
    assert right.similarities == {}


def test_a_tattoo_like_that_of_a_forgotten_performer_is_like_nobodys(reader):
    (person,) = reader.read(picture_of((3, 8, GREEN)), [LEFT_FACE])

    assert len(person.tattoos) == 1
    assert set(person.similarities) <= {"stashdb.org:red", "fansdb.cc:blue"}
    assert max(person.similarities.values()) < 0.5


@pytest.mark.parametrize("write", [write_detector, write_embedder])
def test_a_network_with_another_answer_is_refused(tmp_path, write):
    write(tmp_path / "network.onnx", answer_size=7)
    session = open_session(tmp_path / "network.onnx", PLAN)
    kind = TattooDetector if write is write_detector else TattooEmbedder

    with pytest.raises(ModelsNotInstalled, match="7"):
        kind(session)


@pytest.mark.parametrize("kind", [TattooDetector, TattooEmbedder])
def test_a_network_with_another_input_is_refused(tmp_path, kind):
    other = write_embedder if kind is TattooDetector else write_detector
    other(tmp_path / "network.onnx")

    with pytest.raises(ModelsNotInstalled, match="published"):
        kind(open_session(tmp_path / "network.onnx", PLAN))


def test_an_index_and_names_of_different_lengths_are_refused(tmp_path):
    write_index(tmp_path, [("a:1", RED), ("a:2", BLUE)])
    (tmp_path / "tattoo_embeddings.json").write_text('[{"universal_id": "a:1"}]')

    with pytest.raises(DatabaseNotLoaded, match="2"):
        TattooIndex.load(tmp_path)


def test_an_index_of_other_vectors_is_refused(tmp_path):
    write_index(tmp_path, [("a:1", RED)])
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=512)
    index.add_items(np.ones((1, 512), np.float32))
    index.save(str(tmp_path / "tattoo_embeddings.voy"))

    with pytest.raises(DatabaseNotLoaded, match="512"):
        TattooIndex.load(tmp_path)


@pytest.mark.parametrize("owned", [[], [(None, RED)]])
def test_an_index_of_nobodys_tattoos_is_refused(tmp_path, owned):
    write_index(tmp_path, owned)

    with pytest.raises(DatabaseNotLoaded, match=r"tattoo_embeddings\.voy"):
        TattooIndex.load(tmp_path)


def test_names_that_are_no_json_are_refused(tmp_path):
    write_index(tmp_path, [("a:1", RED)])
    (tmp_path / "tattoo_embeddings.json").write_text("[")

    with pytest.raises(InvalidRelease, match=r"tattoo_embeddings\.json"):
        TattooIndex.load(tmp_path)
