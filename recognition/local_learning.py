"""Learning a performer of the library from pictures that show them and nobody else.

Runs where the networks are. Pictures are looked at and let go of: embeddings stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from recognition import local_faces, preferences, registry
from recognition.exceptions import (
    LocalPerformersDisabled,
    MediaUnavailable,
    UnreadableImage,
)
from recognition.models import LocalFace
from recognition.numeric.people import SeenFace
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture
from recognition.runtime.collector import FaceCollector, FaceFilter, look_at
from recognition.runtime.networks import Networks
from recognition.runtime.recognizer import Timing
from recognition.services import inference_queue
from recognition.stash_images import fetch_image
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashMediaTooLarge, StashNotFound
from stashsense.integrations.stash_types import PicturedPerformer

Source = LocalFace.Source

# With their own picture nine faces at most, more than releases have of most
# performers. Each further one costs Stash a file and a CPU a third of a second.
MAX_IMAGES = 8
PICTURE_SECONDS = 10.0
# As for identification; a bystander who is less sure would be one there, too.
FACE_FILTER = FaceFilter(min_confidence=0.5, min_size_px=40)


@dataclass(frozen=True)
class LearntPerformer:
    """How many faces of a performer are kept, and why other pictures did not do."""

    stash_id: int
    name: str
    face_count: int
    passed_over: list[str] = field(default_factory=list)


def learn_performer(performer_id: int) -> LearntPerformer:
    """Look at a performer's pictures and keep what they show in place of before.

    A picture that cannot be had or read, or that shows no face or several, is passed
    over. Raises LocalPerformersDisabled, DatabaseNotLoaded, or StashError; what was
    learnt before stays then.
    """
    if not preferences.is_local_performers_enabled():
        raise LocalPerformersDisabled("Local performers are switched off.")
    registry.require_served()
    client = configured_client()
    performer = client.get_performer(performer_id)
    with registry.in_use():
        learning = _Learning(client, registry.recognizer().networks)
        pictures = [*learning.pictures(performer)]
    face_count = local_faces.learn_pictures(
        performer.id,
        performer.name,
        pictures,
        network_set=learning.networks.name,
        learnt_from=local_faces.learnt_from(performer, learning.networks.name),
    )
    return LearntPerformer(
        performer.id, performer.name, face_count, learning.passed_over
    )


class _Learning:
    """One performer on the way from pictures to faces."""

    def __init__(self, client: StashClient, networks: Networks) -> None:
        self.networks = networks
        self.passed_over: list[str] = []
        self._client = client
        self._timing = Timing()
        self._collector = FaceCollector(
            networks, turn=inference_queue().turn, timing=self._timing
        )

    def pictures(
        self, performer: PicturedPerformer
    ) -> Iterator[tuple[str, str, SeenFace]]:
        """Yield source, source id and the face of each picture that shows one."""
        sources = [
            (source, source_id)
            for source, source_id, data in self._fetched(performer)
            if self._has_one_face(f"{source} {source_id}", data)
        ]
        for origin, face in zip(sources, self._collector.collect().faces, strict=True):
            yield *origin, face

    def _fetched(
        self, performer: PicturedPerformer
    ) -> Iterator[tuple[str, str, bytes]]:
        """Yield source, source id and content of the pictures that can be had."""
        if performer.has_own_image and performer.image_url:
            source_id = str(performer.id)
            data = self._fetch_own(performer.image_url, f"picture {source_id}")
            if data is not None:
                yield Source.PICTURE, source_id, data
        if not performer.image_count:
            return
        for image in self._client.find_images_alone(performer.id, limit=MAX_IMAGES):
            try:
                data = fetch_image(self._client, image, seconds=PICTURE_SECONDS)
            except (MediaUnavailable, StashNotFound, StashMediaTooLarge) as error:
                self.passed_over.append(f"image {image.id}: {error}")
            else:
                yield Source.IMAGE, str(image.id), data

    def _fetch_own(self, url: str, what: str) -> bytes | None:
        try:
            media = self._client.fetch_media(
                url, max_bytes=MAX_PICTURE_BYTES, timeout_seconds=PICTURE_SECONDS
            )
        except (StashNotFound, StashMediaTooLarge) as error:
            self.passed_over.append(f"{what}: {error}")
            return None
        if media.is_placeholder:
            self.passed_over.append(f"{what}: Stash sent a drawing in its place.")
            return None
        return media.data

    def _has_one_face(self, what: str, data: bytes) -> bool:
        """Have the picture's face embedded, if it has one and no other."""
        try:
            pixels = decode_picture(data)
        except UnreadableImage as error:
            self.passed_over.append(f"{what}: {error}")
            return False
        with inference_queue().turn():
            look = look_at(
                self.networks,
                pixels,
                face_filter=FACE_FILTER,
                frame=0,
                seconds=None,
                timing=self._timing,
            )
        if look.detected_count != 1 or len(look.faces) != 1:
            large = len(look.faces)
            self.passed_over.append(
                f"{what}: {look.detected_count} faces, {large} of them large enough."
            )
            return False
        self._collector.add(look.faces)
        return True
