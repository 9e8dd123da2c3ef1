"""What recognition keeps in the database."""

from recognition.models.files import ModelDownload, ModelFile
from recognition.models.fingerprints import (
    Fingerprint,
    FingerprintChange,
    FingerprintFaces,
    FingerprintPerson,
)
from recognition.models.jobs import IdentificationJob
from recognition.models.serving import (
    LIVE_SECONDS,
    ServingProcess,
    ServingProcessQuerySet,
)

__all__ = [
    "LIVE_SECONDS",
    "Fingerprint",
    "FingerprintChange",
    "FingerprintFaces",
    "FingerprintPerson",
    "IdentificationJob",
    "ModelDownload",
    "ModelFile",
    "ServingProcess",
    "ServingProcessQuerySet",
]
