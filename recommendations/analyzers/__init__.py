"""Every analysis, listed by hand in the order in which they are shown."""

from recommendations.analyzers.base import Analyzer
from recommendations.analyzers.duplicate_performers import DuplicatePerformers
from recommendations.analyzers.duplicate_scene_files import DuplicateSceneFiles
from recommendations.analyzers.duplicate_scenes import DuplicateScenes
from recommendations.analyzers.missing_stash_box_link import MissingStashBoxLinks
from recommendations.analyzers.scene_fingerprint_match import SceneFingerprintMatches
from recommendations.analyzers.unidentified_scenes import UnidentifiedScenes
from recommendations.analyzers.upstream_performers import UpstreamPerformers
from recommendations.analyzers.upstream_scenes import UpstreamScenes
from recommendations.analyzers.upstream_studios import UpstreamStudios
from recommendations.analyzers.upstream_tags import UpstreamTags

ANALYZERS: tuple[Analyzer, ...] = (
    DuplicatePerformers(),
    DuplicateSceneFiles(),
    DuplicateScenes(),
    UpstreamPerformers(),
    UpstreamTags(),
    UpstreamStudios(),
    UpstreamScenes(),
    SceneFingerprintMatches(),
    UnidentifiedScenes(),
    MissingStashBoxLinks(),
)
