"""The settings of recognition that users change while the service runs.

A module of few imports: every process registers these, few open networks.
"""

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from recognition.signal_files import find_missing_file
from stashsense.preferences import values
from stashsense.preferences.definitions import (
    Applies,
    Category,
    Definition,
    Kind,
    register,
)

GPU_HIGH, GPU_LOW, CPU = "gpu-high", "gpu-low", "cpu"

PERFORMANCE = Category("performance", "Performance", order=1)
RECOGNITION = Category("recognition", "Recognition", order=3)
SIGNALS = Category("signals", "Further evidence", order=4)

# The predecessor's, after which it let go of what it had loaded.
DEFAULT_IDLE_UNLOAD_SECONDS = 1800
WEEK_SECONDS = 7 * 24 * 3600

LOCAL_PERFORMERS = "local_performers_enabled"

DEFINITIONS = (
    Definition(
        key="embedding_batch_size",
        kind=Kind.INT,
        category=PERFORMANCE,
        label="Faces embedded at once",
        description="More keep a GPU busier and take more memory.",
        applies=Applies.LIVE,
        fallback=16,
        minimum=1,
        maximum=128,
        tier_defaults={GPU_HIGH: 32, GPU_LOW: 16, CPU: 4},
        operator_default=lambda: settings.EMBEDDING_BATCH_SIZE,
    ),
    Definition(
        key="frame_extraction_concurrency",
        kind=Kind.INT,
        category=PERFORMANCE,
        label="Frames decoded at once",
        description="Threads that decode the video of one scene.",
        applies=Applies.LIVE,
        fallback=4,
        minimum=1,
        maximum=16,
        tier_defaults={GPU_HIGH: 8, GPU_LOW: 6, CPU: 2},
    ),
    Definition(
        key="detection_size",
        kind=Kind.INT,
        category=PERFORMANCE,
        label="Detection size",
        description=(
            "Pixels of the square in which faces are looked for. Half of it takes a "
            "quarter of the time and overlooks small faces."
        ),
        applies=Applies.LIVE,
        # On every tier: a smaller square finds fewer faces, which nobody asked for.
        fallback=640,
        minimum=160,
        maximum=1280,
        # The detector halves the square five times.
        multiple_of=32,
        operator_default=lambda: settings.DETECTION_SIZE_PX,
    ),
    Definition(
        key="idle_unload_seconds",
        kind=Kind.INT,
        category=PERFORMANCE,
        label="Unload when idle",
        description=(
            "Seconds without work after which a process gives the memory of networks "
            "and database back; the next request loads them again. 0: never."
        ),
        applies=Applies.LIVE,
        fallback=DEFAULT_IDLE_UNLOAD_SECONDS,
        minimum=0,
        maximum=WEEK_SECONDS,
    ),
    Definition(
        key="gpu_enabled",
        kind=Kind.BOOL,
        category=RECOGNITION,
        label="Use the GPU",
        description="Off: networks run on the CPU even where a GPU works.",
        applies=Applies.AFTER_RELOAD,
        fallback=True,
        tier_defaults={GPU_HIGH: True, GPU_LOW: True, CPU: False},
    ),
    Definition(
        key="num_frames",
        kind=Kind.INT,
        category=RECOGNITION,
        label="Frames of a scene",
        description=(
            "Looked at when a request does not say how many. More find people who "
            "appear briefly; on a CPU the default is half, for the time they take."
        ),
        applies=Applies.LIVE,
        fallback=60,
        minimum=10,
        # A request may ask for no more either.
        maximum=200,
        tier_defaults={GPU_HIGH: 60, GPU_LOW: 60, CPU: 30},
    ),
    Definition(
        key="face_candidates",
        kind=Kind.INT,
        category=RECOGNITION,
        label="Candidates to re-rank",
        description=(
            "Nearest performers of a face that further evidence may reorder, before "
            "the best of them are answered."
        ),
        applies=Applies.LIVE,
        fallback=20,
        minimum=5,
        maximum=100,
        first_value=lambda: settings.FIRST_FACE_CANDIDATES,
    ),
    Definition(
        key=LOCAL_PERFORMERS,
        kind=Kind.BOOL,
        category=RECOGNITION,
        label="Local performers",
        description=(
            "Learn performers of your library that no release knows: keeps, on this "
            "machine alone, their names, their ids in Stash and numbers computed from "
            "their faces. Switching it off erases all of that."
        ),
        applies=Applies.LIVE,
        fallback=False,
    ),
    Definition(
        key="body_signal_enabled",
        kind=Kind.BOOL,
        category=SIGNALS,
        label="Body proportions",
        description="Compare proportions of bodies, where the model file is there.",
        applies=Applies.AFTER_RELOAD,
        fallback=True,
        operator_default=lambda: _where_possible("body", settings.FIRST_BODY_SIGNAL),
        first_value=lambda: _stored_at_first(settings.FIRST_BODY_SIGNAL),
    ),
    Definition(
        key="tattoo_signal_enabled",
        kind=Kind.BOOL,
        category=SIGNALS,
        label="Tattoos",
        description="Compare tattoos, where model files and release have them.",
        applies=Applies.AFTER_RELOAD,
        fallback=False,
        operator_default=lambda: _where_possible(
            "tattoo", settings.FIRST_TATTOO_SIGNAL
        ),
        first_value=lambda: _stored_at_first(settings.FIRST_TATTOO_SIGNAL),
    ),
)


