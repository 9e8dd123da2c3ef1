"""The drawn library: what lies in its folder and whether the answers are right."""

import io
import json
import re
from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image as Picture

from demo.stash import drawing, plans
from demo.stash.library import load_library, read_recipe
from demo.stash.sprites import SPRITE_COUNT
from demo.stash.testing import TINY_WORLD, tiny_library
from demo.world import World

CUE = re.compile(r"(\S+) --> (\S+)\n(\w+)_sprite\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n")
TIME = re.compile(r"\d\d:\d\d:\d\d\.\d\d\d")


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def opened(path):
    return Picture.open(io.BytesIO(path.read_bytes()))


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_world_gives_the_same_library(stash_folder, tmp_path):
    again = tiny_library(tmp_path / "again")

    assert content(again.folder) == content(stash_folder)


def test_a_complete_library_is_not_drawn_again(stash_folder):
    before = (stash_folder / "library.json").stat().st_mtime_ns

    tiny_library(stash_folder)

    assert (stash_folder / "library.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("change", ["recipe", "world"])
def test_another_recipe_or_world_is_drawn_anew(tmp_path, monkeypatch, change):
    folder = tmp_path / "library"
    tiny_library(folder)
    old = read_recipe(folder)
    world = TINY_WORLD
    if change == "recipe":
        monkeypatch.setattr(plans, "RECIPE", plans.RECIPE + 1)
    else:
        world = World(seed=78, people_count=24)

    library = tiny_library(folder, world=world)

    assert read_recipe(folder) != old
    assert library.performers["1"].name == world.people[0].name
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_a_larger_world_of_the_same_people_changes_nothing(stash_folder):
    before = (stash_folder / "library.json").stat().st_mtime_ns

    tiny_library(stash_folder, world=World(TINY_WORLD.seed, 100))

    assert (stash_folder / "library.json").stat().st_mtime_ns == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(drawing.NotALibrary):
        tiny_library(tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_what_breaks_off_leaves_no_library(tmp_path):
    folder = tmp_path / "library"

    def interrupt(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawing.ensure_library(
            folder, plans.tiny_plan(TINY_WORLD), on_progress=interrupt
        )

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_start_left_is_cleared_away(tmp_path):
    (tmp_path / ".library.drawing-abc").mkdir()

    tiny_library(tmp_path / "library")

    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_progress_is_told_by_the_scene(tmp_path):
    heard = []

    drawing.ensure_library(
        tmp_path / "library",
        plans.tiny_plan(TINY_WORLD),
        on_progress=lambda done, total: heard.append((done, total)),
    )

    assert heard == [(0, 2), (1, 2), (2, 2)]


def test_files_are_what_their_rows_say(stash_library):
    for file in stash_library.files.values():
        path = stash_library.path_of(file)
        assert path.stat().st_size == file.size
        if file.is_video:
            frames = decoded(path)
            assert frames[0].shape == (file.height, file.width, 3)
            assert len(frames) == round(file.duration * file.frame_rate)
            assert (file.video_codec, file.audio_codec) == ("h264", "aac")
        else:
            assert opened(path).size == (file.width, file.height)


def test_keyframes_are_two_seconds_apart(stash_library):
    path = stash_library.path_of(stash_library.files["1"])

    with av.open(str(path)) as container:
        keyframes = [p.pts * p.time_base for p in container.demux(video=0)
                     if p.is_keyframe and p.pts is not None]  # fmt: skip

    assert [float(each) for each in keyframes] == [0, 2, 4, 6]


def test_the_answers_cover_what_is_not_title_or_blank(stash_library):
    for scene_id, appearances in stash_library.answers.items():
        file = stash_library.files[scene_id]
        frames = decoded(stash_library.path_of(file))
        for index, frame in enumerate(frames):
            seconds = index / file.frame_rate
            is_seen = any(a.begin <= seconds < a.end for a in appearances)
            # A title is nearly all of one dark colour, a drawing never.
            assert is_seen == (float(np.median(frame)) > 40), (scene_id, seconds)


def test_the_answers_name_the_cast_and_number_strangers(stash_library):
    people = TINY_WORLD.people

    def cast(scene_id):
        return {(a.universal_id, a.stranger) for a in stash_library.answers[scene_id]}

    assert cast("1") == {
        (people[0].universal_id, None), (people[1].universal_id, None)
    }  # fmt: skip
    assert cast("2") == {(people[2].universal_id, None), (None, 1)}
    assert stash_library.image_answers["4"] == [people[2].universal_id, None]


def test_the_answers_lie_in_the_folder(stash_folder):
    answers = json.loads((stash_folder / "answers.json").read_text())

    assert answers["scenes"]["2"][0].keys() == {
        "universal_id", "stranger", "begin", "end"
    }  # fmt: skip


def test_the_sprite_sheet_has_the_cells_of_the_cues(stash_library):
    file = stash_library.files["1"]
    sheet = opened(stash_library.sprite_path(file))
    text = stash_library.vtt_path(file).read_text()

    cues = CUE.findall(text)

    assert text.startswith("WEBVTT\n\n")
    assert len(cues) == SPRITE_COUNT
    assert {cue[2] for cue in cues} == {file.scene_hash}
    assert all(TIME.fullmatch(cue[0]) and TIME.fullmatch(cue[1]) for cue in cues)
    cells = [tuple(map(int, cue[3:])) for cue in cues]
    assert cells[0] == (0, 0, 160, 90)
    assert cells[80] == (8 * 160, 8 * 90, 160, 90)
    assert sheet.size == (9 * 160, 9 * 90)


def test_a_cell_shows_its_frame(stash_library):
    file = stash_library.files["1"]
    frames = decoded(stash_library.path_of(file))
    sheet = np.asarray(opened(stash_library.sprite_path(file)), np.float32)

    for cell in (0, 20, 40, 60, 80):
        row, column = divmod(cell, 9)
        shown = sheet[row * 90 : row * 90 + 90, column * 160 : column * 160 + 160]
        frame = Picture.fromarray(frames[cell * len(frames) // SPRITE_COUNT])
        wanted = np.asarray(frame.resize((160, 90)), np.float32)
        assert np.abs(shown - wanted).mean() < 12


def test_the_cover_is_the_frame_at_a_fifth(stash_library):
    file = stash_library.files["1"]
    cover = np.asarray(opened(stash_library.cover_path(file)), np.float32)
    frames = decoded(stash_library.path_of(file))

    assert np.abs(cover - frames[len(frames) // 5]).mean() < 12


def test_performers_have_their_ids_or_lack_them(stash_library):
    ids = {
        performer.id: [s.endpoint for s in performer.stash_ids]
        for performer in stash_library.performers.values()
    }
    person = TINY_WORLD.people[0]

    assert len(set(ids["2"])) == 2
    assert ids["4"] == []
    [own] = stash_library.performers["1"].stash_ids
    assert own.endpoint == f"https://{person.domain}/graphql"
    assert f"{person.domain}:{own.stash_id}" == person.universal_id


def test_a_loaded_library_is_its_own(stash_folder):
    first, second = load_library(stash_folder), load_library(stash_folder)

    first.scenes["1"].performer_ids.clear()

    assert second.scenes["1"].performer_ids == ["1"]


def test_the_default_library_holds_what_is_to_be_tried():
    plan = plans.default_plan(World(2026, 120))

    assert len(plan.scenes) == 8
    assert all(40 <= scene.seconds <= 90 for scene in plan.scenes)
    assert any(not scene.has_cover for scene in plan.scenes)
    assert any(not scene.has_sprite for scene in plan.scenes)
    assert any(not scene.tagged for scene in plan.scenes)
    assert any(scene.drawn_size[0] < scene.drawn_size[1] for scene in plan.scenes)
    assert len(plan.galleries) == 3


def test_a_take_shows_the_same_in_another_size(tmp_path):
    plan = plans.tiny_plan(TINY_WORLD)
    second = replace(plan.scenes[0], title="Again", size=(240, 134), take=0)
    plan = replace(plan, name="takes", scenes=(plan.scenes[0], second))

    library = drawing.ensure_library(tmp_path / "library", plan)

    first, again = (int(f.fingerprints["phash"], 16) for f in
                    (library.files["1"], library.files["2"]))  # fmt: skip
    assert (first ^ again).bit_count() <= 4
    assert library.answers["1"] == library.answers["2"]
    assert library.files["2"].width == 240


def test_a_world_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="14 people"):
        plans.default_plan(World(2026, 13))


def test_pictures_are_readable(stash_library):
    for performer in stash_library.performers.values():
        if performer.picture_name is not None:
            path = stash_library.folder / performer.picture_name
            assert opened(path).format == "JPEG"
