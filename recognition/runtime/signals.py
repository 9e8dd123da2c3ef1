"""Evidence other than faces: what can be read here, reading it, and what it changes.

Bodies and tattoos are read where their files are installed, the release has something
to compare with and the settings say so; what is missing says nothing about anybody, and
`status` says what it is. Evidence belongs to the person it was seen on.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from dbupdates.exceptions import InvalidRelease
from recognition.exceptions import (
    DatabaseNotLoaded,
    ModelsNotInstalled,
    RecognitionError,
)
from recognition.numeric.arrays import RgbImage
from recognition.numeric.body import BodyRatios, body_multiplier
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import PersonCandidate
from recognition.numeric.reranking import (
    EvidencedPerson,
    FaceCandidate,
    Multipliers,
    RankedCandidate,
    rerank_people,
)
from recognition.numeric.tattoos import TattooEvidence, tattoo_multiplier
from recognition.runtime.body_references import (
    PERFORMERS_DB,
    load_shoulder_hip_ratios,
)
from recognition.runtime.pose import MediapipeSession, PoseEstimator, PoseUnreadable
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.sessions import open_session, ort_errors
from recognition.runtime.tattoos import (
    TATTOO_INDEX,
    TATTOO_NAMES,
    TattooDetector,
    TattooEmbedder,
    TattooIndex,
    TattooReader,
)

logger = logging.getLogger(__name__)

BODY = "body"
TATTOO = "tattoo"
# The status of a signal that is read.
ON = "on"
OFF_BY_SETTING = "off by setting"

POSE_FILE = "pose_landmarker_lite.task"
TATTOO_DETECTOR_FILE = "tattoo_yolov5s.onnx"
TATTOO_EMBEDDER_FILE = "tattoo_efficientnet_b0.onnx"


class SignalSetting(StrEnum):
    """What an operator may say of a signal before anybody has set it otherwise."""

    AUTO = "auto"
    TRUE = "true"
    FALSE = "false"

    @property
    def is_wanted(self) -> bool:
        """Whether to read the signal where its files are: `auto` says no less."""
        return self is not SignalSetting.FALSE


class SignalUnavailable(RecognitionError):
    """A signal cannot be read here; everything else works without it."""

    status = 503
    code = "signal_unavailable"


@dataclass(frozen=True, slots=True)
class FaceSignals:
    """What was seen of one face's owner in one picture.

    None where it was not looked for, or not to be seen of a body. Tattoos that were
    looked for and not found are evidence: without any.
    """

    body: BodyRatios | None = None
    tattoos: TattooEvidence | None = None


@dataclass(frozen=True)
class PersonSignals:
    """A person's candidates, likeliest first, and what was seen of them anywhere."""

    candidates: Sequence[FaceCandidate]
    observations: Sequence[FaceSignals]