@dataclass(frozen=True)
class ServingOptions:
    """What of the settings is built into what a process serves.

    A process that finds them changed puts something else in place of what it serves.
    """

    detection_size_px: int = 640
    embedding_batch_size: int = 16
    is_gpu_enabled: bool = True
    is_body_signal_enabled: bool = True
    is_tattoo_signal_enabled: bool = False


# Where nobody asks the database: commands and measurements of their own.
DEFAULT_OPTIONS = ServingOptions()


def register_all() -> None:
    """Register the settings of recognition."""
    register(*DEFINITIONS)


def serving_options() -> ServingOptions:
    """Return the options as the settings are now."""
    return ServingOptions(
        detection_size_px=detection_size_px(),
        embedding_batch_size=embedding_batch_size(),
        is_gpu_enabled=is_gpu_enabled(),
        is_body_signal_enabled=is_body_signal_enabled(),
        is_tattoo_signal_enabled=is_tattoo_signal_enabled(),
    )


def embedding_batch_size() -> int:
    """Return how many faces an embedder takes in one run."""
    return int(values.value_of("embedding_batch_size"))


def frame_extraction_concurrency() -> int:
    """Return how many threads decode the video of one scene."""
    return int(values.value_of("frame_extraction_concurrency"))


def detection_size_px() -> int:
    """Return the side of the square that the detector looks at."""
    return int(values.value_of("detection_size"))


def idle_unload_seconds() -> int:
    """Return after how long without work a process unloads; 0 for never."""
    return int(values.value_of("idle_unload_seconds"))


def is_gpu_enabled() -> bool:
    """Return whether networks may run on a GPU."""
    return bool(values.value_of("gpu_enabled"))


def num_frames() -> int:
    """Return how many frames of a scene are looked at unless a request says."""
    return int(values.value_of("num_frames"))


def face_candidates() -> int:
    """Return how many candidates of a face re-ranking sees."""
    return int(values.value_of("face_candidates"))


def is_local_performers_enabled() -> bool:
    """Return whether performers of the library are learnt and compared."""
    return bool(values.value_of(LOCAL_PERFORMERS))


def is_body_signal_enabled() -> bool:
    """Return whether proportions of bodies are to count, where they can."""
    return bool(values.value_of("body_signal_enabled"))


def is_tattoo_signal_enabled() -> bool:
    """Return whether tattoos are to count, where they can."""
    return bool(values.value_of("tattoo_signal_enabled"))


def _where_possible(signal: str, first: bool | Literal["auto"] | None) -> bool | None:
    """Return for `auto` whether the signal's files are there."""
    return find_missing_file(signal) is None if first == "auto" else None


def _stored_at_first(first: bool | Literal["auto"] | None) -> bool | None:
    return None if first == "auto" else first
