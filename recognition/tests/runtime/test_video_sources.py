"""Videos from bad servers: refused, broken, silent; and what of a scene remains."""

import logging
import socket
import threading
import time

import numpy as np
import pytest

from recognition.exceptions import (
    MediaInterrupted,
    MediaMissing,
    MediaRefused,
    MediaUnavailable,
    MediaUnreachable,
    UnreadableVideo,
)
from recognition.numeric.sampling import frame_timestamps
from recognition.runtime.video import FrameReport, VideoSource, iter_frames
from recognition.tests.videos import (
    RATE,
    number_in,
    numbered_video,
    video_bytes,
    video_server,
)
from stashsense.tests.waiting import wait_until

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


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (401, MediaRefused, "API key"),
        (403, MediaRefused, "API key"),
        (404, MediaMissing, "404"),
        (418, MediaRefused, "4xx"),
        (429, MediaInterrupted, "later"),
        (500, MediaRefused, "5xx"),
    ],
)
def test_what_the_source_answers_is_told(status, error, reason):
    assert reason in refusal(error, status=status)


def test_a_source_that_is_not_there_is_told():
    with video_server() as server:
        source = VideoSource(server.url)

    with pytest.raises(MediaUnreachable, match="does not accept connections"):
        [*iter_frames(source, [0.5])]


def test_a_source_that_hangs_up_without_an_answer_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hanging_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hanging_up.start()
        source = VideoSource(f"http://127.0.0.1:{listener.getsockname()[1]}/stream")
        with pytest.raises(MediaInterrupted, match="broke the connection"):
            [*iter_frames(source, [0.5])]
        hanging_up.join()


def test_a_redirect_is_not_followed(ten_seconds):
    with video_server(ten_seconds) as elsewhere:
        message = refusal(MediaRefused, status=302, location=elsewhere.url)

    assert "redirect" in message
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
    ],
    ids=["hls", "concat"],
)
def test_a_playlist_opens_nothing(playlist, ten_seconds, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(ten_seconds)
    with video_server(ten_seconds) as elsewhere:
        for target in (elsewhere.url, tmp_path / "secret.mp4"):
            refusal(UnreadableVideo, body=playlist.format(target).encode())

    assert elsewhere.requests == []


def test_no_proxy_is_taken_from_the_environment(ten_seconds, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert len(frames_of(ten_seconds, [0.5])) == 1


def test_the_key_is_in_a_header_and_nowhere_else(ten_seconds, caplog):
    caplog.set_level(logging.DEBUG)
    with video_server(ten_seconds) as server:
        source = VideoSource(server.url, {"ApiKey": "tiptoe"})
        assert len([*iter_frames(source, [0.5, 5.0])]) == 2
        server.status = 401
        with pytest.raises(MediaUnavailable) as caught:
            [*iter_frames(source, [0.5])]

    assert {headers.get("ApiKey") for _, headers in server.requests} == {"tiptoe"}
    assert all("tiptoe" not in path for path, _ in server.requests)
    error = caught.value
    assert "tiptoe" not in f"{error}{error.__cause__}{source!r}{caplog.text}"


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("file:///etc/passwd", {}),
        ("/etc/passwd", {}),
        ("concat:http://a/b|/etc/passwd", {}),
        ("http://stash/scene/1/stream?ApiKey=tiptoe", {}),
        ("http://me:tiptoe@stash/scene/1/stream", {}),
        ("http://stash/scene/1/stream", {"ApiKey": "a\r\nHost: b"}),
    ],
)
def test_a_source_that_is_none_is_refused_before_anything_is_opened(url, headers):
    with pytest.raises(ValueError, match="video") as caught:
        VideoSource(url, headers)

    assert "tiptoe" not in str(caught.value)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_a_server_that_ignores_ranges_is_read_from_the_beginning(container):
    noise = np.random.default_rng(1)
    pictures = (noise.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(150))
    video = video_bytes(pictures, container=container)

    with video_server(video, obeys_range=False, closes=True) as server:
        report = FrameReport()
        frames = [
            *iter_frames(VideoSource(server.url), [0.5, 1.5, 3.5, 4.5], report=report)
        ]

    assert len(frames) >= 3
    assert all(frame.seconds == round(frame.seconds) for frame in frames)


def test_a_server_that_closes_every_connection_is_read_all_the_same(ten_seconds):
    with video_server(ten_seconds, closes=True) as server:
        frames = [*iter_frames(VideoSource(server.url), frame_timestamps(10, 10))]

    assert len(frames) == 10


