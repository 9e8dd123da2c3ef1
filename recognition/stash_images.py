"""Who is in an image of Stash."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from recognition import fingerprints, registry
from recognition.correction_binding import SeenMedia, corrections_of
from recognition.evidence import (
    Observations,
    PictureShelf,
    candidate_count,
    observations_as_json,
    wanted_signals,
    weigh,
    with_calibrated_confidence,
)
from recognition.exceptions import MediaUnavailable
from recognition.local_performers import LocalMatch, look_up
from recognition.models import Fingerprint
from recognition.numeric.arrays import RgbImage
from recognition.numeric.people import Decision, SeenFace
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture
from recognition.runtime.collector import (
    CollectedFaces,
    FaceCollector,
    FaceFilter,
    Look,
    Turn,
    look_at,
)
from recognition.runtime.people import MatchedFaces, MatchingOptions, match_image_faces
from recognition.runtime.recognizer import Recognizer, Timing, matches_of
from recognition.runtime.signals import SignalResources
from recognition.services import inference_queue
from recognition.watching import Progress, Watcher, check_stop
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_types import StashImage

IMAGE_SECONDS = 30.0


@dataclass(frozen=True)
class IdentifiedFace:
    """A face of an image and who it may be, likeliest first."""

    face: SeenFace
    crop_jpeg: bytes
    matches: list[LocalMatch]
    decision: Decision


@dataclass(frozen=True)
class IdentifiedStashImage:
    """The faces of an image of Stash, and its size as displayed.

    Each face is a person, whose number in what is kept is its position.
    """

    image_id: int
    width: int
    height: int
    release_version: str
    network_set: str
    faces: list[IdentifiedFace]
    timing: Timing
    fingerprint_error: str = ""


def identify_stash_image(
    image_id: str,
    *,
    options: MatchingOptions,
    face_filter: FaceFilter,
    use_body: bool = True,
    use_tattoo: bool = True,
    watcher: Watcher | None = None,
    entrance: Turn | None = None,
) -> IdentifiedStashImage:
    """Return who is in the image, the surest detected face first.

    `entrance` is entered while it is looked at. Raises what StashClient.get_image does,
    MediaUnavailable, UnreadableImage, DatabaseNotLoaded, Busy, or IdentificationStopped
    by the watcher.
    """
    registry.require_served()
    client = configured_client()
    if watcher is not None:
        client = client.stopped_by(partial(check_stop, watcher))
    image = client.get_image(image_id)
    data = fetch_image(client, image)
    timing = Timing()
    with registry.in_use(), (entrance or inference_queue().slot)():
        recognizer = registry.recognizer()
        with timing.step("decode"):
            pixels = decode_picture(data)
        collected, look = _collected(recognizer, pixels, face_filter, timing)
        with timing.step("match"):
            signals = wanted_signals(
                recognizer.signals, body=use_body, tattoo=use_tattoo
            )
            shelf = PictureShelf(signals)
            shelf.offer(pixels, look.faces, first_position=0, scale=1.0)
            observations = shelf.observe()
            matched = _matched(
                recognizer, image, collected.faces, options, signals, observations
            )
    error = _keep(recognizer, image, pixels, matched, options, observations)
    told = _told(client, image, collected, matched)
    if watcher is not None:
        watcher.report(Progress(1, 1))
    return IdentifiedStashImage(
        image_id=image.id,
        width=pixels.shape[1],
        height=pixels.shape[0],
        release_version=recognizer.database.version,
        network_set=recognizer.networks.name,
        faces=told,
        timing=timing,
        fingerprint_error=error,
    )


def _collected(
    recognizer: Recognizer, pixels: RgbImage, face_filter: FaceFilter, timing: Timing
) -> tuple[CollectedFaces, Look]:
    """Return the faces with their embeddings, and where they were seen."""
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
    return collector.collect(), look


def _matched(
    recognizer: Recognizer,
    image: StashImage,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    signals: SignalResources,
    observations: Observations,
) -> MatchedFaces:
    """Return who they are, by the faces and by what else was seen of them."""
    top_k = candidate_count(options.top_k, signals)
    seen = SeenMedia(
        kind=Fingerprint.Kind.IMAGE,
        stash_id=image.id,
        network_set=recognizer.networks.name,
        faces=faces,
    )
    matched = match_image_faces(
        recognizer.database,
        faces,
        replace(options, top_k=top_k),
        corrections=corrections_of(seen, recognizer.database.release),
    )
    weighed = with_calibrated_confidence(
        weigh(matched, observations, signals, top_k=options.top_k), mode=options.mode
    )
    return replace(matched, people=[each.person for each in weighed])


def _keep(
    recognizer: Recognizer,
    image: StashImage,
    pixels: RgbImage,
    matched: MatchedFaces,
    options: MatchingOptions,
    observations: Observations,
) -> str:
    """Keep what was seen; return why that could not be, or ""."""
    height, width = pixels.shape[:2]
    return fingerprints.keep_or_tell(
        Fingerprint.Kind.IMAGE,
        image.id,
        matched,
        options=options,
        network_set=recognizer.networks.name,
        evidence=observations_as_json(observations),
        width=width,
        height=height,
        frames_requested=1,
        frames_analyzed=1,
    )


def _told(
    client: StashClient,
    image: StashImage,
    collected: CollectedFaces,
    matched: MatchedFaces,
) -> list[IdentifiedFace]:
    """Return each face with the performers of the library that it may show."""
    release = matched.database.release
    matches = [matches_of(person, release) for person in matched.people]
    local = look_up(
        client, (match for each in matches for match in each), tagged=image.performers
    )
    return [
        IdentifiedFace(face, jpeg, local.localized(found), person.decision)
        for face, jpeg, found, person in zip(
            collected.faces,
            collected.crop_jpegs,
            matches,
            matched.people,
            strict=True,
        )
    ]


def fetch_image(
    client: StashClient, image: StashImage, *, seconds: float = IMAGE_SECONDS
) -> bytes:
    """Return the image's file; raises MediaUnavailable or StashError."""
    if image.clip is not None:
        raise MediaUnavailable(f"Image {image.id} is a clip; stills alone are read.")
    if image.image_url is None:
        raise MediaUnavailable(f"Stash has no picture of image {image.id}.")
    media = client.fetch_media(
        image.image_url, max_bytes=MAX_PICTURE_BYTES, timeout_seconds=seconds
    )
    if media.is_placeholder:
        raise MediaUnavailable(f"Stash cannot find the file of image {image.id}.")
    return media.data
