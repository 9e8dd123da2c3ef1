"""Whom of a database the faces of a performer show, by where both are seen. PURE.

A performer is tagged in scenes and images, and in the same ones somebody is recognised.
Of each medium counts who is left once those are set aside who explain each other: a
tagged performer and a recognised person of the same id. Where one performer and one
person are left, that is one piece of evidence; where several are, a part of one.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

# Nothing is proposed for less than one whole piece: no name makes up for it.
MIN_SUPPORT = 1.0
# Of the media that could show the performer, so many have to show the same person.
MIN_SHARE = 0.75
MIN_CONFIDENCE = 0.5
# Somebody else who is in half as many of them is too many: two who always appear
# together cannot be told apart by that.
MAX_RIVAL = 0.5
# What a piece of evidence leaves of the doubt, and what an equal name does.
_DOUBT_LEFT_BY_PIECE = 0.5
_DOUBT_LEFT_BY_NAME = 0.5
# Media that are told of, the first ones.
MAX_MEDIA_TOLD = 20


@dataclass(frozen=True)
class Medium:
    kind: str
    id: int


@dataclass(frozen=True)
class Recognised:
    """Somebody seen; `local_performer_id` where they look like one of the library.

    `universal_id` is whom the database takes them for, "" for nobody.
    """

    universal_id: str
    name: str
    confidence: float
    local_performer_id: int | None = None

    @property
    def domain(self) -> str:
        return self.universal_id.rpartition(":")[0]


@dataclass
class Support:
    """What speaks for a performer's being somebody.

    support: pieces of evidence. weight: media, each by how many it could show.
    """

    universal_id: str
    name: str
    support: float = 0.0
    weight: float = 0.0
    certainty: float = 0.0
    alone_count: int = 0
    media: list[Medium] = field(default_factory=list)


@dataclass
class _Seen:
    """What was seen of a performer with the people of one stash-box."""

    weight: float = 0.0
    media_count: int = 0
    supports: dict[str, Support] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """Somebody of a database whom a performer may be.

    share: of the media that could show the performer, by weight, those that do.
    certainty: how sure recognition is of the faces, in the mean.
    rival: in how many media somebody else is, as a part of those that this one is in.
    """

    performer_id: int
    domain: str
    universal_id: str
    name: str
    support: float
    share: float
    certainty: float
    rival: float
    media: tuple[Medium, ...]
    alone_count: int
    contradicting_count: int
    name_agrees: bool

    @property
    def confidence(self) -> float:
        """Return how sure the link is, 0 to 1.

        share x certainty x (1 - 0.5^support); a name that agrees halves the doubt.
        """
        faces: float = 1 - _DOUBT_LEFT_BY_PIECE**self.support
        confidence = self.share * self.certainty * faces
        if self.name_agrees:
            confidence = 1 - (1 - confidence) * _DOUBT_LEFT_BY_NAME
        return round(min(max(confidence, 0.0), 1.0), 4)

    @property
    def is_worth_proposing(self) -> bool:
        return (
            self.support >= MIN_SUPPORT
            and self.share >= MIN_SHARE
            and self.rival <= MAX_RIVAL
            and self.confidence >= MIN_CONFIDENCE
        )


class Evidence:
    """What all media say of the performers who lack an id.

    `ids` are the universal ids that each performer of the library has.
    """

    def __init__(self, ids: Mapping[int, Set[str]]) -> None:
        self._ids = ids
        self._domains = {
            performer_id: {each.rpartition(":")[0] for each in own}
            for performer_id, own in ids.items()
        }
        self._seen: defaultdict[tuple[int, str], _Seen] = defaultdict(_Seen)

    def add(
        self, medium: Medium, tagged: Iterable[int], people: Sequence[Recognised]
    ) -> None:
        """Count in a scene or an image: who is tagged, and who is recognised."""
        performers = dict.fromkeys(each for each in tagged if each in self._ids)
        is_alone = len(performers) == 1
        left: list[Recognised] = []
        for person in people:
            local_id = person.local_performer_id
            if local_id is not None:
                # Their own faces: nobody else in the picture is in question.
                performers.pop(local_id, None)
                if person.universal_id and local_id in self._ids:
                    self._count(medium, [local_id], [person], is_alone=is_alone)
                continue
            owners = [
                own for own in performers if person.universal_id in self._ids[own]
            ]
            if not owners:
                left.append(person)
            for own in owners:
                performers.pop(own)
        self._count(medium, [*performers], left, is_alone=is_alone)

    def _count(
        self,
        medium: Medium,
        performers: Sequence[int],
        people: Sequence[Recognised],
        *,
        is_alone: bool,
    ) -> None:
        for domain in {person.domain for person in people}:
            # Whoever has another id there is somebody else.
            open_ones = [
                each for each in performers if domain not in self._domains[each]
            ]
            of_box = {
                each.universal_id: each for each in people if each.domain == domain
            }
            for performer_id in open_ones:
                seen = self._seen[performer_id, domain]
                weight = 1 / len(open_ones)
                seen.weight += weight
                seen.media_count += 1
                for person in of_box.values():
                    support = seen.supports.setdefault(
                        person.universal_id, Support(person.universal_id, person.name)
                    )
                    support.support += weight / len(of_box)
                    support.weight += weight
                    support.certainty += weight * person.confidence
                    support.alone_count += is_alone
                    support.media.append(medium)

    def candidates(self, names: Mapping[int, Sequence[str]]) -> Iterator[Candidate]:
        """Yield for each performer and stash-box whom they are likeliest, in order.

        Somebody whom a performer of the library has the id of is nobody's candidate,
        and counts against others. Of two performers who may be the same person, the
        likelier one has them.
        """
        taken = {universal_id for own in self._ids.values() for universal_id in own}
        best: dict[str, Candidate] = {}
        for (performer_id, domain), seen in self._seen.items():
            likely = max(
                (
                    self._candidate(performer_id, domain, seen, support, names)
                    for support in seen.supports.values()
                    if support.universal_id not in taken
                ),
                key=_likelihood,
                default=None,
            )
            if likely is None or not likely.is_worth_proposing:
                continue
            other = best.get(likely.universal_id)
            if other is None or _likelihood(likely) > _likelihood(other):
                best[likely.universal_id] = likely
        yield from sorted(
            best.values(), key=lambda each: (each.performer_id, each.domain)
        )

    def _candidate(
        self,
        performer_id: int,
        domain: str,
        seen: _Seen,
        support: Support,
        names: Mapping[int, Sequence[str]],
    ) -> Candidate:
        wanted = normalised_name(support.name)
        own = (normalised_name(each) for each in names.get(performer_id, ()))
        others = (each for each in seen.supports.values() if each is not support)
        rival = max((each.weight for each in others), default=0.0)
        return Candidate(
            performer_id=performer_id,
            domain=domain,
            universal_id=support.universal_id,
            name=support.name,
            support=round(support.support, 4),
            share=round(support.weight / seen.weight, 4),
            certainty=round(support.certainty / support.weight, 4),
            rival=round(rival / support.weight, 4),
            media=tuple(support.media),
            alone_count=support.alone_count,
            contradicting_count=seen.media_count - len(support.media),
            name_agrees=bool(wanted) and wanted in own,
        )


def normalised_name(name: str) -> str:
    """Return the name as it compares: whatever its letter case, width or spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _likelihood(candidate: Candidate) -> tuple[float, float, int, str]:
    # The older performer first, where nothing else tells them apart.
    return (
        candidate.confidence,
        candidate.support,
        -candidate.performer_id,
        candidate.universal_id,
    )
