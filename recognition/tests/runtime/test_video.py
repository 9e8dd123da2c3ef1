"""Frames of real videos, over real HTTP, from good servers and bad ones."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from recognition.exceptions import UnreadableVideo
from recognition.numeric.sampling import frame_timestamps
from recognition.runtime.video import FrameReport, VideoSource, iter_frames
from recognition.tests.videos import (
    RATE,
    audio_bytes,
    corner_picture,
    corners_of,
    noisy_video,
    number_in,
    numbered_picture,
    numbered_video,
    video_bytes,
    video_server,
)

HALF_A_FRAME = 0.5 / RATE
# A patient bound for what should come at once.
SOON_SECONDS = 10


def frames_of(body, points, *, report=None, **how):
    with video_server(body) as server:
        return [*iter_frames(VideoSource(server.url), points, report=report, **how)]


def numbers(frames):
    return [number_in(frame.image) for frame in frames]


def refusal(error, **how):
    """Return the message with which a server's answer is refused."""
    with video_server(**how) as server, pytest.raises(error) as caught:
        [*iter_frames(VideoSource(server.url), [0.5])]
    return str(caught.value)


@pytest.fixture(scope="module")
def ten_seconds():
    return numbered_video(10 * RATE)


def test_each_point_gets_the_keyframe_at_or_before_it(ten_seconds):
    report = FrameReport()

    frames = frames_of(ten_seconds, [0.5, 3.0, 7.9], report=report)

    assert numbers(frames) == [0, 75, 175]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 3, 7])
    assert report == FrameReport(
        requested=3, decoded=3, duration_seconds=10.0, width=192, height=128
    )


def test_the_container_is_opened_once_and_frames_cost_a_request_each(ten_seconds):
    with video_server(ten_seconds * 1) as server:
        [*iter_frames(VideoSource(server.url), frame_timestamps(10, 8))]

    assert len(server.requests) <= 10


def test_points_within_one_group_get_different_frames():
    frames = frames_of(numbered_video(200, group=100), [1.0, 2.0, 3.0, 6.0, 7.0])

    assert numbers(frames) == [0, 50, 75, 100, 175]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 2, 3, 4, 7])


def test_the_next_keyframe_is_taken_before_anything_is_decoded_up_to_the_point():
    # A keyframe at 0 and at 4 seconds; 5.5 is where the third point lies.
    frames = frames_of(numbered_video(200, group=100), [1.0, 3.5, 5.5])

    assert numbers(frames) == [0, 100, 137]


def test_as_many_frames_come_as_the_video_has():
    report = FrameReport()

    frames = frames_of(
        numbered_video(20, group=20), frame_timestamps(0.8, 60), report=report
    )

    # The points begin and end within the video: 0.04 to 0.76 s.
    assert numbers(frames) == [*range(20)]
    assert report.decoded == 20
    assert report.errors == []


def test_all_points_are_served_when_there_are_frames_enough():
    frames = frames_of(numbered_video(150, group=250), frame_timestamps(6, 60))

    assert len(frames) == 60
    assert len(set(numbers(frames))) == 60
    assert [frame.seconds for frame in frames] == sorted({f.seconds for f in frames})


def test_one_frame_is_one_frame(ten_seconds):
    (frame,) = frames_of(ten_seconds, frame_timestamps(10, 1))

    assert number_in(frame.image) == 125


def test_times_are_those_of_the_frames_where_the_rate_varies():
    times = [Fraction(t, 10) for t in (0, 1, 2, 3, 30, 31, 90, 95, 99)]
    video = numbered_video(len(times), times=times, group=100)

    frames = frames_of(video, [0.1, 2.5, 3.05, 9.7])

    assert numbers(frames) == [0, 3, 4, 7]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.3, 3.0, 9.5])


