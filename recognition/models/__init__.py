"""What recognition keeps in the database."""

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
    "ServingProcess",
    "ServingProcessQuerySet",
]