@dataclass(frozen=True)
class SignalResources:
    """What is open for one release; `status` says of each signal `on` or why not."""

    status: Mapping[str, str]
    pose: PoseEstimator | None = None
    body_ratios: Mapping[str, float] = field(default_factory=dict)
    tattoos: TattooReader | None = None

    @property
    def reads_anything(self) -> bool:
        """Whether `observe` can find out anything."""
        return self.pose is not None or self.tattoos is not None

    def observe(
        self, image: RgbImage, face_boxes: Sequence[FaceBox]
    ) -> list[FaceSignals]:
        """Return what is seen of each face's owner; call it once a picture."""
        bodies: Sequence[BodyRatios | None] = [None] * len(face_boxes)
        tattoos: Sequence[TattooEvidence | None] = [None] * len(face_boxes)
        if face_boxes and self.pose is not None:
            try:
                bodies = self.pose.estimate(image, face_boxes)
            except PoseUnreadable as error:
                # The faces are known; one picture without bodies says nothing.
                logger.warning("%s", error)
        if face_boxes and self.tattoos is not None:
            try:
                tattoos = self.tattoos.read(image, face_boxes)
            except ort_errors() as error:
                logger.warning("A picture's tattoos cannot be read: %s", error)
        return [FaceSignals(*one) for one in zip(bodies, tattoos, strict=True)]

    def rerank(
        self,
        candidates: Sequence[FaceCandidate],
        observations: Sequence[FaceSignals],
    ) -> list[RankedCandidate]:
        """Return one person's candidates in the order all evidence gives."""
        (ranking,) = self.rerank_people([PersonSignals(candidates, observations)])
        return ranking

    def rerank_people(
        self, people: Sequence[PersonSignals]
    ) -> list[list[RankedCandidate]]:
        """Return each person's ranking; evidence never makes one of two people."""
        return rerank_people(
            [
                EvidencedPerson(person.candidates, self._multipliers(person))
                for person in people
            ]
        )

    def rerank_person_candidates(
        self,
        people: Sequence[tuple[Sequence[PersonCandidate], Sequence[FaceSignals]]],
        *,
        universal_id: Callable[[int], str],
    ) -> list[tuple[PersonCandidate, ...]]:
        """Return each person's candidates in their new order, with its confidences.

        `universal_id` says who a row of the release is.
        """
        rankings = self.rerank_people(
            [
                PersonSignals(
                    [
                        FaceCandidate(
                            universal_id(one.performer), one.distance, one.confidence
                        )
                        for one in candidates
                    ],
                    observations,
                )
                for candidates, observations in people
            ]
        )
        return [
            tuple(
                replace(candidates[ranked.position], confidence=ranked.confidence)
                for ranked in ranking
            )
            for (candidates, _), ranking in zip(people, rankings, strict=True)
        ]

    def _multipliers(self, person: PersonSignals) -> list[Multipliers]:
        seen = combine(person.observations)
        known = self.tattoos.index.known if self.tattoos else frozenset()
        return [
            Multipliers(
                body=body_multiplier(
                    seen.body.shoulder_hip if seen.body else None,
                    self.body_ratios.get(candidate.universal_id),
                ),
                tattoo=_tattoo_multiplier(seen.tattoos, candidate.universal_id, known),
            )
            for candidate in person.candidates
        ]


# Where nobody asked for any.
NO_SIGNALS = SignalResources({BODY: OFF_BY_SETTING, TATTOO: OFF_BY_SETTING})


def combine(observations: Iterable[FaceSignals]) -> FaceSignals:
    """Return what several pictures show of one person.

    The surest body, and every tattoo with its greatest similarity to each performer.
    """
    observations = list(observations)
    bodies = [one.body for one in observations if one.body is not None]
    evidence = [one.tattoos for one in observations if one.tattoos is not None]
    similarities: dict[str, float] = {}
    for one in evidence:
        for universal_id, similarity in one.similarities.items():
            similarities[universal_id] = max(
                similarity, similarities.get(universal_id, 0.0)
            )
    return FaceSignals(
        body=max(bodies, key=lambda body: body.confidence, default=None),
        tattoos=(
            TattooEvidence(
                tuple(tattoo for one in evidence for tattoo in one.tattoos),
                similarities,
            )
            if evidence
            else None
        ),
    )


def signals_used(observations: Iterable[FaceSignals]) -> list[str]:
    """Return what an answer rests on: the face, and what was seen beside it."""
    seen = combine(observations)
    used = ["face"]
    if seen.body is not None:
        used.append(BODY)
    if seen.tattoos is not None:
        used.append(TATTOO)
    return used


