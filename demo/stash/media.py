"""Which bytes lie behind the addresses of covers, sprites, streams and pictures."""

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.stash.library import Gallery, Image, Library, MediaFile, Scene

# What Stash sends in place of a picture that is not there: with 200, and no JPEG.
PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 90">'
    b'<rect width="160" height="90" fill="#394b59"/></svg>'
)
_SVG = "image/svg+xml"
_GENERATED = re.compile(r"([0-9a-f]*)_(sprite\.jpg|thumbs\.vtt)")


@dataclass(frozen=True)
class Media:
    """A file, or the bytes themselves, and what they are."""

    content: Path | bytes
    content_type: str
    has_ranges: bool = False


def find_media(library: Library, parts: Sequence[str]) -> Media | None:
    """Return what the parts of a path name, or None where there is nothing."""
    match list(parts):
        case ["scene", name] if (found := _GENERATED.fullmatch(name)) is not None:
            return _generated(library, _scene_of(library, found[1]), found[2])
        case ["scene", scene_id, *rest] if scene_id in library.scenes:
            return _scene_media(library, library.scenes[scene_id], rest)
        case ["image", image_id, "image" | "thumbnail" | "preview"]:
            return _picture(library, library.images.get(image_id))
        case ["gallery", gallery_id, *rest] if gallery_id in library.galleries:
            return _gallery_media(library, library.galleries[gallery_id], rest)
        case ["performer", performer_id, "image"]:
            performer = library.performers.get(performer_id)
            if performer is None:
                return None
            if performer.picture is not None:
                return Media(performer.picture, "image/jpeg")
            if performer.picture_name is None:
                return Media(PLACEHOLDER, _SVG)
            return _file(library.folder / performer.picture_name)
        case ["studio" | "tag" as kind, row_id, "image"]:
            is_known = row_id in (library.studios if kind == "studio" else library.tags)
            return Media(PLACEHOLDER, _SVG) if is_known else None
    return None


def _scene_of(library: Library, scene_hash: str) -> Scene | None:
    for scene in library.scenes.values():
        file = library.primary_file(scene)
        if file is not None and file.scene_hash == scene_hash:
            return scene
    return None


def _scene_media(library: Library, scene: Scene, rest: Sequence[str]) -> Media | None:
    file = library.primary_file(scene)
    match list(rest):
        case ["screenshot"]:
            return _cover(library, scene, file)
        case ["stream" | "stream.mp4"] if file is not None:
            return _file(library.path_of(file), has_ranges=True)
        case ["vtt", "sprite"]:
            return _generated(library, scene, "sprite.jpg")
        case ["vtt", "thumbs"]:
            return _generated(library, scene, "thumbs.vtt")
    return None


def _cover(library: Library, scene: Scene, file: MediaFile | None) -> Media:
    if scene.cover_image is not None:
        return Media(scene.cover_image, "image/jpeg")
    if not scene.has_cover or file is None:
        return Media(PLACEHOLDER, _SVG)
    return _file(library.cover_path(file)) or Media(PLACEHOLDER, _SVG)


def _generated(library: Library, scene: Scene | None, kind: str) -> Media | None:
    file = library.primary_file(scene) if scene is not None else None
    if scene is None or file is None or not scene.has_sprite:
        return None
    if kind == "sprite.jpg":
        return _file(library.sprite_path(file))
    return _file(library.vtt_path(file))


def _gallery_media(
    library: Library, gallery: Gallery, rest: Sequence[str]
) -> Media | None:
    images = library.images_of(gallery.id)
    match list(rest):
        case ["cover"]:
            return _picture(library, images[0]) if images else None
        case ["preview", index] if index.isdecimal() and int(index) < len(images):
            return _picture(library, images[int(index)])
    return None


def _picture(library: Library, row: Image | None) -> Media | None:
    file = library.primary_file(row) if row is not None else None
    return None if file is None else _file(library.path_of(file))


def _file(path: Path, *, has_ranges: bool = False) -> Media | None:
    if not path.is_file():
        return None
    kind = "text/vtt" if path.suffix == ".vtt" else mimetypes.guess_type(path.name)[0]
    return Media(path, kind or "application/octet-stream", has_ranges)
