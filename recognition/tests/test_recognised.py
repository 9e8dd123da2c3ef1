"""Who is recognised in what is kept, as other parts of the service are told."""

import pytest
from django.utils import timezone

from recognition.models import Correction, Fingerprint, FingerprintPerson
from recognition.recognised import (
    count_recognised,
    evidence_seconds,
    performers_named_by_owner,
    recognised_after,
    recognised_in,
)
from recognition.tests.people_world import look_at

ADA, BEA = "stashdb.org:ada", "stashdb.org:bea"

pytestmark = pytest.mark.django_db


def fingerprint_of(stash_id, *people, kind="scene", **facts):
    row = Fingerprint.objects.create(
        kind=kind, stash_id=stash_id, **{"matched_at": timezone.now(), **facts}
    )
    for number, person in enumerate(people):
        FingerprintPerson.objects.create(
            fingerprint=row, number=number, frame_count=1, **person
        )
    return row


def known(universal_id, **facts):
    return {
        "universal_id": universal_id,
        "decision": "known",
        "confidence": 0.9,
        **facts,
    }


def correct(verdict, universal_id, **facts):
    return Correction.objects.create(
        kind="scene",
        stash_id=1,
        verdict=verdict,
        universal_id=universal_id,
        vectors=b"",
        **facts,
    )


def test_named_people_are_told_and_the_others_counted():
    nobody = [{"decision": each} for each in ("unknown", "unknown", "uncertain")]
    fingerprint_of(1, known(ADA), *nobody, {"decision": "ignored"})
    fingerprint_of(2, kind="image")

    media = recognised_in("scene", [1, 2, 3])

    assert [*media] == [1]
    assert [each.universal_id for each in media[1].people] == [ADA]
    assert media[1].people[0].released_id == ADA
    assert (media[1].unknown_count, media[1].uncertain_count) == (2, 1)


def test_a_rejected_name_is_left_out_until_the_rows_were_matched_again():
    row = fingerprint_of(1, known(ADA), known(BEA), is_match_due=True)
    correct("reject", ADA)

    (media,) = recognised_in("scene", [1]).values()
    assert [each.universal_id for each in media.people] == [BEA]

    # Matched with it, the name is somebody else's in the scene.
    Fingerprint.objects.filter(pk=row.pk).update(is_match_due=False)
    (media,) = recognised_in("scene", [1]).values()
    assert [each.universal_id for each in media.people] == [ADA, BEA]


def test_a_local_performer_is_told_with_whom_the_release_takes_them_for():
    def candidates(score):
        return [
            {"universal_id": "local:7", "name": "A", "score": 9.0, "distance": 0.1},
            {"universal_id": ADA, "name": "Ada", "score": score, "distance": 0.3},
        ]

    fingerprint_of(1, known("local:7", candidates=candidates(8.0)))
    fingerprint_of(2, known("local:7", candidates=candidates(1.0)))

    media = recognised_in("scene", [1, 2])

    told = [media[each].people[0] for each in (1, 2)]
    assert [each.local_performer_id for each in told] == [7, 7]
    assert [each.released_id for each in told] == [ADA, ""]


def test_it_goes_through_all_by_id_or_through_what_was_matched_since():
    before = timezone.now()
    for stash_id in (3, 1, 2):
        fingerprint_of(stash_id, known(ADA))
    fingerprint_of(4, matched_at=None)
    Fingerprint.objects.filter(stash_id=2).update(matched_at=before)

    assert [each.stash_id for each in recognised_after("scene", 0, limit=2)] == [1, 2]
    assert [each.stash_id for each in recognised_after("scene", 2, limit=2)] == [3]
    assert count_recognised("scene") == 3
    since = recognised_after("scene", 0, limit=9, matched_after=before)
    assert [each.stash_id for each in since] == [1, 3]


def test_evidence_is_when_faces_are_shown_and_nothing_where_they_cannot_be_read():
    shown = look_at(1, 5, faces_of_each=2)
    Fingerprint.objects.filter(pk=shown.pk).update(matched_at=timezone.now())
    FingerprintPerson.objects.create(
        fingerprint=shown, number=9, frame_count=2, faces=[0, 1, 99], **known(ADA)
    )
    bare = fingerprint_of(2, known(BEA, faces=[0]))

    (media,) = recognised_in("scene", [1]).values()
    (other,) = recognised_in("scene", [2]).values()

    assert evidence_seconds(shown.pk, media.people) == [[0.5, 1.5]]
    assert evidence_seconds(bare.pk, other.people) == [[]]


def test_whom_the_owner_named_is_told_until_it_is_undone():
    word = correct("name", ADA, local_performer_id=7)
    correct("name", BEA)

    assert performers_named_by_owner([ADA, BEA]) == {ADA: {7}}

    Correction.objects.filter(pk=word.pk).update(undone_at=timezone.now())
    assert performers_named_by_owner([ADA, BEA]) == {}