def test_a_scene_of_four_hours_keeps_its_times():
    times = [Fraction(600 * number) for number in range(24)]
    video = numbered_video(24, times=times, group=1)

    frames = frames_of(video, frame_timestamps(4 * 3600, 60))

    assert numbers(frames) == [*range(1, 24)]
    assert frames[-1].seconds == pytest.approx(23 * 600)


def test_the_function_for_the_points_is_given_the_videos_own_duration(ten_seconds):
    frames = frames_of(ten_seconds, lambda seconds: frame_timestamps(seconds, 3))

    assert numbers(frames) == [0, 125, 225]


def test_a_video_that_does_not_say_its_duration_is_measured():
    video = numbered_video(100, container="matroska", is_seekable=False)
    report = FrameReport()

    frames = frames_of(video, lambda seconds: [seconds / 2], report=report)

    assert report.duration_seconds == pytest.approx(4.0, abs=2 * HALF_A_FRAME)
    assert numbers(frames) == [50]


def test_points_behind_the_end_cost_nothing_but_themselves():
    report = FrameReport()
    with video_server(noisy_video()) as server:
        source = VideoSource(server.url)
        frames = [*iter_frames(source, frame_timestamps(40, 41), report=report)]

    assert [frame.seconds for frame in frames] == pytest.approx([2.0, 2.36])
    assert report.errors == []
    # Thirty-nine points lie behind the end; it is looked for once.
    assert len(server.requests) < 30


@pytest.mark.parametrize(
    ("rotation", "corners"),
    [
        ({"degrees": 0}, "rwwb"),
        ({"degrees": 90}, "wbrw"),
        ({"degrees": -90}, "wrbw"),
        ({"degrees": 180}, "bwwr"),
        ({"degrees": 0, "hflip": True}, "wrbw"),
    ],
    ids=str,
)
def test_a_frame_is_turned_as_a_player_turns_it(rotation, corners):
    video = video_bytes([corner_picture()] * 3, rotation=rotation)
    report = FrameReport()

    (frame,) = frames_of(video, [0.0], report=report)

    is_turned = rotation["degrees"] in (90, -90)
    assert corners_of(frame.image) == corners
    assert frame.image.shape == ((160, 96, 3) if is_turned else (96, 160, 3))
    assert (report.height, report.width) == frame.image.shape[:2]
    assert frame.image.flags["C_CONTIGUOUS"]


def test_a_portrait_video_stays_upright():
    picture = np.ascontiguousarray(corner_picture().transpose(1, 0, 2))

    (frame,) = frames_of(video_bytes([picture] * 2), [0.0])

    assert frame.image.shape == (160, 96, 3)
    assert corners_of(frame.image) == "rwwb"


@pytest.mark.parametrize(
    ("pixel_ratio", "shape"),
    [(Fraction(4, 3), (96, 213, 3)), (Fraction(1, 2), (192, 160, 3))],
    ids=str,
)
def test_pixels_that_are_not_square_become_so(pixel_ratio, shape):
    video = video_bytes([corner_picture()] * 2, pixel_ratio=pixel_ratio)

    (frame,) = frames_of(video, [0.0])

    assert frame.image.shape == shape
    assert corners_of(frame.image) == "rwwb"


@pytest.mark.parametrize(
    ("size", "colorspace"), [((96, 160), "ITU601"), ((720, 1280), "ITU709")], ids=str
)
def test_colours_are_those_a_player_shows(size, colorspace):
    picture = np.full((*size, 3), (200, 60, 40), np.uint8)

    (frame,) = frames_of(video_bytes([picture], colorspace=colorspace), [0.0])

    # Two conversions and the coding move a colour by a step or two.
    np.testing.assert_allclose(frame.image[10, 10], (200, 60, 40), atol=4)


