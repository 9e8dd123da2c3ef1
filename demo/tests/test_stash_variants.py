"""Videos as they turn up: each is what its name says, to a reader other than ours."""

import itertools

import av
import pytest

from demo.stash.testing import VARIANTS, Film, write_variant
from demo.stash.video import probe_video

FILM = Film(seconds=4.0)
FRAMES = 48


@pytest.fixture(scope="module")
def variant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")

    def path_of(name):
        [found] = [*folder.glob(f"{name}.*")] or [write_variant(name, folder, FILM)]
        return found

    return path_of


def decode(path):
    """Return the frames that can be decoded, and how many packets could not."""
    frames, broken = [], 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                frames += packet.decode()
            except av.FFmpegError:
                broken += 1
    return frames, broken


@pytest.mark.parametrize(
    ("name", "size", "codec"),
    [
        ("landscape", (480, 270), "h264"),
        ("portrait", (270, 480), "h264"),
        ("hevc", (480, 270), "hevc"),
        ("av1", (480, 270), "av1"),
        ("index_at_end", (480, 270), "h264"),
        ("silent", (480, 270), "h264"),
        ("variable_rate", (480, 270), "h264"),
    ],
)
def test_whole_videos_decode(variant, name, size, codec):
    frames, broken = decode(variant(name))
    facts = probe_video(variant(name))

    assert (len(frames), broken) == (FRAMES, 0)
    assert (frames[0].width, frames[0].height) == size == (facts.width, facts.height)
    assert facts.video_codec == codec
    assert facts.duration == pytest.approx(4.0, abs=0.15)
    assert (facts.audio_codec == "") == (name == "silent")


def test_a_rotated_video_lies_on_its_side_and_says_so(variant):
    frames, _ = decode(variant("rotated"))

    assert (frames[0].width, frames[0].height) == (480, 270)
    assert frames[0].rotation == -90


def test_a_variable_rate_is_uneven(variant):
    frames, _ = decode(variant("variable_rate"))

    steps = [b.time - a.time for a, b in itertools.pairwise(frames)]

    assert max(steps) > 5 * min(steps)


def test_the_index_is_where_it_should_be(variant):
    def order(name):
        data = variant(name).read_bytes()
        return data.index(b"moov") < data.index(b"mdat")

    assert order("landscape")
    assert not order("index_at_end")


def test_sound_alone_has_no_picture(variant):
    facts = probe_video(variant("audio_only"))

    assert (facts.width, facts.video_codec, facts.audio_codec) == (0, "", "aac")


def test_a_duration_can_be_missing(variant):
    frames, _ = decode(variant("no_duration"))

    assert len(frames) == FRAMES
    assert probe_video(variant("no_duration")).duration == 0.0


@pytest.mark.parametrize("name", ["truncated", "broken_stretch"])
def test_broken_videos_decode_in_part(variant, name):
    frames, broken = decode(variant(name))

    assert 0 < len(frames) < FRAMES
    assert broken > 0
    assert probe_video(variant(name)).duration == pytest.approx(4.0, abs=0.15)


def test_without_an_index_nothing_can_be_read(variant):
    with pytest.raises(av.FFmpegError):
        av.open(str(variant("no_index")))

    assert probe_video(variant("no_index")).width == 0


def test_every_variant_is_looked_at_here(variant, stash_server):
    for name in VARIANTS:
        file = stash_server.replace_video("1", variant(name))
        assert file.size == variant(name).stat().st_size
    assert stash_server.library.files["1"].name.endswith("broken_stretch.mp4")
