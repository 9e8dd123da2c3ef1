"""What is kept: recommendations, what people said of them, runs, upstream, actions."""

from recommendations.models.actions import ActionRecord
from recommendations.models.found import Dismissal, Recommendation
from recommendations.models.runs import OPERATE, AnalysisRun, AnalysisSchedule
from recommendations.models.upstream import (
    EndpointPreference,
    FieldSwitch,
    HighWaterMark,
    UpstreamSnapshot,
)

__all__ = [
    "OPERATE",
    "ActionRecord",
    "AnalysisRun",
    "AnalysisSchedule",
    "Dismissal",
    "EndpointPreference",
    "FieldSwitch",
    "HighWaterMark",
    "Recommendation",
    "UpstreamSnapshot",
]
