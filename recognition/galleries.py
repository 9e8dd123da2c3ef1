"""Who is in a gallery of Stash: its images fetched side by side, its people as one."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from recognition import registry
from recognition.calibrations import current_calibration
from recognition.exceptions import RecognitionError
from recognition.local_performers import LocalMatch, look_up
from recognition.numeric.calibration import Calibration
from recognition.numeric.gallery_matching import GalleryPerformer
from recognition.numeric.people import PersonCandidate, SeenPerson
from recognition.pictures import decode_picture
from recognition.runtime.collector import (
    CollectedFaces,
    FaceCollector,
    FaceFilter,
    Look,
    look_at,
)
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.people import MatchingOptions, people_in_gallery
from recognition.runtime.recognizer import Match, Timing
from recognition.scenes import current_recognizer, scene_gate
from recognition.services import inference_queue
from recognition.stash_images import fetch_image
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_types import StashGallery, StashImage

# Fetched and decoded at the same time; one of 64 megapixels takes 200 MB.
CONCURRENT_IMAGES = 4
# The predecessor's figure; more are counted and not told.
MAX_ERRORS = 10


@dataclass(frozen=True)
class IdentifiedGalleryPerformer:
    """A performer seen in a gallery, and in which of its images."""

    seen: GalleryPerformer
    match: LocalMatch
    image_ids: list[int]


@dataclass(frozen=True)
class IdentifiedGallery:
    """Who is in a gallery; the frames of its faces are positions in `image_ids`."""

    gallery_id: int
    release_version: str
    network_set: str
    image_ids: list[int]
    images_processed: int
    faces_detected: int
    collected: CollectedFaces
    performers: list[IdentifiedGalleryPerformer]
    unknown: list[SeenPerson]
    errors: list[str]
    timing: Timing


def identify_gallery(
    gallery_id: str, *, options: MatchingOptions, face_filter: FaceFilter
) -> IdentifiedGallery:
    """Return who is in the images of the gallery.

    An image that cannot be had or read costs itself and is told in `errors`. Raises
    what StashClient.get_gallery does, DatabaseNotLoaded, or Busy.
    """
    registry.require_served()
    client = configured_client()
    gallery = client.get_gallery(gallery_id)
    with registry.in_use(), scene_gate().slot():
        return _Identification(client, gallery, options, face_filter).run()


@dataclass
class _Seen:
    """What came of one image: its faces, or why there are none."""

    look: Look | None
    error: str = ""
    timing: Timing = field(default_factory=Timing)


class _Identification:
    """One gallery on its way from images to people."""

    def __init__(
        self,
        client: StashClient,
        gallery: StashGallery,
        options: MatchingOptions,
        face_filter: FaceFilter,
    ) -> None:
        self._client = client
        self._gallery = gallery
        self._options = options
        self._filter = face_filter
        self._timing = Timing()
        self._networks = registry.recognizer().networks
        self._collector = FaceCollector(
            self._networks,
            turn=inference_queue().turn,
            timing=self._timing,
        )

    def run(self) -> IdentifiedGallery:
        image_ids: list[int] = []
        errors: list[str] = []
        faces_detected = 0
        for image, seen in self._seen_images():
            image_ids.append(image.id)
            self._timing.add(seen.timing)
            if seen.look is None:
                errors.append(f"Image {image.id}: {seen.error}")
                continue
            faces_detected += len(seen.look.faces)
            self._collector.add(seen.look.faces)
        collected = self._collector.collect()
        recognizer = current_recognizer(self._networks)
        with self._timing.step("match"):
            people = people_in_gallery(
                recognizer.database, collected.faces, self._options
            )
        performers = self._named(recognizer.database, people.performers, image_ids)
        return IdentifiedGallery(
            gallery_id=self._gallery.id,
            release_version=recognizer.database.version,
            network_set=self._networks.name,
            image_ids=image_ids,
            images_processed=len(image_ids) - len(errors),
            faces_detected=faces_detected,
            collected=collected,
            performers=performers,
            unknown=people.unknown,
            errors=errors,
            timing=self._timing,
        )

    def _seen_images(self) -> Iterator[tuple[StashImage, _Seen]]:
        """Yield each image and what came of it, in order, some steps ahead."""
        ahead: deque[tuple[StashImage, Future[_Seen]]] = deque()
        with ThreadPoolExecutor(CONCURRENT_IMAGES, "gallery") as pool:
            try:
                images = self._client.iter_gallery_images(self._gallery.id)
                for position, image in enumerate(images):
                    ahead.append((image, pool.submit(self._see, image, position)))
                    if len(ahead) > CONCURRENT_IMAGES:
                        first, seen = ahead.popleft()
                        yield first, seen.result()
                while ahead:
                    first, seen = ahead.popleft()
                    yield first, seen.result()
            finally:
                for _, seen in ahead:
                    seen.cancel()

    def _see(self, image: StashImage, position: int) -> _Seen:
        timing = Timing()
        try:
            with timing.step("fetch"):
                data = fetch_image(self._client, image)
            with timing.step("decode"):
                pixels = decode_picture(data)
            with inference_queue().turn():
                look = look_at(
                    self._networks,
                    pixels,
                    face_filter=self._filter,
                    frame=position,
                    seconds=None,
                    timing=timing,
                )
        except (StashError, RecognitionError) as error:
            return _Seen(None, str(error), timing)
        return _Seen(look, "", timing)

    def _named(
        self,
        database: FaceDatabase,
        performers: list[GalleryPerformer],
        image_ids: list[int],
    ) -> list[IdentifiedGalleryPerformer]:
        calibration = current_calibration(self._options.mode)
        performers = [_confident(seen, calibration) for seen in performers]
        matches = [
            Match(database.release.performer(seen.performer), _candidate(seen))
            for seen in performers
        ]
        local = look_up(self._client, matches, tagged=self._gallery.performers)
        return [
            IdentifiedGalleryPerformer(
                seen, match, [image_ids[position] for position in seen.images]
            )
            for seen, match in zip(performers, local.localized(matches), strict=True)
        ]


def _confident(
    seen: GalleryPerformer, calibration: Calibration | None
) -> GalleryPerformer:
    """Return the performer with the confidence that the calibration tells."""
    if calibration is None:
        return seen
    return replace(seen, confidence=calibration.probability(seen.confidence))


def _candidate(seen: GalleryPerformer) -> PersonCandidate:
    return PersonCandidate(
        performer=seen.performer,
        distance=seen.best_distance,
        facenet_distance=None,
        arcface_distance=None,
        confidence=seen.confidence,
        frame_count=seen.image_count,
    )
