"""Every analysis, listed by hand in the order in which they are shown."""

from recommendations.analyzers.base import Analyzer

ANALYZERS: tuple[Analyzer, ...] = ()
