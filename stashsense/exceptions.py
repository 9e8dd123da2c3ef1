"""The root of every error raised on purpose.

StashSenseError
├── dbupdates.exceptions.DatabaseUpdateError ...     what is published or installed
├── recognition.exceptions.RecognitionError ...      pictures, networks, capacity
├── stashsense.downloads.exceptions ...              large files from elsewhere
└── stashsense.integrations.* ...                    other services
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class StashSenseError(Exception):
    """Something refused or failed in a way a caller can be told about.

    `status` is the HTTP status it is answered with, `code` the word that clients
    switch on. The message is one sentence for a person and holds no secret.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    retry_after_seconds: int | None = None

    def __init__(self, message: str = "", *, facts: Mapping[str, Any] | None = None):
        """`facts` are answered beside the message, under names of their own."""
        super().__init__(message)
        self.facts = dict(facts or {})