def test_a_connection_that_breaks_is_made_again(ten_seconds):
    report = FrameReport()
    with video_server(
        ten_seconds, broken_answers=2, broken_after_bytes=len(ten_seconds) // 4
    ) as server:
        source = VideoSource(server.url)
        frames = [*iter_frames(source, frame_timestamps(10, 10), report=report)]

    assert len(frames) == 10
    assert report.errors == []


def lost_at_half(video, **how):
    """Return the report and the error of a scene that is lost in its middle."""
    report = FrameReport()
    with video_server(video, breaks_at_byte=len(video) // 2, **how) as server:
        source = VideoSource(server.url)
        with pytest.raises(MediaUnavailable) as caught:
            [*iter_frames(source, frame_timestamps(10, 20), report=report)]
    assert len(server.requests) < 100
    return report, caught.value


@pytest.mark.parametrize("container", ["mp4", "matroska"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (0, MediaUnreachable),
        (401, MediaRefused),
        (404, MediaMissing),
        (503, MediaRefused),
    ],
)
def test_a_source_that_is_lost_in_the_middle_ends_the_scene(container, answer, error):
    video = numbered_video(10 * RATE, container=container)

    report, raised = lost_at_half(video, status_after_break=answer)

    assert type(raised) is error
    assert 1 <= report.decoded < 20


def test_connections_that_go_on_breaking_end_the_scene(ten_seconds):
    report, raised = lost_at_half(ten_seconds)

    assert type(raised) is MediaInterrupted
    assert 1 <= report.decoded < 20


def test_a_stop_is_noticed_while_the_server_says_nothing(ten_seconds):
    half = len(ten_seconds) // 2
    with video_server(ten_seconds, silent_from_byte=half) as server:
        report = FrameReport()
        frames: list[object] = []
        for frame in iter_frames(
            VideoSource(server.url),
            frame_timestamps(10, 20),
            should_stop=lambda: len(frames) > 0 and server.stalled.is_set(),
            report=report,
        ):
            frames.append(frame)
            asked_at = time.monotonic()

    assert time.monotonic() - asked_at < SOON_SECONDS
    assert 1 <= len(frames) < 20
    assert report.is_cut_short


def test_the_time_limit_holds_while_the_server_says_nothing():
    begun = time.monotonic()
    with (
        video_server(b"", stalls_from_request=1) as server,
        pytest.raises(MediaInterrupted, match=r"within 0.3 seconds"),
    ):
        [*iter_frames(VideoSource(server.url), [0.5], deadline_seconds=0.3)]

    assert time.monotonic() - begun < SOON_SECONDS


def test_the_time_limit_keeps_the_frames_that_came_before(ten_seconds):
    report = FrameReport()
    half = len(ten_seconds) // 2
    with video_server(ten_seconds, silent_from_byte=half) as server:
        frames = [
            *iter_frames(
                VideoSource(server.url),
                frame_timestamps(10, 20),
                deadline_seconds=2,
                report=report,
            )
        ]

    assert 1 <= len(frames) < 20
    assert report.is_cut_short
    assert report.decoded == len(frames)
    assert report.errors == [f"Stopped after 2 s at frame {len(frames)} of 20"]


def test_the_time_limit_is_told_however_much_failed_before(ten_seconds):
    report = FrameReport(errors=["Failed before"] * 5)

    half = len(ten_seconds) // 2
    with video_server(ten_seconds, silent_from_byte=half) as server:
        source = VideoSource(server.url)
        [
            *iter_frames(
                source, frame_timestamps(10, 20), deadline_seconds=2, report=report
            )
        ]

    assert len(report.errors) == 5
    assert report.errors[-1].startswith("Stopped after 2 s at frame")


def test_a_time_limit_that_comes_after_the_last_frame_cuts_nothing(ten_seconds):
    report = FrameReport()
    with video_server(ten_seconds) as server:
        source = VideoSource(server.url)
        looking = iter_frames(source, [0.5, 5.0], deadline_seconds=2, report=report)
        began_at = time.monotonic()
        for _ in looking:
            if report.decoded == 2:
                wait_until(lambda: time.monotonic() > began_at + 2.1)

    assert report.decoded == 2
    assert not report.is_cut_short
    assert report.errors == []


def test_leaving_early_ends_the_decoding(ten_seconds):
    with video_server(ten_seconds) as server:
        frames = iter_frames(VideoSource(server.url), frame_timestamps(10, 60))
        next(frames)
        frames.close()

    assert not [t for t in threading.enumerate() if t.name == "video-frames"]