def load_signals(
    release_dir: Path,
    models_dir: Path,
    plan: ExecutionPlan,
    *,
    body: bool,
    tattoo: bool,
    reuse: SignalResources | None = None,
) -> SignalResources:
    """Return what can be read besides faces, open; never fails for what is missing.

    Networks open in `reuse` are used again: those of another release, but of the same
    models folder.
    """
    status: dict[str, str] = {}
    pose, body_ratios, tattoos = None, {}, None
    try:
        body_ratios = _load_body_ratios(release_dir, models_dir, is_wanted=body)
        pose = (reuse and reuse.pose) or _open_pose(models_dir)
        status[BODY] = ON
    except (SignalUnavailable, *_UNREADABLE) as error:
        status[BODY] = _told(BODY, error)
    try:
        _require_tattoo_files(release_dir, models_dir, is_wanted=tattoo)
        tattoos = _open_tattoos(release_dir, models_dir, plan, reuse)
        status[TATTOO] = ON
    except (SignalUnavailable, *_UNREADABLE) as error:
        status[TATTOO] = _told(TATTOO, error)
    return SignalResources(status, pose, body_ratios, tattoos)


# What somebody has put in the place of a file that should be there.
_UNREADABLE = (ModelsNotInstalled, DatabaseNotLoaded, InvalidRelease, OSError)


def _told(signal: str, error: Exception) -> str:
    """Return why the signal is not read; what is broken is logged, too."""
    reason = str(error)
    level = logging.INFO if isinstance(error, SignalUnavailable) else logging.WARNING
    logger.log(level, "The %s signal is not read: %s", signal, reason)
    return reason


def _load_body_ratios(
    release_dir: Path, models_dir: Path, *, is_wanted: bool
) -> dict[str, float]:
    _require(is_wanted, OFF_BY_SETTING)
    _require_installed(models_dir, POSE_FILE)
    _require_released(release_dir, PERFORMERS_DB)
    ratios = load_shoulder_hip_ratios(release_dir)
    _require(bool(ratios), f"the release's {PERFORMERS_DB} has no body proportions")
    return ratios


def _open_pose(models_dir: Path) -> PoseEstimator:
    return PoseEstimator(MediapipeSession(models_dir / POSE_FILE))


def _require_tattoo_files(
    release_dir: Path, models_dir: Path, *, is_wanted: bool
) -> None:
    _require(is_wanted, OFF_BY_SETTING)
    for name in (TATTOO_DETECTOR_FILE, TATTOO_EMBEDDER_FILE):
        _require_installed(models_dir, name)
    for name in (TATTOO_INDEX, TATTOO_NAMES):
        _require_released(release_dir, name)


def _open_tattoos(
    release_dir: Path,
    models_dir: Path,
    plan: ExecutionPlan,
    reuse: SignalResources | None,
) -> TattooReader:
    if reuse is not None and reuse.tattoos is not None:
        detector, embedder = reuse.tattoos.detector, reuse.tattoos.embedder
    else:
        detector = TattooDetector(open_session(models_dir / TATTOO_DETECTOR_FILE, plan))
        embedder = TattooEmbedder(open_session(models_dir / TATTOO_EMBEDDER_FILE, plan))
    # Last: it is by far the largest, 1.2 GB for 230,000 tattoos.
    return TattooReader(detector, embedder, TattooIndex.load(release_dir))


def missing_for(signal: str, release_dir: Path, models_dir: Path) -> str | None:
    """Return which file the signal lacks, without opening any; None for none."""
    try:
        if signal == BODY:
            _require_installed(models_dir, POSE_FILE)
            _require_released(release_dir, PERFORMERS_DB)
        else:
            _require_tattoo_files(release_dir, models_dir, is_wanted=True)
    except SignalUnavailable as error:
        return str(error)
    return None


def _require_installed(models_dir: Path, name: str) -> None:
    _require((models_dir / name).is_file(), f"{name} is not installed")


def _require_released(release_dir: Path, name: str) -> None:
    _require((release_dir / name).is_file(), f"the release has no {name}")


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise SignalUnavailable(otherwise)


def _tattoo_multiplier(
    seen: TattooEvidence | None, universal_id: str, known: frozenset[str]
) -> float:
    return tattoo_multiplier(
        detector_ran=seen is not None,
        probe_has_tattoos=seen is not None and bool(seen.tattoos),
        similarity=seen.similarities.get(universal_id) if seen is not None else None,
        candidate_has_embeddings=universal_id in known,
    )
