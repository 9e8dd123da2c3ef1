"""How well a scene of a stash-box agrees with one of ours, by fingerprints. PURE.

MD5 is left out everywhere: stash-boxes do not look for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recommendations.phashes import parse_phash
from stashsense.integrations.stash_library_types import LibraryFile
from stashsense.integrations.stashbox_types import BoxFingerprint, BoxScene

# Boxes answer with what is within their own distance. Beyond 8 of 64 bits a pHash is
# another scene's as often as not: see MAX_PHASH_DISTANCE of duplicate scenes, 10, of
# which the last two are worth next to nothing there.
MAX_PHASH_DISTANCE = 8
# A pHash one bit off counts 15/16 of a fingerprint, one 8 bits off half of one.
_WEIGHT_PER_BIT = 1 / 16
# Mean difference up to which durations agree; containers round and cut this much.
MAX_DURATION_DIFFERENCE_SECONDS = 5.0
# What is left of the confidence where they do not: another cut, or another scene.
DISAGREEING_DURATION_FACTOR = 0.7


@dataclass(frozen=True)
class LocalFingerprint:
    """A fingerprint of one of a scene's files, with that file's duration."""

    fingerprint: BoxFingerprint
    duration_seconds: float

    @property
    def key(self) -> tuple[str, str]:
        return self.fingerprint.algorithm, self.fingerprint.hash


@dataclass(frozen=True)
class FingerprintMatch:
    """A fingerprint of ours and the nearest of a box's scene; `distance` in bits."""

    local: LocalFingerprint
    upstream: BoxFingerprint
    distance: int

    @property
    def is_exact(self) -> bool:
        return self.distance == 0

    @property
    def weight(self) -> float:
        return 1 - self.distance * _WEIGHT_PER_BIT


@dataclass(frozen=True)
class SceneMatch:
    """A scene of a box that shares fingerprints with ours.

    `percentage` is of our fingerprints, each by its weight. `durations_agree` is None
    where nobody knows one of them.
    """

    scene: BoxScene
    matches: tuple[FingerprintMatch, ...]
    local_count: int
    durations_agree: bool | None

    @property
    def percentage(self) -> float:
        total = sum(each.weight for each in self.matches)
        return round(100 * total / self.local_count, 1)

    @property
    def submission_count(self) -> int:
        return sum(each.upstream.submissions for each in self.matches)

    @property
    def confidence(self) -> float:
        factor = DISAGREEING_DURATION_FACTOR if self.durations_agree is False else 1
        return round(min(self.percentage / 100, 1.0) * factor, 4)

    def is_sure(self, *, min_count: int, min_percentage: float) -> bool:
        """Return whether it may be accepted unseen, if it is the only candidate.

        Never with other durations: fingerprints of two cuts are near each other.
        """
        return (
            self.durations_agree is not False
            and len(self.matches) >= min_count
            and self.percentage >= min_percentage
        )


def local_fingerprints(files: Iterable[LibraryFile]) -> list[LocalFingerprint]:
    """Return what a box can look for of all of a scene's files, each hash once."""
    found: dict[tuple[str, str], LocalFingerprint] = {}
    for file in files:
        for each in file.fingerprints:
            fingerprint = BoxFingerprint.from_stash(each.kind, each.value)
            if fingerprint is not None:
                local = LocalFingerprint(fingerprint, file.duration_seconds)
                found.setdefault(local.key, local)
    return list(found.values())


def match_scene(
    local: Sequence[LocalFingerprint], scene: BoxScene
) -> SceneMatch | None:
    """Return how the scene agrees; None where no fingerprint is near enough."""
    matches = tuple(
        match for each in local if (match := _nearest(each, scene)) is not None
    )
    if not matches:
        return None
    return SceneMatch(scene, matches, len(local), _durations_agree(matches, scene))


def _nearest(local: LocalFingerprint, scene: BoxScene) -> FingerprintMatch | None:
    best: FingerprintMatch | None = None
    for upstream in scene.fingerprints:
        distance = _distance(local.fingerprint, upstream)
        if distance is None:
            continue
        is_better = (
            best is None
            or distance < best.distance
            # Of equal ones, whom more people submitted.
            or (
                distance == best.distance
                and upstream.submissions > best.upstream.submissions
            )
        )
        if is_better:
            best = FingerprintMatch(local, upstream, distance)
    return best


def _distance(local: BoxFingerprint, upstream: BoxFingerprint) -> int | None:
    """Return by how many bits they differ; None where that is too many."""
    if local.algorithm != upstream.algorithm:
        return None
    if local.is_same_hash(upstream):
        return 0
    mine, theirs = parse_phash(local.hash), parse_phash(upstream.hash)
    if local.algorithm != "PHASH" or mine is None or theirs is None:
        return None
    distance = (mine ^ theirs).bit_count()
    return distance if distance <= MAX_PHASH_DISTANCE else None


def _durations_agree(
    matches: Sequence[FingerprintMatch], scene: BoxScene
) -> bool | None:
    differences = []
    for match in matches:
        upstream = match.upstream.duration_seconds or scene.duration_seconds
        if upstream and match.local.duration_seconds > 0:
            differences.append(abs(match.local.duration_seconds - upstream))
    if not differences:
        return None
    mean = sum(differences) / len(differences)
    return mean <= MAX_DURATION_DIFFERENCE_SECONDS
