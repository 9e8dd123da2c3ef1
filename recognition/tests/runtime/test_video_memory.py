"""What a video held is free again when its last frame was given."""

import gc

import pytest

from recognition.runtime.video import VideoSource, iter_frames
from recognition.runtime.video_reader import VideoReader
from recognition.tests.videos import numbered_video, video_server


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_the_decoder_does_not_wait_for_the_collector(no_collector):
    # One group: after the first frame all are decoded up to their points.
    with video_server(numbered_video(100, group=100)) as server:
        frames = [*iter_frames(VideoSource(server.url), [1.0, 2.0, 3.0])]

    assert len(frames) == 3
    assert not [each for each in gc.get_objects() if type(each) is VideoReader]
