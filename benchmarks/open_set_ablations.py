"""What each ingredient of mode template gives: the mode without it, one at a time.

Parts of the production code are exchanged for a moment, in this process alone.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from recognition.numeric import grouping, template_scoring, templates
from recognition.runtime import template_people

Without = Callable[[], AbstractContextManager[None]]


@contextmanager
def _exchanged(module: ModuleType | type, **parts: Any) -> Iterator[None]:
    """Put other parts into a module while it lasts."""
    before = {name: getattr(module, name) for name in parts}
    for name, part in parts.items():
        setattr(module, name, part)
    try:
        yield
    finally:
        for name, part in before.items():
            setattr(module, name, part)


def _usual_others(_: object, candidates: Any, __: object) -> tuple[Any, Any]:
    mean, deviation = template_scoring.USUAL_COHORT
    return np.full(len(candidates), mean), np.full(len(candidates), deviation)


def _of_no_frame(vectors: Any, frames: Any, **options: Any) -> Any:
    return grouping.group_faces(vectors, range(len(frames)), **options)


def _as_they_are(_: object, groups: Any, *__: object, **___: object) -> Any:
    return groups


class _NearestFace:
    """NumPy, but that the mean of a performer's similarities is their largest."""

    @staticmethod
    def reduceat(values: Any, starts: Any) -> Any:
        ends = np.append(starts[1:], len(values))
        return np.maximum.reduceat(values, starts) * (ends - starts)


class _NumpyWithNearest:
    add = _NearestFace

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


ABLATIONS: dict[str, Without] = {
    "weights by quality": lambda: _exchanged(templates, QUALITY_EXPONENT=0.0),
    "the cohort": lambda: _exchanged(template_scoring, _others=_usual_others),
    "all reference faces": lambda: _exchanged(template_scoring, np=_NumpyWithNearest()),
    "FaceNet": lambda: _exchanged(
        template_scoring, FACENET_WEIGHT=0.0, ARCFACE_WEIGHT=1.0
    ),
    "ArcFace": lambda: _exchanged(
        template_scoring, FACENET_WEIGHT=1.0, ARCFACE_WEIGHT=0.0
    ),
    "two of a frame apart": lambda: _exchanged(
        template_people, group_faces=_of_no_frame
    ),
    "joining by performer": lambda: _exchanged(
        template_people._Joining, joined=_as_they_are
    ),
    "absorbing small groups": lambda: _exchanged(grouping, SMALL_GROUP=0),
}
