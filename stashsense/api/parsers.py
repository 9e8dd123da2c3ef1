"""Readers of request bodies that know when to stop."""

import io
import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request


class BodyTooLarge(APIException):
    """The body is larger than a picture may be; nothing of it was kept."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        limit_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000
        super().__init__(f"The request body is larger than {limit_mb} MB.")


class BodyIncomplete(APIException):
    """The rest of the body stayed away, or its sender did; nothing of it was kept."""

    status_code = 408
    default_code = "body_incomplete"
    default_detail = "The request body ended early, or did not go on for too long."


def refuse_large_body(request: Request) -> None:
    """Raise BodyTooLarge where the request says so; nothing of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge


def _refuse_half_characters(parsed: object) -> None:
    """Refuse texts that can be neither kept, passed on nor repeated in an answer."""
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ParseError("A text holds half of a surrogate pair.") from None


class BoundedJSONParser(JSONParser):
    """JSON of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    DRF's own parser reads the request past Django's limit.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        refuse_large_body((parser_context or {})["request"])
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            parsed = super().parse(io.BytesIO(body), media_type, parser_context)
            if b"\\ud" in body or b"\\uD" in body:
                _refuse_half_characters(parsed)
        except RecursionError:
            # Python's reader gives up at about a thousand brackets within brackets.
            raise ParseError("The JSON is nested too deeply.") from None
        return parsed


class BoundedMultiPartParser(MultiPartParser):
    """A form with files, of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        refuse_large_body((parser_context or {})["request"])
        return super().parse(stream, media_type, parser_context)
