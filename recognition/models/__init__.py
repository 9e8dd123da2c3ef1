"""What recognition keeps in the database."""

from recognition.models.calibrations import StoredCalibration
from recognition.models.corrections import Correction
from recognition.models.evaluations import EvaluatedItem, Evaluation, ReviewedName
from recognition.models.files import OPERATE_MODEL_FILES, ModelDownload, ModelFile
from recognition.models.fingerprints import (
    Fingerprint,
    FingerprintChange,
    FingerprintFaces,
    FingerprintPerson,
)
from recognition.models.groups import (
    GroupDecision,
    GroupDecisionMember,
    GroupMember,
    PeopleGroup,
)
from recognition.models.jobs import IdentificationJob
from recognition.models.library import OPERATE, EnqueuedScene, LibraryRun
from recognition.models.local import LocalFace, LocalIndex, LocalPerformer
from recognition.models.serving import (
    LIVE_SECONDS,
    ServingProcess,
    ServingProcessQuerySet,
)

__all__ = [
    "LIVE_SECONDS",
    "OPERATE",
    "OPERATE_MODEL_FILES",
    "Correction",
    "EnqueuedScene",
    "EvaluatedItem",
    "Evaluation",
    "Fingerprint",
    "FingerprintChange",
    "FingerprintFaces",
    "FingerprintPerson",
    "GroupDecision",
    "GroupDecisionMember",
    "GroupMember",
    "IdentificationJob",
    "LibraryRun",
    "LocalFace",
    "LocalIndex",
    "LocalPerformer",
    "ModelDownload",
    "ModelFile",
    "PeopleGroup",
    "ReviewedName",
    "ServingProcess",
    "ServingProcessQuerySet",
    "StoredCalibration",
]
