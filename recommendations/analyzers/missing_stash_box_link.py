"""Performers without an id at a stash-box, whose faces are known there.

By what recognition kept of scenes and images and by who is tagged in them; what is
evidence and what it is worth is `recommendations.link_evidence`. A name alone is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from recognition.recognised import RecognisedMedia, recognised_after, recognised_in
from recommendations import findings
from recommendations.analyzers.base import (
    EVERYWHERE,
    Analyzer,
    Finding,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.causes import cause_of
from recommendations.endpoints import all_endpoints
from recommendations.link_evidence import (
    MAX_MEDIA_TOLD,
    Candidate,
    Evidence,
    Medium,
    Recognised,
)
from stashsense.integrations.stash_library import LEAN_PAGE_SIZE, StashLibrary
from stashsense.integrations.stash_library_types import PerformerName, PerformerRow
from stashsense.integrations.stash_tags import TaggedKind, iter_tagged_among

TYPE = "missing_stash_box_link"
_IMAGES_A_STEP = 200
_FINDINGS_A_STEP = 200


class MissingStashBoxLinks(Analyzer):
    """One recommendation for a performer and a stash-box.

    Every pass counts the whole library: a hundred thousand scenes are a hundred
    questions to Stash. A later slice counts again and goes on where it was.
    """

    type = TYPE
    display_name = "Missing stash-box links"
    description = "Performers whose faces a stash-box's performer has, without its id."
    # Another person is another matter.
    reopens_when_changed = True

    def analyze(self, work: Work) -> Steps:
        """Count the evidence, then yield whom it names, by ascending performer."""
        library = StashLibrary(work.stash)
        endpoints = {each.domain: each.endpoint for each in all_endpoints().enabled}
        if not endpoints:
            yield Step(sweeps=[EVERYWHERE], note="Stash has no stash-box enabled.")
            return
        performers: dict[int, PerformerName] = {}
        for performer in library.iter_performer_names():
            work.check()
            performers[performer.id] = performer
        evidence = Evidence(
            {
                each.id: {stash_id.universal_id for stash_id in each.stash_ids}
                for each in performers.values()
            }
        )
        yield from _count_scenes(evidence, library, work)
        yield from _count_images(evidence, work)
        names = {each.id: (each.name, *each.alias_list) for each in performers.values()}
        after = (int(work.cursor.get("performer_id", 0)), work.cursor.get("domain", ""))
        candidates = (
            each
            for each in evidence.candidates(names)
            if each.domain in endpoints and (each.performer_id, each.domain) > after
        )
        wanted = _not_dismissed(candidates, endpoints)
        while chunk := list(islice(wanted, _FINDINGS_A_STEP)):
            work.check()
            yield Step(
                findings=[*_findings(chunk, library, endpoints)],
                cursor={
                    "performer_id": chunk[-1].performer_id,
                    "domain": chunk[-1].domain,
                },
            )
        yield Step(sweeps=[EVERYWHERE])


def _count_scenes(evidence: Evidence, library: StashLibrary, work: Work) -> Steps:
    done_count = 0
    rows = library.iter_lean_scenes()
    while scenes := list(islice(rows, LEAN_PAGE_SIZE)):
        work.check()
        media = recognised_in("scene", [scene.id for scene in scenes])
        for scene in scenes:
            if scene.id in media:
                medium = Medium("scene", scene.id)
                evidence.add(medium, scene.performer_ids, _people(media[scene.id]))
        done_count += len(scenes)
        yield Step(done_count=done_count)
    # Now it is known how many they are.
    yield Step(total_count=done_count)


def _count_images(evidence: Evidence, work: Work) -> Steps:
    after_id = 0
    while media := recognised_after("image", after_id, limit=_IMAGES_A_STEP):
        work.check()
        after_id = media[-1].stash_id
        named = {each.stash_id: each for each in media if each.people}
        tagged = {
            item.id: [performer.id for performer in item.performers]
            for item in iter_tagged_among(work.stash, TaggedKind.IMAGE, [*named])
        }
        for stash_id, image in named.items():
            medium = Medium("image", stash_id)
            evidence.add(medium, tagged.get(stash_id, ()), _people(image))
        yield Step()


def _people(media: RecognisedMedia) -> list[Recognised]:
    return [
        Recognised(
            universal_id=person.released_id,
            name=person.released_name,
            confidence=person.confidence,
            local_performer_id=person.local_performer_id,
        )
        for person in media.people
    ]


def _not_dismissed(
    candidates: Iterator[Candidate], endpoints: Mapping[str, str]
) -> Iterator[Candidate]:
    dismissed = {
        domain: findings.dismissed_for_good(TYPE, "performer", endpoint)
        for domain, endpoint in endpoints.items()
    }
    for each in candidates:
        if str(each.performer_id) not in dismissed[each.domain]:
            yield each


def _findings(
    candidates: Sequence[Candidate],
    library: StashLibrary,
    endpoints: Mapping[str, str],
) -> Iterator[Finding]:
    ids = sorted({each.performer_id for each in candidates})
    rows = {row.id: row for row in library.find_performer_rows(ids)}
    for each in candidates:
        # Gone or linked since they were counted.
        row = rows.get(each.performer_id)
        if row is not None and each.domain not in _domains(row):
            yield _finding(each, row, endpoints[each.domain])


def _domains(row: PerformerRow) -> set[str]:
    return {each.universal_id.rpartition(":")[0] for each in row.stash_ids}


def _finding(candidate: Candidate, row: PerformerRow, endpoint: str) -> Finding:
    return Finding(
        target=Target("performer", str(row.id), endpoint),
        details={
            "performer_id": str(row.id),
            "performer_name": row.name,
            "performer_disambiguation": row.disambiguation,
            "performer_image_path": row.image_url,
            "endpoint": endpoint,
            "candidate": {
                "name": candidate.name,
                "universal_id": candidate.universal_id,
                "endpoint": endpoint,
                "stash_box_id": candidate.universal_id.rpartition(":")[2],
            },
            "evidence": _told(candidate),
            "scenes": _ids(candidate, "scene"),
            "images": _ids(candidate, "image"),
            "name_agrees": candidate.name_agrees,
            "confidence": candidate.confidence,
        },
        cause=cause_of(candidate.universal_id),
        confidence=candidate.confidence,
    )


def _told(candidate: Candidate) -> dict[str, Any]:
    return {
        "support": candidate.support,
        "share": candidate.share,
        "certainty": candidate.certainty,
        "rival": candidate.rival,
        "media_count": len(candidate.media),
        "alone_count": candidate.alone_count,
        "contradicting_count": candidate.contradicting_count,
    }


def _ids(candidate: Candidate, kind: str) -> list[str]:
    ids = [str(each.id) for each in candidate.media if each.kind == kind]
    return ids[:MAX_MEDIA_TOLD]
