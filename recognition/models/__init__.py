"""What recognition keeps in the database."""

from recognition.models.calibrations import StoredCalibration
from recognition.models.evaluations import EvaluatedItem, Evaluation, ReviewedName
from recognition.models.files import OPERATE_MODEL_FILES, ModelDownload, ModelFile
from recognition.models.fingerprints import (
    Fingerprint,
    FingerprintChange,
    FingerprintFaces,
    FingerprintPerson,
)
from recognition.models.jobs import IdentificationJob
from recognition.models.library import OPERATE, LibraryRun
from recognition.models.serving import (
    LIVE_SECONDS,
    ServingProcess,
    ServingProcessQuerySet,
)

__all__ = [
    "LIVE_SECONDS",
    "OPERATE",
    "OPERATE_MODEL_FILES",
    "EvaluatedItem",
    "Evaluation",
    "Fingerprint",
    "FingerprintChange",
    "FingerprintFaces",
    "FingerprintPerson",
    "IdentificationJob",
    "LibraryRun",
    "ModelDownload",
    "ModelFile",
    "ReviewedName",
    "ServingProcess",
    "ServingProcessQuerySet",
    "StoredCalibration",
]
