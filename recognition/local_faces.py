"""The faces of local performers in the database: learnt, forgotten, erased.

Whatever changes them here gives them another revision, by which every serving process
sees, within a second, that it is to compare with others (`local_following`).
All of it does nothing, quietly, while the owner has local performers switched off.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from numpy.typing import NDArray

from recognition import local_files, preferences
from recognition.exceptions import LocalPerformerNotFound
from recognition.models import LocalFace, LocalIndex, LocalPerformer
from recognition.numeric.people import SeenFace
from stashsense.integrations.stash_types import PicturedPerformer
from stashsense.preferences.models import Preference
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

State = LocalPerformer.State
Source = LocalFace.Source

# Of one source the best: the frames of a scene show much the same face, and five
# already span the poses of it.
MAX_FACES_PER_SOURCE = 5
# SQLite takes 32,766 values in a query, older ones 999.
IDS_PER_QUERY = 900


def learn_person(
    local_performer_id: int,
    name: str,
    faces: Sequence[SeenFace],
    *,
    network_set: str,
    source: str,
    source_id: str,
) -> None:
    """Keep the faces of somebody for a performer of Stash, whom they then identify.

    What was learnt from this source before, for whomever, is forgotten: telling twice
    is as telling once. Of many faces the best are kept; those whose embeddings are no
    numbers, none.
    """
    with in_turn():
        if not _hold_enabled():
            return
        forgotten = _delete(Q(source=source, source_id=source_id))
        rows = _face_rows(faces, network_set, source, source_id)
        if rows:
            performer, _ = LocalPerformer.objects.update_or_create(
                stash_id=local_performer_id,
                defaults={"name": name[:255], "state": State.LEARNT},
            )
            _insert(performer, rows)
        _note_change({*forgotten, *([network_set] if rows else [])})


def forget_source(source: str, source_id: str) -> None:
    """Erase what was learnt from this source; nothing happens if nothing was."""
    with in_turn():
        _note_change(_delete(Q(source=source, source_id=source_id)))


def learn_pictures(
    local_performer_id: int,
    name: str,
    pictures: Iterable[tuple[str, str, SeenFace]],
    *,
    network_set: str,
    learnt_from: str,
) -> int:
    """Keep what a performer's own pictures show in place of what earlier ones did.

    `pictures` are (source, source id, face). Returns how many faces are kept; what the
    owner told of them stays. Nothing happens for one who was left out meanwhile.
    """
    with in_turn():
        if not _hold_enabled():
            return 0
        performer, _ = LocalPerformer.objects.get_or_create(
            stash_id=local_performer_id, defaults={"name": name[:255]}
        )
        if performer.state == State.LEFT_OUT:
            return 0
        is_renamed = performer.name != name[:255]
        changed = _delete(
            Q(performer=performer, source__in=[Source.PICTURE, Source.IMAGE])
        )
        rows = [
            row
            for source, source_id, face in pictures
            for row in _face_rows([face], network_set, source, source_id)
        ]
        _insert(performer, rows)
        has_faces = bool(rows) or performer.faces.exists()
        LocalPerformer.objects.filter(pk=performer.pk).update(
            name=name[:255],
            state=State.LEARNT if has_faces else State.NO_FACES,
            learnt_from=learnt_from,
            synced_at=timezone.now(),
        )
        if rows or (is_renamed and has_faces):
            changed.add(network_set)
        _note_change(changed)
    return len(rows)


def leave_out(local_performer_id: int) -> None:
    """Erase a performer's faces for good: no run learns them again by itself.

    Raises LocalPerformerNotFound.
    """
    with in_turn():
        rows = LocalPerformer.objects.filter(stash_id=local_performer_id)
        if not rows.update(state=State.LEFT_OUT, learnt_from=""):
            raise _not_found(local_performer_id)
        _note_change(_delete(Q(performer__stash_id=local_performer_id)))
    logger.info("Local performer %d was forgotten", local_performer_id)


def learn_again(local_performer_id: int) -> None:
    """Have the next run look at a performer's pictures, also if they were left out.

    Raises LocalPerformerNotFound.
    """
    rows = LocalPerformer.objects.filter(stash_id=local_performer_id)
    rows.filter(state=State.LEFT_OUT).update(state=State.NO_FACES)
    if not rows.update(learnt_from=""):
        raise _not_found(local_performer_id)


def learnt_from(performer: PicturedPerformer, network_set: str) -> str:
    """Return what tells whether a performer is worth another look.

    Of images only the count: who is tagged in another one, or in one less, is looked
    at again; who was alone in an image and no more is not.
    """
    moment = performer.updated_at.isoformat()
    return f"{moment} {performer.image_count} {network_set}"


def forget_performers(local_performer_ids: Iterable[int]) -> int:
    """Erase performers whom Stash or the release made superfluous; return how many."""
    ids = sorted({*local_performer_ids})
    count = 0
    for start in range(0, len(ids), IDS_PER_QUERY):
        with in_turn():
            chunk = ids[start : start + IDS_PER_QUERY]
            changed = _delete(Q(performer__stash_id__in=chunk))
            _, deleted = LocalPerformer.objects.filter(stash_id__in=chunk).delete()
            count += deleted.get(LocalPerformer._meta.label, 0)
            _note_change(changed)
    return count


def erase_all() -> None:
    """Erase every local performer and face, and their files."""
    with in_turn():
        LocalFace.objects.all().delete()
        LocalPerformer.objects.all().delete()
        LocalIndex.objects.all().delete()
        _remove_files_on_commit()
        transaction.on_commit(_look_at_once)
    logger.info("All local performers were erased")


def current_revision(network_set: str) -> str:
    """Return which local faces are to be compared now, "" for none."""
    rows = LocalIndex.objects.filter(network_set=network_set)
    return rows.values_list("revision", flat=True).first() or ""


def _not_found(local_performer_id: int) -> LocalPerformerNotFound:
    return LocalPerformerNotFound(
        f"No local performer has the id {local_performer_id}."
    )


def _hold_enabled() -> bool:
    """Return whether it is on, and have it stay so until the transaction ends.

    The row itself: the cached setting is half a second old, and who switches off
    erases in the same transaction.
    """
    row = (
        Preference.objects.select_for_update()
        .filter(key=preferences.LOCAL_PERFORMERS)
        .first()
    )
    return row is not None and row.value is True


def _face_rows(
    faces: Sequence[SeenFace], network_set: str, source: str, source_id: str
) -> list[LocalFace]:
    """Return the best of the faces as rows that lack a performer."""
    usable = [
        face for face in faces if _is_usable(face.facenet) and _is_usable(face.arcface)
    ]
    best = sorted(usable, key=lambda face: face.quality, reverse=True)
    return [
        LocalFace(
            source=source,
            source_id=source_id,
            network_set=network_set,
            facenet=_packed(face.facenet),
            arcface=_packed(face.arcface),
            quality=face.quality,
        )
        for face in best[:MAX_FACES_PER_SOURCE]
    ]


def _is_usable(embedding: NDArray[np.float32]) -> bool:
    """Return whether it points anywhere: NaN and zeros do not."""
    length = _length(embedding)
    return bool(np.isfinite(length) and length > np.finfo(np.float32).tiny)


def _packed(embedding: NDArray[np.float32]) -> bytes:
    return (embedding / _length(embedding)).astype("<f2").tobytes()


def _length(embedding: NDArray[np.float32]) -> np.floating:
    # Squares of single precision may be none of it.
    return np.linalg.norm(embedding.astype(np.float64))


def _insert(performer: LocalPerformer, rows: Sequence[LocalFace]) -> None:
    for row in rows:
        row.performer = performer
    LocalFace.objects.bulk_create(rows)


def _delete(which: Q) -> set[str]:
    """Delete faces; return the sets of networks they were of.

    A performer of whom nothing is left has no faces to be told by.
    """
    faces = LocalFace.objects.filter(which)
    changed = {*faces.order_by().values_list("network_set", flat=True).distinct()}
    if not changed:
        return changed
    performers = {*faces.order_by().values_list("performer", flat=True).distinct()}
    faces.delete()
    _remove_files_on_commit()
    LocalPerformer.objects.filter(
        pk__in=performers, state=State.LEARNT, faces=None
    ).update(state=State.NO_FACES)
    return changed


def _note_change(network_sets: set[str]) -> None:
    """Give what was changed another revision, and have this process look at it."""
    for network_set in network_sets:
        if LocalFace.objects.filter(network_set=network_set).exists():
            LocalIndex.objects.update_or_create(
                network_set=network_set, defaults={"revision": uuid.uuid4().hex}
            )
        else:
            LocalIndex.objects.filter(network_set=network_set).delete()
    if network_sets:
        transaction.on_commit(_look_at_once)


def _remove_files_on_commit() -> None:
    # Robust: a file that cannot be deleted is logged, and the rows are gone.
    transaction.on_commit(local_files.remove_outdated, robust=True)


def _look_at_once() -> None:
    # Where this process serves; few do, and fewer have ONNX Runtime loaded.
    from recognition import registry

    registry.look_at_once()
