"""What the owner's corrections teach of performers of this Stash alone.

Of whom the release knows nothing is learnt: their faces are there.
"""

import logging

from recognition import local_faces
from recognition.correction_binding import SeenMedia, bound_faces
from recognition.local_performers import LOCAL_ONLY
from recognition.models import Correction, Fingerprint, LocalFace
from recognition.numeric.corrections import Verdict

logger = logging.getLogger(__name__)

_PERSON = LocalFace.Source.PERSON


def learn_or_forget(correction: Correction) -> None:
    """Learn the person it names after such a performer; forget them once it is undone.

    Nothing happens while local performers are switched off.
    """
    if not _is_of_local_performer(correction):
        return
    assert correction.local_performer_id is not None
    source_id = str(correction.pk)
    media = _find_media(correction) if correction.is_active else None
    if media is None:
        local_faces.forget_source(_PERSON, source_id)
        return
    local_faces.learn_person(
        correction.local_performer_id,
        correction.name,
        [media.faces[face] for face in sorted(bound_faces(media, correction))],
        network_set=media.network_set,
        source=_PERSON,
        source_id=source_id,
    )


def _is_of_local_performer(correction: Correction) -> bool:
    """Return whether it names one whom the release did not have when it was made."""
    return (
        correction.verdict == Verdict.NAME
        and correction.local_performer_id is not None
        and correction.universal_id.startswith(LOCAL_ONLY)
    )


def _find_media(correction: Correction) -> SeenMedia | None:
    fingerprint = (
        Fingerprint.objects.filter(
            kind=correction.kind, stash_id=correction.stash_id, packed__isnull=False
        )
        .select_related("packed")
        .first()
    )
    if fingerprint is None:
        return None
    try:
        return SeenMedia.of(fingerprint)
    except ValueError:
        logger.exception("The faces of %s cannot be read", fingerprint)
        return None
