"""Which recommendations an action settles: by type, and by what they are about."""

from collections.abc import Collection, Iterable

from recommendations.analyzers.duplicate_performers import DuplicatePerformers
from recommendations.analyzers.duplicate_scene_files import DuplicateSceneFiles
from recommendations.analyzers.duplicate_scenes import DuplicateScenes
from recommendations.analyzers.missing_stash_box_link import MissingStashBoxLinks
from recommendations.analyzers.scene_fingerprint_match import SceneFingerprintMatches
from recommendations.analyzers.unidentified_scenes import UnidentifiedScenes
from recommendations.analyzers.upstream_scenes import UpstreamScenes
from recommendations.models import Recommendation
from recommendations.stash_actions.acting import Fits
from stashsense.integrations.stash_types import endpoint_domain

DUPLICATE_PERFORMER = DuplicatePerformers.type
DUPLICATE_SCENE_FILES = DuplicateSceneFiles.type
DUPLICATE_SCENES = DuplicateScenes.type
FINGERPRINT_MATCH = SceneFingerprintMatches.type
UPSTREAM_SCENE = UpstreamScenes.type
UNIDENTIFIED_SCENES = UnidentifiedScenes.type
MISSING_LINK = MissingStashBoxLinks.type


def never(row: Recommendation) -> bool:
    """No recommendation is settled by this."""
    return False


def about(types: Collection[str], target_type: str, target_id: int | str) -> Fits:
    """Return whether it is of such a type and about just that."""

    def fits(row: Recommendation) -> bool:
        return (
            row.type in types
            and row.target_type == target_type
            and row.target_id == str(target_id)
        )

    return fits


def about_upstream(kind: str, target_id: int) -> Fits:
    """Return whether it is about what changed upstream of that performer, tag, …"""
    return about((f"upstream_{kind}_changes",), kind, target_id)


def among_performers(ids: Iterable[int]) -> Fits:
    """Return whether all of them are in its group of duplicates."""
    wanted = {str(each) for each in ids}

    def fits(row: Recommendation) -> bool:
        if row.type != DUPLICATE_PERFORMER:
            return False
        members = row.details.get("performers")
        named = {
            str(each.get("id"))
            for each in (members if isinstance(members, list) else ())
            if isinstance(each, dict)
        }
        return wanted <= named

    return fits


def among_scenes(ids: Iterable[int]) -> Fits:
    """Return whether all of them are in its pair of duplicates, whose id is "a:b"."""
    wanted = {str(each) for each in ids}

    def fits(row: Recommendation) -> bool:
        return row.type == DUPLICATE_SCENES and wanted <= {*row.target_id.split(":")}

    return fits


def missing_link(kind: str, entity_id: int, endpoint: str) -> Fits:
    """Return whether it proposes to link that entity at that stash-box."""
    is_about = about((MISSING_LINK,), kind, entity_id)
    # The box may be named by its domain alone.
    boxes = ("", endpoint_domain(endpoint))
    return lambda row: is_about(row) and endpoint_domain(row.endpoint) in boxes


def gone_upstream(kind: str, entity_id: int, endpoint: str, stash_id: str) -> Fits:
    """Return whether it tells that this id of the entity is gone at that stash-box."""
    is_about = about_upstream(kind, entity_id)
    domain = endpoint_domain(endpoint)
    return lambda row: (
        is_about(row)
        and endpoint_domain(row.endpoint) == domain
        and row.details.get("is_gone_upstream") is True
        and row.details.get("stash_box_id") == stash_id
    )


def fingerprint_match(scene_id: int, endpoint: str, stash_id: str) -> Fits:
    """Return whether it is about just that scene, stash-box and id there."""
    target_id = f"{scene_id}|{endpoint}|{stash_id}"
    is_about = about((FINGERPRINT_MATCH,), "scene", target_id)
    return lambda row: is_about(row) and row.endpoint in ("", endpoint)
