"""Who is in an image of Stash."""

from contextlib import nullcontext
from dataclasses import dataclass

from recognition import registry
from recognition.exceptions import MediaUnavailable
from recognition.local_performers import LocalMatch, look_up
from recognition.numeric.people import SeenFace
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture
from recognition.runtime.collector import FaceCollector, FaceFilter, look_at
from recognition.runtime.people import MatchingOptions, people_in_image
from recognition.runtime.recognizer import Match, Timing
from recognition.services import inference_queue
from stashsense.integrations.stash import StashClient, StashImage, configured_client

IMAGE_SECONDS = 30.0


@dataclass(frozen=True)
class IdentifiedFace:
    """A face of an image and who it may be, nearest first."""

    face: SeenFace
    crop_jpeg: bytes
    matches: list[LocalMatch]


@dataclass(frozen=True)
class IdentifiedStashImage:
    """The faces of an image of Stash, and its size as displayed."""

    image_id: str
    width: int
    height: int
    release_version: str
    network_set: str
    faces: list[IdentifiedFace]
    timing: Timing


def identify_stash_image(
    image_id: str, *, options: MatchingOptions, face_filter: FaceFilter
) -> IdentifiedStashImage:
    """Return who is in the image, the surest detected face first.

    Raises what StashClient.get_image does, MediaUnavailable, UnreadableImage,
    DatabaseNotLoaded, or Busy.
    """
    registry.recognizer()
    client = configured_client()
    image = client.get_image(image_id)
    data = fetch_image(client, image)
    timing = Timing()
    with inference_queue().slot():
        recognizer = registry.recognizer()
        with timing.step("decode"):
            pixels = decode_picture(data)
        look = look_at(
            recognizer.networks,
            pixels,
            face_filter=face_filter,
            frame=0,
            seconds=None,
            timing=timing,
        )
        collector = FaceCollector(
            recognizer.networks,
            turn=nullcontext,  # entered already
            timing=timing,
        )
        collector.add(look.faces)
        collected = collector.collect()
        with timing.step("match"):
            people = people_in_image(recognizer.database, collected.faces, options)
    release = recognizer.database.release
    matches = [
        [Match(release.performer(each.performer), each) for each in person.candidates]
        for person in people
    ]
    local = look_up(
        client,
        (match for each in matches for match in each),
        tagged=image.performers,
    )
    height, width = pixels.shape[:2]
    return IdentifiedStashImage(
        image_id=image.id,
        width=width,
        height=height,
        release_version=recognizer.database.version,
        network_set=recognizer.networks.name,
        faces=[
            IdentifiedFace(face, jpeg, local.localized(found))
            for face, jpeg, found in zip(
                collected.faces, collected.crop_jpegs, matches, strict=True
            )
        ],
        timing=timing,
    )


def fetch_image(client: StashClient, image: StashImage) -> bytes:
    """Return the image's file; raises MediaUnavailable or StashError."""
    if image.image_url is None:
        raise MediaUnavailable(f"Stash has no picture of image {image.id}.")
    media = client.fetch_media(
        image.image_url, max_bytes=MAX_PICTURE_BYTES, timeout_seconds=IMAGE_SECONDS
    )
    return media.data