def test_a_frame_of_8k_is_brought_down_as_asked():
    picture = numbered_picture(5).repeat(40, axis=0).repeat(40, axis=1)[:4320]
    report = FrameReport()

    (frame,) = frames_of(video_bytes([picture]), [0.0], max_side_px=1280, report=report)

    assert frame.image.shape == (720, 1280, 3)
    assert frame.scale == pytest.approx(1280 / 7680)
    assert (report.width, report.height) == (7680, 4320)
    assert number_in(frame.image) == 5


def test_a_small_frame_is_not_enlarged(ten_seconds):
    (frame,) = frames_of(ten_seconds, [0.0], max_side_px=1280)

    assert frame.image.shape == (128, 192, 3)
    assert frame.scale == 1


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        ("libx265", "mp4"),
        ("libsvtav1", "mp4"),
        ("libvpx-vp9", "webm"),
        ("mpeg4", "avi"),
        ("libx264", "matroska"),
        ("libx264", "mpegts"),
        ("libx264", "avi"),
        ("libx264", "flv"),
        ("mpeg2video", "mpeg"),
    ],
)
def test_formats_that_a_library_holds_are_read(codec, container):
    options = {"libx265": {"x265-params": "log-level=none"}}.get(codec, {})
    unit = Fraction(1, RATE)
    video = numbered_video(
        5 * RATE, codec=codec, container=container, options=options, unit=unit
    )

    frames = frames_of(video, [0.5, 1.2, 2.6, 2.8, 4.9])

    assert len(set(numbers(frames))) == 5
    # AVI counts its frames from the first that is stored, not the first shown.
    slack = 3 / RATE if container in ("avi", "mpeg") else HALF_A_FRAME
    for frame in frames:
        assert frame.seconds == pytest.approx(number_in(frame.image) / RATE, abs=slack)


def test_a_file_that_breaks_off_gives_the_frames_before(ten_seconds):
    report = FrameReport()

    frames = frames_of(
        ten_seconds[: len(ten_seconds) * 6 // 10],
        frame_timestamps(10, 10),
        report=report,
    )

    assert 4 <= len(frames) <= 7
    assert numbers(frames) == [25 * int(frame.seconds) for frame in frames]
    assert report.decoded == len(frames)


def test_a_broken_stretch_costs_its_frames_and_not_the_scene(ten_seconds):
    middle = len(ten_seconds) // 2
    hole = 1500
    broken = bytearray(ten_seconds)
    broken[middle : middle + hole] = bytes(hole)
    report = FrameReport()

    frames = frames_of(bytes(broken), [t + 0.5 for t in range(10)], report=report)

    assert 7 <= len(frames) < 10
    assert report.failed == 10 - len(frames)
    assert all(text.startswith("Failed to decode frame at") for text in report.errors)
    assert numbers(frames) == [round(RATE * frame.seconds) for frame in frames]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no video"),
        (b"<html>Please log in</html>", "no video"),
        (bytes(range(256)) * 400, "no video"),
        (audio_bytes(), "only sound"),
    ],
    ids=["empty", "a page", "garbage", "sound"],
)
def test_what_is_no_video_is_said_to_be_none(body, reason):
    assert reason in refusal(UnreadableVideo, body=body)


def test_a_keyframe_that_is_damaged_inside_is_not_shown():
    video = bytearray(noisy_video())
    with av.open(io.BytesIO(video), "r") as container:
        packets = [p for p in container.demux(video=0) if p.is_keyframe and p.size]
    middle = (packets[2].pos or 0) + packets[2].size // 2
    video[middle : middle + 2000] = bytes(2000)
    report = FrameReport()

    frames = frames_of(bytes(video), [0.1, 0.5, 0.9, 1.3], report=report)

    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.4, 1.2])
    assert report.errors == ["Failed to decode frame at 0.9s"]


def test_a_video_of_which_nothing_is_left_says_so():
    video = numbered_video(50)
    start = video.index(b"mdat") + 4
    broken = video[:start] + bytes(len(video) - start)

    message = refusal(UnreadableVideo, body=broken)

    assert message.startswith("No frame of the video could be decoded. Failed to")
