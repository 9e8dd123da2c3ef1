"""Many random decisions, and every way in which what they speak of is matched again.

`benchmarks/corrections.py` does the same with a thousand of them.
"""

import random

import pytest

from recognition import corrections, registry, rematching
from recognition.models import Correction, Fingerprint, FingerprintPerson
from recognition.numeric.people import MatchingMode
from recognition.tests.stash_world import post
from recognition.tests.test_rematching import (  # noqa: F401
    _fresh_identities,
    next_release,
)

DECISIONS = 60
MEDIA: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("scene", "1", {"num_frames": 6}),
    ("scene", "2", {"num_frames": 6}),
    ("image", "1", {}),
    ("gallery", "1", {}),
)


def identify_all(client):
    for kind, stash_id, options in MEDIA:
        asked = {f"{kind}_id": stash_id, **options}
        assert post(client, f"/identify/{kind}", **asked).status_code == 200


def decide(rng, everybody):
    """Say something of somebody, as an owner might and as nobody would."""
    person = rng.choice([*FingerprintPerson.objects.order_by("pk")])
    proposed = [each["universal_id"] for each in person.candidates]
    anybody = rng.choice(everybody)
    active = [*Correction.objects.active().order_by("pk")]
    match rng.randrange(8):
        case 0 | 1 | 2 | 3:
            whom = rng.choice([*proposed, anybody])
            corrections.reject(person, whom, by="owner")
        case 4 | 5:
            corrections.name(person, universal_id=anybody, by="owner")
        case 6:
            corrections.ignore(person, by="owner")
        case _ if active:
            corrections.undo(rng.choice(active), by="owner")


def faults():
    """Return the corrections that hold and that are not heeded by what is kept."""
    found = []
    for correction in Correction.objects.active():
        fingerprint = Fingerprint.objects.get(
            kind=correction.kind, stash_id=correction.stash_id
        )
        for person in fingerprint.people.all():
            if not {*person.faces} & {*correction.positions}:
                continue
            proposed = {each["universal_id"] for each in person.candidates}
            is_heeded = {
                "reject": correction.universal_id not in proposed,
                "name": person.universal_id == correction.universal_id,
                "ignore": person.decision == "ignored",
            }[correction.verdict]
            if not is_heeded:
                found.append(str(correction))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_was_decided_comes_back(
    admin_client,
    stash,
    next_release,  # noqa: F811
    seed,
):
    identify_all(admin_client)
    release = registry.recognizer().database.release
    everybody = [
        release.performer(row).universal_id for row in range(release.performer_count)
    ]
    rng = random.Random(seed)
    for _ in range(DECISIONS):
        decide(rng, everybody)
        assert faults() == []
    held = Correction.objects.active().count()
    assert held > DECISIONS / 6

    for mode in MatchingMode:
        for row in Fingerprint.objects.all():
            row.options["mode"] = mode.value
            row.is_match_due = True
            row.save(update_fields=["options", "is_match_due"])
        rematching.rematch_slice(seconds=20)
        assert faults() == []
    next_release(lambda owner: owner if rng.random() > 0.2 else rng.choice(everybody))
    rematching.rematch_slice(seconds=20)
    assert faults() == []
    Fingerprint.objects.update(state="pending")
    identify_all(admin_client)
    assert faults() == []
    assert not Fingerprint.objects.filter(is_match_due=True).exists()
    assert Correction.objects.active().count() == held
    assert all(each.positions for each in Correction.objects.active())
