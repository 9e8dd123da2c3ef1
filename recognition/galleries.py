"""Who is in a gallery of Stash: its images fetched side by side, its people as one."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from recognition import fingerprints, registry
from recognition.calibrations import with_confidence
from recognition.correction_binding import SeenMedia, corrections_of
from recognition.exceptions import RecognitionError
from recognition.local_performers import LocalMatch, look_up
from recognition.models import Fingerprint
from recognition.numeric.people import Decision, SeenPerson
from recognition.pictures import decode_picture
from recognition.runtime.collector import (
    CollectedFaces,
    FaceCollector,
    FaceFilter,
    Look,
    look_at,
)
from recognition.runtime.people import (
    MatchedFaces,
    MatchingOptions,
    match_gallery_faces,
)
from recognition.runtime.recognizer import Timing, matches_of
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

    seen: SeenPerson
    match: LocalMatch
    image_ids: list[int]


@dataclass(frozen=True)
class IdentifiedGallery:
    """Who is in a gallery; the frames of its faces are positions in `image_ids`.

    `uncertain` are people with the performer that is likeliest, and without a name.
    """

    gallery_id: int
    release_version: str
    network_set: str
    image_ids: list[int]
    images_processed: int
    faces_detected: int
    collected: CollectedFaces
    performers: list[IdentifiedGalleryPerformer]
    uncertain: list[IdentifiedGalleryPerformer]
    unknown: list[SeenPerson]
    errors: list[str]
    timing: Timing
    fingerprint_error: str = ""


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
            media = SeenMedia(
                kind=Fingerprint.Kind.GALLERY,
                stash_id=self._gallery.id,
                network_set=self._networks.name,
                faces=collected.faces,
                image_ids=image_ids,
            )
            matched = match_gallery_faces(
                recognizer.database,
                collected.faces,
                self._options,
                corrections=corrections_of(media, recognizer.database.release),
            )
        matched = replace(
            matched, people=with_confidence(matched.people, self._options.mode)
        )
        performers, uncertain = self._localized(matched, image_ids)
        error = self._keep(matched, image_ids, len(image_ids) - len(errors))
        return IdentifiedGallery(
            gallery_id=self._gallery.id,
            release_version=recognizer.database.version,
            network_set=self._networks.name,
            image_ids=image_ids,
            images_processed=len(image_ids) - len(errors),
            faces_detected=faces_detected,
            collected=collected,
            performers=performers,
            uncertain=uncertain,
            unknown=[
                person
                for person in matched.people
                if person.decision is Decision.UNKNOWN
            ],
            errors=errors,
            timing=self._timing,
            fingerprint_error=error,
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

    def _keep(
        self, matched: MatchedFaces, image_ids: list[int], processed_count: int
    ) -> str:
        """Keep what was seen; return why that could not be, or ""."""
        return fingerprints.keep_or_tell(
            Fingerprint.Kind.GALLERY,
            self._gallery.id,
            matched,
            options=self._options,
            network_set=self._networks.name,
            image_ids=image_ids,
            frames_requested=len(image_ids),
            frames_analyzed=processed_count,
        )

    def _localized(
        self, matched: MatchedFaces, image_ids: list[int]
    ) -> tuple[list[IdentifiedGalleryPerformer], list[IdentifiedGalleryPerformer]]:
        """Return those with a name, and those who are uncertain."""
        people = [person for person in matched.people if person.candidates]
        matches = [matches_of(person, matched.database.release)[0] for person in people]
        local = look_up(self._client, matches, tagged=self._gallery.performers)
        told = [
            IdentifiedGalleryPerformer(
                person,
                match,
                [
                    image_ids[position]
                    for position in sorted(
                        {matched.faces[face].frame for face in person.faces}
                    )
                ],
            )
            for person, match in zip(people, local.localized(matches), strict=True)
        ]
        return (
            [each for each in told if each.seen.named],
            [each for each in told if not each.seen.named],
        )
