"""What recognition does for a caller: the rules, apart from HTTP and the shell."""

import functools
from dataclasses import dataclass

from django.conf import settings

from recognition import registry
from recognition.evidence import candidate_count, wanted_signals, weigh_faces
from recognition.inference_queue import InferenceQueue
from recognition.local_performers import LocalPerformers, look_up_in_configured
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture
from recognition.runtime.recognizer import RecognizedFace, Timing
from stashsense.integrations.safe_fetch import fetch_public
from stashsense.observability import trace

# Stash answers in well under a second; a picture elsewhere may come slowly.
PICTURE_FETCH_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class IdentifiedImage:
    """The faces of one picture, its size as displayed, and where the time went."""

    faces: list[RecognizedFace]
    local: LocalPerformers
    width: int
    height: int
    release_version: str
    timing: Timing


@functools.cache
def inference_queue() -> InferenceQueue:
    """Return the queue that every identification of this process passes."""
    return InferenceQueue(
        slots=settings.INFERENCE_SLOTS, waiting=settings.INFERENCE_QUEUE
    )


def identify_image(
    data: bytes,
    *,
    max_candidates: int,
    max_distance: float,
    min_face_confidence: float,
    use_body: bool = True,
    use_tattoo: bool = True,
) -> IdentifiedImage:
    """Return who is in the encoded picture, the surest detected face first.

    Raises UnreadableImage, DatabaseNotLoaded, or Busy when too many wait.
    """
    # Refused at once where there is nothing to identify with.
    registry.require_served()
    timing = Timing()
    # Decoding belongs inside: a waiting picture is held as bytes, not as pixels. And
    # who waits must not hold on to a release that is being replaced.
    with registry.in_use(), inference_queue().slot():
        recognizer = registry.recognizer()
        with timing.step("decode"):
            image = decode_picture(data)
        signals = wanted_signals(recognizer.signals, body=use_body, tattoo=use_tattoo)
        faces = recognizer.recognize(
            image,
            max_candidates=candidate_count(max_candidates, signals),
            max_distance=max_distance,
            min_face_confidence=min_face_confidence,
            timing=timing,
        )
        faces = weigh_faces(faces, image, signals, top_k=max_candidates)
    local = look_up_in_configured(m for face in faces for m in face.matches)
    height, width = image.shape[:2]
    return IdentifiedImage(
        faces=faces,
        local=local,
        width=width,
        height=height,
        release_version=recognizer.database.version,
        timing=timing,
    )


def fetch_picture(url: str) -> bytes:
    """Return the picture at the address, as it was sent.

    Raises FetchRefused for an address that is not to be asked, else FetchFailed.
    """
    with trace.stage("fetch"):
        return fetch_public(
            url,
            max_bytes=MAX_PICTURE_BYTES,
            timeout_seconds=PICTURE_FETCH_TIMEOUT_SECONDS,
            allowed_hosts=settings.ALLOWED_IMAGE_HOSTS,
        )
