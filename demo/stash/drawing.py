"""Draws a library into a folder, which is complete or absent.

The folder is filled beside its place and renamed. Rows are in `rows`; here are pixels.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np

from demo.brush import Picture
from demo.camera import encode_jpeg
from demo.seeds import Namespace, generator
from demo.stash import rows, sprites
from demo.stash.library import (
    MEDIA_DIR_NAME,
    Appearance,
    Library,
    MediaFile,
    load_library,
    read_recipe,
    save_library,
)
from demo.stash.plans import LibraryPlan, PicturePlan, ScenePlan
from demo.stash.shots import Member, Shot, draw_still, iter_frames, plan_shots
from demo.stash.video import Encoding, iter_video, write_video
from demo.world import invent_stranger

# Encoders and OpenCV leave Python free; more than a few would not make it faster.
_MOST_AT_ONCE = 4
_COVER_SHARE = 0.2

OnDrawProgress = Callable[[int, int], None]


class NotALibrary(Exception):
    """The folder holds something else; it was left as it is."""


def ignore_draw_progress(_done: int, _total: int, /) -> None:
    """Report progress to nobody."""


def ensure_library(
    folder: Path,
    plan: LibraryPlan,
    *,
    on_progress: OnDrawProgress = ignore_draw_progress,
) -> Library:
    """Return the folder's library, drawn first unless this very plan has been.

    `on_progress` hears how many scenes are drawn, and of how many, if any have to be.
    """
    if read_recipe(folder) != plan.recipe():
        _draw_library(folder, plan, on_progress)
    return load_library(folder)


def _draw_library(folder: Path, plan: LibraryPlan, on_progress: OnDrawProgress) -> None:
    is_taken = folder.exists() and any(folder.iterdir())
    if is_taken and read_recipe(folder) is None:
        raise NotALibrary(f"{folder} is not empty and holds no drawn library.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Left behind by a start that was killed.
    for old in folder.parent.glob(f".{folder.name}.drawing-*"):
        shutil.rmtree(old)
    draft = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.drawing-")
    library = Library(Path(draft))
    try:
        rows.fill_rows(library, plan)
        _draw_scenes(library, plan, on_progress)
        _draw_pictures(library, plan)
        save_library(library, recipe=plan.recipe())
        if folder.exists():
            shutil.rmtree(folder)
        library.folder.chmod(0o755)
        library.folder.rename(folder)
    except BaseException:
        shutil.rmtree(library.folder, ignore_errors=True)
        raise


def _draw_scenes(
    library: Library, plan: LibraryPlan, on_progress: OnDrawProgress
) -> None:
    for name in ("vtt", "screenshots"):
        (library.folder / "generated" / name).mkdir(parents=True)
    (library.folder / MEDIA_DIR_NAME / "scenes").mkdir(parents=True)
    total = len(plan.scenes)
    on_progress(0, total)
    # Of a few threads, but never more than this process may use cores.
    workers = min(_MOST_AT_ONCE, len(os.sched_getaffinity(0)))
    with ThreadPoolExecutor(workers) as pool:
        # The longest first, or one of them would be waited for at the end.
        order = sorted(range(total), key=lambda i: -plan.scenes[i].seconds)
        futures = {pool.submit(_draw_scene, library, plan, i): i for i in order}
        for done, future in enumerate(as_completed(futures), start=1):
            number = futures[future]
            files, appearances = future.result()
            scene = library.scenes[str(number + 1)]
            library.files |= {file.id: file for file in files}
            library.answers[scene.id] = appearances
            on_progress(done, total)
    library.files = dict(sorted(library.files.items(), key=lambda each: int(each[0])))
    library.answers = dict(sorted(library.answers.items()))


def _draw_scene(
    library: Library, plan: LibraryPlan, number: int
) -> tuple[list[MediaFile], list[Appearance]]:
    scene_plan = plan.scenes[number]
    shots = shots_of(plan, scene_plan, number)
    name = f"{MEDIA_DIR_NAME}/scenes/{rows.file_stem(scene_plan.title)}.mp4"
    frame_count = round(scene_plan.seconds * scene_plan.fps)
    keeper = _FrameKeeper(scene_plan.encoded_size, frame_count)
    frames = iter_frames(
        shots, size=scene_plan.drawn_size, fps=scene_plan.fps, title=scene_plan.title
    )
    write_video(
        library.folder / name,
        keeper.iter_kept(_resized(frames, scene_plan)),
        fps=scene_plan.fps,
        encoding=Encoding(
            codec=scene_plan.codec, is_fast_start=scene_plan.is_fast_start
        ),
    )
    file = rows.video_file(
        library.folder, name, file_id=str(number + 1), phash=keeper.phash()
    )
    keeper.write(library, file, fps=scene_plan.fps)
    files = [file, *_second_files(library, plan, number, file)]
    return files, list(appearances_in(shots))


def _second_files(
    library: Library, plan: LibraryPlan, number: int, first: MediaFile
) -> Iterator[MediaFile]:
    """Write the first file again in another size, if the plan has it so."""
    scene = plan.scenes[number]
    file_id = plan.second_file_id(number)
    if file_id is None or scene.second_size is None:
        return
    keeper = _FrameKeeper(scene.second_size, round(scene.seconds * scene.fps))
    name = f"{Path(first.name).with_suffix('')}-{scene.second_size[1]}p.mp4"
    frames = iter_video(library.path_of(first))
    shrunk = (sprites.shrink(frame, scene.second_size) for frame in frames)
    write_video(library.folder / name, keeper.iter_kept(shrunk), fps=scene.fps)
    yield rows.video_file(library.folder, name, file_id=file_id, phash=keeper.phash())


def shots_of(plan: LibraryPlan, scene: ScenePlan, number: int) -> list[Shot]:
    take = number if scene.take is None else scene.take
    people = [plan.world.people[plan.performers[i].person] for i in scene.cast]
    cast = [Member(person.identity, person.universal_id) for person in people]
    cast += [
        Member(invent_stranger(Namespace.STASH_STRANGER, i), stranger=i)
        for i in scene.strangers
    ]
    return plan_shots(
        cast,
        generator(Namespace.STASH_SHOT, plan.world.seed, take),
        seconds=scene.seconds,
        shot_seconds=plan.shot_seconds,
        title_seconds=plan.title_seconds,
        has_blank=True,
    )


def _resized(frames: Iterator[Picture], scene: ScenePlan) -> Iterator[Picture]:
    for frame in frames:
        if scene.encoded_size == scene.drawn_size:
            yield frame
        else:
            yield sprites.shrink(frame, scene.encoded_size)


def appearances_in(shots: Sequence[Shot]) -> Iterator[Appearance]:
    begin = 0.0
    for shot in shots:
        end = round(begin + shot.seconds, 3)
        for member in shot.cast:
            yield Appearance(member.universal_id, member.stranger, begin, end)
        begin = end


class _FrameKeeper:
    """Keeps what sprites, cover and phash are made of while frames pass by."""

    def __init__(self, size: tuple[int, int], frame_count: int) -> None:
        self._cell = sprites.cell_size(*size)
        self._frame_count = frame_count
        self._wanted = sprites.sprite_indices(frame_count)
        self._cells: list[Picture] = []
        self._cover: Picture | None = None

    def iter_kept(self, frames: Iterator[Picture]) -> Iterator[Picture]:
        cover_index = int(_COVER_SHARE * self._frame_count)
        for index, frame in enumerate(frames):
            if index == cover_index:
                self._cover = frame.copy()
            # A short video has fewer frames than cells: some are used twice.
            for _ in range(self._wanted.count(index)):
                self._cells.append(sprites.shrink(frame, self._cell))
            yield frame

    def phash(self) -> str:
        return sprites.phash(self._cells)

    def write(self, library: Library, file: MediaFile, *, fps: int) -> None:
        assert self._cover is not None, "a video of no frames"
        sheet = encode_jpeg(sprites.join_cells(self._cells), quality=95)
        library.sprite_path(file).write_bytes(sheet)
        vtt = sprites.sprite_vtt(
            file.scene_hash, cell=self._cell, frame_count=self._frame_count, fps=fps
        )
        library.vtt_path(file).write_text(vtt, encoding="utf-8")
        cover = encode_jpeg(self._cover, quality=92)
        library.cover_path(file).write_bytes(cover)


def _draw_pictures(library: Library, plan: LibraryPlan) -> None:
    """Draw galleries, single images and the performers' own pictures."""
    for number, (name, picture) in enumerate(rows.iter_pictures(plan), start=1):
        path = library.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_picture_jpeg(plan, picture, number))
        file = rows.image_file(
            library.folder,
            name,
            file_id=str(len(plan.scenes) + number),
            size=plan.picture_size,
        )
        library.files[file.id] = file
        ids: list[str | None] = [
            plan.world.people[plan.performers[i].person].universal_id
            for i in picture.cast
        ]
        library.image_answers[str(number)] = ids + [None] * len(picture.strangers)
    (library.folder / "performers").mkdir()
    for performer, performer_plan in zip(
        library.performers.values(), plan.performers, strict=True
    ):
        if performer.picture_name is not None:
            reference = next(plan.world.iter_references(performer_plan.person))
            (library.folder / performer.picture_name).write_bytes(reference.jpeg)


def _picture_jpeg(plan: LibraryPlan, picture: PicturePlan, number: int) -> bytes:
    rng = generator(Namespace.STASH_PICTURE, plan.world.seed, number)
    people = [plan.world.people[plan.performers[i].person] for i in picture.cast]
    identities = [person.identity for person in people]
    identities += [
        invent_stranger(Namespace.STASH_STRANGER, i) for i in picture.strangers
    ]
    still = draw_still(identities, rng, size=plan.picture_size)
    grain = rng.normal(0, 3.0, (*still.shape[:2], 1)).astype(np.float32)
    grained = cv2.add(still, np.repeat(grain, 3, axis=2), dtype=cv2.CV_8U)
    return encode_jpeg(np.asarray(grained, np.uint8), quality=90)
