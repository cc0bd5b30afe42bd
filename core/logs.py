"""A log line holds a code and a few allow-listed facts; nobody's text can get into it.

Libraries quote record text, session tokens and matched identifiers in their messages, so of a
library's record only its logger's name and level are ever written.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from core.model.errors import DeskError

EVENTS = "release_desk"
FIELDS = frozenset(
    {
        "actor",
        "attempt",
        "bytes",
        "candidate",
        "count",
        "digest",
        "error",
        "etag",
        "family",
        "gate",
        "job",
        "key",
        "line",
        "objects",
        "pid",
        "place",
        "port",
        "records",
        "rejected",
        "seconds",
        "seq",
        "shard",
        "stage",
        "state",
        "status",
        "step",
        "verdict",
        "version",
    }
)
_PLACES = frozenset({"key", "place"})
QUIET = ("botocore", "boto3", "urllib3", "s3transfer")
COUNTED = ("presidio-analyzer", "decision_process")
_CODE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_NAME = re.compile(r"[A-Za-z0-9._:/+@-]{0,256}")
_LONGEST = 1024


class BadLogField(DeskError):
    """Somebody tried to log what has no place in a log."""


class WarningCounter(logging.Handler):
    """Counts records of WARNING and above, and keeps nothing of them.

    Attributes:
        count: how many there were.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count; `handle` holds the handler's lock around this."""
        self.count += 1


@contextmanager
def count_warnings(*names: str) -> Iterator[WarningCounter]:
    """Count the warnings of the loggers `names` (default: Presidio's) inside the block."""
    counter = WarningCounter()
    loggers = [logging.getLogger(name) for name in names or COUNTED]
    for logger in loggers:
        logger.addHandler(counter)
    try:
        yield counter
    finally:
        for logger in loggers:
            logger.removeHandler(counter)


def log_event(code: str, level: int = logging.INFO, **fields: str | int | float | None) -> None:
    """Log that `code` (dotted, lower case) happened, with allow-listed facts about it.

    Raises:
        BadLogField: a field that is not allow-listed, a code that is not one, or a value that is
            not a number or a short text.
    """
    if not _CODE.fullmatch(code):
        raise BadLogField("logs.code", "A log code is dotted lower case.")
    for name, value in fields.items():
        if name not in FIELDS:
            raise BadLogField("logs.field", "This field has no place in a log.", place=name)
        if not _loggable(name, value):
            raise BadLogField("logs.value", "A log holds numbers and short names.", place=name)
    logging.getLogger(EVENTS).log(level, code, extra={"facts": fields})


def log_error(error: BaseException, code: str = "error.unexpected") -> None:
    """Log an error: our own by code and place, any other by the name of its class alone."""
    if isinstance(error, DeskError):
        log_event(
            error.code, logging.ERROR, error=type(error).__name__, place=error.place[:_LONGEST]
        )
    else:
        log_event(code, logging.ERROR, error=type(error).__name__)


def configure_logging(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Write events to `stream` (default stderr), one JSON line each, and muzzle the libraries.

    May be called again; the last call counts.
    """
    handler = logging.StreamHandler(stream) if stream is not None else _ToStderr()
    handler.setFormatter(EventFormatter())
    # What logging says of its own faults quotes the lines that called it.
    logging.raiseExceptions = False
    root = logging.getLogger()
    for former in [*root.handlers]:
        if isinstance(former.formatter, EventFormatter):
            root.removeHandler(former)
    root.addHandler(handler)
    logging.getLogger(EVENTS).setLevel(level)
    muzzle_libraries()


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment, which a test or a server may replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error, now."""
        return sys.stderr


def muzzle_libraries() -> None:
    """Keep the libraries that quote secrets or text from writing anything, whatever the level."""
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        _divert(logger)
        for child in _children(name):
            child.setLevel(logging.NOTSET)
            _divert(child, propagate=True)
    for name in COUNTED:
        _divert(logging.getLogger(name))


class EventFormatter(logging.Formatter):
    """One JSON line: our events in full, of anybody else's only the logger's name and level."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; never the message, arguments or traceback of a library."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
        }
        facts = getattr(record, "facts", None)
        if record.name == EVENTS and isinstance(facts, Mapping):
            line |= {"code": record.msg, **facts}
        else:
            line |= {"code": "library.message", "logger": record.name}
        return json.dumps(line, ensure_ascii=True)


def _loggable(name: str, value: object) -> bool:
    if value is None or isinstance(value, (int, float)):
        return True
    if not isinstance(value, str):
        return False
    # An object key may hold anything a bucket's owner wrote; every other text is a mere name.
    return len(value) <= _LONGEST if name in _PLACES else _NAME.fullmatch(value) is not None


def _divert(logger: logging.Logger, *, propagate: bool = False) -> None:
    """Leave only a handler that counts; a library that finds one adds none of its own."""
    kept: list[logging.Handler] = [
        handler for handler in logger.handlers if isinstance(handler, WarningCounter)
    ]
    logger.handlers = kept if kept or propagate else [WarningCounter()]
    logger.propagate = propagate


def _children(name: str) -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict
    return [
        logger
        for child, logger in [*known.items()]
        if child.startswith(name + ".") and isinstance(logger, logging.Logger)
    ]
