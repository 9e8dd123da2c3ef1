"""What is decided of a group of people, as corrections of each of them.

By these a name survives every later match and release. They are linked to the
decision, so that undoing it undoes them, wherever its people are by then.
"""

import logging
import time
from collections.abc import Iterable

from django.db.models import Q

from recognition import corrections, library_runs, people_members
from recognition.corrections import NOBODY, Performer
from recognition.exceptions import PersonNotFound
from recognition.models import (
    Fingerprint,
    GroupDecision,
    GroupDecisionMember,
    GroupMember,
    PeopleGroup,
)
from recognition.models.groups import GROUPABLE
from recognition.numeric.corrections import Verdict

logger = logging.getLogger(__name__)

# Matching a scene takes some hundredths of a second. What a large group leaves after
# this, the background does: nobody waits longer for a page.
EFFECT_SECONDS = 5.0

# A kind and an id of Stash.
Media = set[tuple[str, int]]


def note(
    decision: GroupDecision, verdict: Verdict, performer: Performer = NOBODY
) -> Media:
    """Keep what the decision says of each of the group's people; return where they are.

    Those without a name, and those whose name an earlier decision about groups gave.
    Whose faces cannot be read is passed over.
    """
    media = set()
    for member in _addressed(decision.group):
        assert member.person is not None
        try:
            correction = corrections.note(
                member.person, verdict, performer, by=decision.made_by
            )
        except PersonNotFound:
            logger.warning("Nothing could be said of %s", member)
            continue
        if correction is not None:
            said = GroupDecisionMember.objects.filter(decision=decision, member=member)
            said.update(correction=correction)
            media.add((correction.kind, correction.stash_id))
    return media


def withdraw(decision: GroupDecision, *, by: str) -> Media:
    """Take back what the decision said of people; return where they are."""
    media = set()
    for said in decision.said.exclude(correction=None).select_related("correction"):
        assert said.correction is not None
        corrections.withdraw(said.correction, by=by)
        media.add((said.correction.kind, said.correction.stash_id))
    return media


def put_into_effect(media: Media) -> None:
    """Match what is there with the corrections of now, and bind its members again.

    What takes too long, or cannot be done here, is left to the background.
    """
    until = time.monotonic() + EFFECT_SECONDS
    done = [
        time.monotonic() < until and corrections.put_into_effect(kind, stash_id)
        for kind, stash_id in sorted(media)
    ]
    people_members.bind_again(_fingerprints(media))
    if not all(done):
        library_runs.rematch_if_outdated()


def _addressed(group: PeopleGroup) -> Iterable[GroupMember]:
    members = GroupMember.objects.filter(group=group)
    people_members.bind_again(
        members.filter(person=None).values_list("fingerprint_id", flat=True)
    )
    named = GroupDecisionMember.objects.filter(
        correction__isnull=False, correction__undone_at=None
    )
    return members.filter(
        Q(person__decision__in=GROUPABLE)
        | Q(person__isnull=False, pk__in=named.values("member_id"))
    ).select_related("person__fingerprint")


def _fingerprints(media: Media) -> list[int]:
    rows = Fingerprint.objects.filter(stash_id__in=[each for _, each in media])
    return [
        pk
        for pk, kind, stash_id in rows.values_list("pk", "kind", "stash_id")
        if (kind, stash_id) in media
    ]
