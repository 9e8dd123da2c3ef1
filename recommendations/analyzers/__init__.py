"""Every analysis, listed by hand in the order in which they are shown."""

from recommendations.analyzers.base import Analyzer
from recommendations.analyzers.duplicate_performers import DuplicatePerformers
from recommendations.analyzers.duplicate_scene_files import DuplicateSceneFiles
from recommendations.analyzers.duplicate_scenes import DuplicateScenes
from recommendations.analyzers.scene_fingerprint_match import SceneFingerprintMatches

ANALYZERS: tuple[Analyzer, ...] = (
    DuplicatePerformers(),
    DuplicateSceneFiles(),
    DuplicateScenes(),
    SceneFingerprintMatches(),
)
