"""Frames from sprite sheets as Stash 0.30 and 0.31 make them, and from bad ones."""

import numpy as np
import pytest

from recognition.exceptions import UnreadableVideo
from recognition.runtime.sprites import iter_sprite_frames


def clock(seconds):
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{rest:06.3f}"


def sprite_vtt(columns, rows, *, width=160, height=90, step=0.7, name="a_sprite.jpg"):
    cues = ["WEBVTT", ""]
    for number in range(columns * rows):
        x, y = number % columns * width, number // columns * height
        cues += [
            f"{clock(number * step)} --> {clock((number + 1) * step)}",
            f"{name}#xywh={x},{y},{width},{height}",
            "",
        ]
    return "\n".join(cues)


def sprite_sheet(columns, rows, *, width=160, height=90):
    """Return a sheet whose every cell is filled with its number."""
    numbers = np.arange(columns * rows, dtype=np.uint8).reshape(rows, columns)
    grey = numbers.repeat(height, axis=0).repeat(width, axis=1)
    return np.dstack([grey] * 3)


def frames_of(vtt, sheet, *, duration_seconds=60.0, count=81):
    return [
        *iter_sprite_frames(vtt, sheet, duration_seconds=duration_seconds, count=count)
    ]


def test_all_frames_of_a_sheet_come_in_order_at_their_real_times():
    frames = frames_of(sprite_vtt(9, 9), sprite_sheet(9, 9))

    assert [int(frame.image[0, 0, 0]) for frame in frames] == [*range(81)]
    assert {frame.image.shape for frame in frames} == {(90, 160, 3)}
    assert all(np.ptp(frame.image) == 0 for frame in frames)
    # The VTT says 56.0 for the last one.
    assert frames[-1].seconds == pytest.approx(80 * 60 / 81)


def test_fewer_frames_are_evenly_spread():
    frames = frames_of(sprite_vtt(9, 9), sprite_sheet(9, 9), count=5)

    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 20, 40, 60, 80]


def test_one_frame_is_the_middle_one():
    (frame,) = frames_of(sprite_vtt(9, 9), sprite_sheet(9, 9), count=1)

    assert frame.image[0, 0, 0] == 40


def test_a_portrait_sheet_of_another_grid_is_read_from_its_vtt():
    vtt = sprite_vtt(4, 4, width=90, height=160)

    frames = frames_of(vtt, sprite_sheet(4, 4, width=90, height=160), count=100)

    assert len(frames) == 16
    assert {frame.image.shape for frame in frames} == {(160, 90, 3)}


def test_without_a_duration_the_vtt_is_believed():
    frames = frames_of(sprite_vtt(3, 3), sprite_sheet(3, 3), duration_seconds=None)

    assert [frame.seconds for frame in frames[:3]] == pytest.approx([0, 0.7, 1.4])


def test_windows_line_ends_and_a_byte_order_mark_are_read():
    vtt = "\ufeff" + sprite_vtt(3, 3).replace("\n", "\r\n")

    assert len(frames_of(vtt, sprite_sheet(3, 3))) == 9


def test_the_name_in_the_vtt_is_never_opened(tmp_path):
    vtt = sprite_vtt(3, 3, name="../../../etc/passwd")

    frames = frames_of(vtt, sprite_sheet(3, 3))

    assert [int(frame.image[0, 0, 0]) for frame in frames] == [*range(9)]


CUE = "00:00:00.000 --> 00:00:01.000\n"
BAD = {
    "empty": ("", "WEBVTT"),
    "a login page": ("<html>Login</html>", "WEBVTT"),
    "no cues": ("WEBVTT\n\n", "no cues"),
    "a cue without a place": (f"WEBVTT\n\n{CUE}", "cue 1"),
    "subtitles": (f"WEBVTT\n\n{CUE}Good morning.\n", "cue 1"),
    "a negative place": (f"WEBVTT\n\n{CUE}a#xywh=-1,0,9,9\n", "cue 1"),
    "a place beyond counting": (f"WEBVTT\n\n{CUE}a#xywh=0,0,{'9' * 5000},9\n", "cue 1"),
    "no pixels": (f"WEBVTT\n\n{CUE}a#xywh=0,0,0,9\n", "no pixels"),
    "outside of the sheet": (sprite_vtt(9, 9), "reaches to"),
    "two sheets": (
        f"WEBVTT\n\n{CUE}a#xywh=0,0,9,9\n\n{CUE}b#xywh=9,0,9,9\n",
        "more than one sheet",
    ),
    "two sizes": (
        f"WEBVTT\n\n{CUE}a#xywh=0,0,9,9\n\n{CUE}a#xywh=9,0,8,9\n",
        "different sizes",
    ),
    "one place twice": (f"WEBVTT\n\n{CUE}a#xywh=0,0,9,9\n\n" * 2, "same place"),
    "too many cues": (sprite_vtt(40, 40, width=4, height=4), "1000 cues"),
    "too long": ("WEBVTT\n" + "NOTE\n" * 100_000, "characters"),
}


@pytest.mark.parametrize(("vtt", "reason"), BAD.values(), ids=BAD)
def test_a_bad_vtt_is_refused_with_the_reason(vtt, reason):
    with pytest.raises(UnreadableVideo, match=reason):
        frames_of(vtt, sprite_sheet(3, 3))


def test_a_frame_does_not_keep_the_sheet():
    sheet = sprite_sheet(3, 3)

    frames = frames_of(sprite_vtt(3, 3), sheet)

    assert not any(np.shares_memory(frame.image, sheet) for frame in frames)
