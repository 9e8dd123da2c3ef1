"""How the lines of the log look: as text for people, or as JSON for programs."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from stashsense.observability import trace

# Of a record, what a caller put there by `extra={"fields": ...}`.
FIELDS = "fields"


class RequestIdFilter(logging.Filter):
    """Lets every record through, with the id of the request it was written for."""

    def filter(self, record: logging.LogRecord) -> bool:
        following = trace.current()
        record.request_id = following.request_id if following else "-"
        return True


class HasTracebackFilter(logging.Filter):
    """Lets through what was written of an exception, and nothing else."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class TextFormatter(logging.Formatter):
    """A line of words; fields follow as `name=value`."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        return " ".join([line, *(f"{name}={_word(fields[name])}" for name in fields)])


class JsonFormatter(logging.Formatter):
    """An object in one line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _word(value: object) -> str:
    text = str(value)
    # A value with blanks or controls would look like several, or like several lines.
    return text if text.isprintable() and " " not in text else json.dumps(text)
