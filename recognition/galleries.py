"""Who is in a gallery of Stash: its images fetched side by side, its people as one."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from recognition import fingerprints, registry, watching
from recognition.calibrations import with_confidence
from recognition.correction_binding import SeenMedia, corrections_of
from recognition.exceptions import (
    DatabaseNotLoaded,
    IdentificationStopped,
    RecognitionError,
)
from recognition.local_performers import LocalMatch, look_up
from recognition.models import Fingerprint
from recognition.numeric.people import Decision, SeenPerson
from recognition.pictures import decode_picture
from recognition.runtime.collector import (
    CollectedFaces,
    FaceCollector,
    FaceFilter,
    Look,
    Turn,
    look_at,
)
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.people import (
    MatchedFaces,
    MatchingOptions,
    match_gallery_faces,
)
from recognition.runtime.recognizer import Timing, matches_of
from recognition.scenes import current_recognizer, scene_gate
from recognition.services import inference_queue
from recognition.stash_images import fetch_image
from recognition.watching import Nobody, Progress, Watcher, check_stop
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_types import StashGallery, StashImage

# Fetched and decoded at the same time; one of 64 megapixels takes 200 MB.
CONCURRENT_IMAGES = 4
# The people of a large gallery take long to tell apart: of the time that passes until
# they are told again, telling them is a tenth.
_TELLING_SHARE = 0.1


@dataclass(frozen=True)
class IdentifiedGalleryPerson:
    """Somebody in a gallery: who it may be, likeliest first, and in which images.

    `number` is theirs in what is kept of the gallery.
    """

    number: int
    seen: SeenPerson
    matches: list[LocalMatch]
    image_ids: list[int]


@dataclass(frozen=True)
class GalleryProgress(Progress):
    """How far a gallery is, and its people so far.

    They refer to `collected.faces` by position.
    """

    collected: CollectedFaces
    people: list[IdentifiedGalleryPerson]


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
    people: list[IdentifiedGalleryPerson]
    errors: list[str]
    timing: Timing
    fingerprint_error: str = ""

    def people_who_are(self, decision: Decision) -> list[IdentifiedGalleryPerson]:
        """Return those of whom this was decided."""
        return [each for each in self.people if each.seen.decision is decision]


def identify_gallery(
    gallery_id: str,
    *,
    options: MatchingOptions,
    face_filter: FaceFilter,
    watcher: Watcher | None = None,
    entrance: Turn | None = None,
) -> IdentifiedGallery:
    """Return who is in the images; `entrance` is entered while they are looked at.

    An image that cannot be had or read costs itself and is told in `errors`. Raises
    what StashClient.get_gallery does, DatabaseNotLoaded, Busy, or IdentificationStopped
    by the watcher.
    """
    registry.require_served()
    client = configured_client()
    if watcher is not None:
        client = client.stopped_by(partial(check_stop, watcher))
    gallery = client.get_gallery(gallery_id)
    with registry.in_use(), (entrance or scene_gate().slot)():
        return _Identification(
            client, gallery, options, face_filter, watcher or Nobody()
        ).run()


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
        watcher: Watcher,
    ) -> None:
        self._client = client
        self._gallery = gallery
        self._options = options
        self._filter = face_filter
        self._watcher = watcher
        self._timing = Timing()
        self._networks = registry.recognizer().networks
        self._collector = FaceCollector(
            self._networks,
            turn=inference_queue().turn,
            timing=self._timing,
        )

        self._image_ids: list[int] = []
        self._people_due_at = time.monotonic() + watching.PEOPLE_SO_FAR_SECONDS

    def run(self) -> IdentifiedGallery:
        errors: list[str] = []
        faces_detected = 0
        for image, seen in self._seen_images():
            check_stop(self._watcher)
            self._image_ids.append(image.id)
            self._timing.add(seen.timing)
            if seen.look is None:
                errors.append(f"Image {image.id}: {seen.error}")
            else:
                faces_detected += len(seen.look.faces)
                self._collector.add(seen.look.faces)
            self._watcher.report(self._progress())
        collected = self._collector.collect()
        recognizer = current_recognizer(self._networks, watcher=self._watcher)
        check_stop(self._watcher)
        with self._timing.step("match"):
            matched = self._matched(collected, recognizer.database)
        processed_count = len(self._image_ids) - len(errors)
        people = self._people(matched)
        error = self._keep(matched, processed_count)
        self._watcher.report(Progress(len(self._image_ids), len(self._image_ids)))
        return IdentifiedGallery(
            gallery_id=self._gallery.id,
            release_version=recognizer.database.version,
            network_set=self._networks.name,
            image_ids=self._image_ids,
            images_processed=processed_count,
            faces_detected=faces_detected,
            collected=collected,
            people=people,
            errors=errors,
            timing=self._timing,
            fingerprint_error=error,
        )

    def _progress(self) -> Progress:
        done = len(self._image_ids)
        asked = max(done, self._gallery.image_count)
        began = time.monotonic()
        if (
            not self._watcher.wants_people()
            or began < self._people_due_at
            or done == asked
        ):
            return Progress(done, asked)
        try:
            recognizer = registry.recognizer()
        except DatabaseNotLoaded:
            return Progress(done, asked)
        if recognizer.networks.name != self._networks.name:
            return Progress(done, asked)
        collected = self._collector.collect()
        with self._timing.step("match"):
            people = self._people(self._matched(collected, recognizer.database))
        ended = time.monotonic()
        self._people_due_at = ended + max(
            watching.PEOPLE_SO_FAR_SECONDS, (ended - began) / _TELLING_SHARE
        )
        return GalleryProgress(done, asked, collected, people)

    def _matched(
        self, collected: CollectedFaces, database: FaceDatabase
    ) -> MatchedFaces:
        """Return the people of the faces so far, as the owner has corrected them."""
        media = SeenMedia(
            kind=Fingerprint.Kind.GALLERY,
            stash_id=self._gallery.id,
            network_set=self._networks.name,
            faces=collected.faces,
            image_ids=self._image_ids,
        )
        matched = match_gallery_faces(
            database,
            collected.faces,
            self._options,
            corrections=corrections_of(media, database.release),
        )
        return replace(
            matched, people=with_confidence(matched.people, self._options.mode)
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
            check_stop(self._watcher)
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
        except IdentificationStopped:
            raise
        except (StashError, RecognitionError) as error:
            return _Seen(None, str(error), timing)
        return _Seen(look, "", timing)

    def _keep(self, matched: MatchedFaces, processed_count: int) -> str:
        """Keep what was seen; return why that could not be, or ""."""
        return fingerprints.keep_or_tell(
            Fingerprint.Kind.GALLERY,
            self._gallery.id,
            matched,
            options=self._options,
            network_set=self._networks.name,
            image_ids=self._image_ids,
            frames_requested=len(self._image_ids),
            frames_analyzed=processed_count,
        )

    def _people(self, matched: MatchedFaces) -> list[IdentifiedGalleryPerson]:
        """Return everybody with what this Stash knows of who they may be."""
        matches = [
            matches_of(person, matched.database.release) for person in matched.people
        ]
        local = look_up(
            self._client,
            (match for found in matches for match in found),
            tagged=self._gallery.performers,
        )
        return [
            IdentifiedGalleryPerson(
                number,
                person,
                local.localized(found),
                [
                    self._image_ids[position]
                    for position in sorted(
                        {matched.faces[face].frame for face in person.faces}
                    )
                ],
            )
            for number, (person, found) in enumerate(
                zip(matched.people, matches, strict=True)
            )
        ]
