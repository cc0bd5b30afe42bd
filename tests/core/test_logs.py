"""Nothing but codes and allow-listed facts reaches a log, whatever a library has to say."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest

from core.logs import (
    BadLogField,
    WarningCounter,
    configure_logging,
    count_warnings,
    log_error,
    log_event,
)
from core.model.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.storage.s3 import S3Store

SECRET = "Jane Roe, 555-0100"
NAMES = ("botocore", "boto3", "urllib3", "s3transfer", "presidio-analyzer", "decision_process")


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    names = [*NAMES, "release_desk", *(n for n in root.manager.loggerDict if n.startswith(NAMES))]
    loggers = [root, *map(logging.getLogger, names)]
    kept = [(logger, logger.level, logger.propagate, [*logger.handlers]) for logger in loggers]
    stream = io.StringIO()
    root.setLevel(logging.DEBUG)
    configure_logging(stream, level=logging.DEBUG)
    yield stream
    for logger, level, propagate, handlers in kept:
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers = handlers


def test_an_event_is_one_json_line_of_code_and_facts(output: io.StringIO) -> None:
    log_event("gate.finished", gate="privacy", count=3, seconds=0.25, candidate="a" * 64)
    line = json.loads(output.getvalue())
    assert line["code"] == "gate.finished"
    assert (line["gate"], line["count"], line["seconds"]) == ("privacy", 3, 0.25)
    assert line["level"] == "INFO"


@pytest.mark.parametrize("field", ["text", "message", "secret", "content", "exc"])
def test_d60_a_field_that_is_not_allow_listed_is_refused(output: io.StringIO, field: str) -> None:
    with pytest.raises(BadLogField) as caught:
        log_event("a.b", **{field: SECRET})
    assert SECRET not in str(caught.value)
    assert output.getvalue() == ""


@pytest.mark.parametrize("value", [SECRET, "x" * 300, ["list"], b"bytes"])
def test_d60_a_value_that_is_no_name_is_refused(output: io.StringIO, value: object) -> None:
    with pytest.raises(BadLogField):
        log_event("a.b", gate=value)  # type: ignore[arg-type]
    assert output.getvalue() == ""


@pytest.mark.parametrize("code", ["", "Loose words", "single", SECRET])
def test_a_code_is_dotted_lower_case(output: io.StringIO, code: str) -> None:
    with pytest.raises(BadLogField):
        log_event(code)


def test_an_object_key_may_be_odd_and_stays_on_one_line(output: io.StringIO) -> None:
    log_event("object.read", key="odd key\nwith a line break ü.jsonl")
    [line] = output.getvalue().splitlines()
    assert json.loads(line)["key"] == "odd key\nwith a line break ü.jsonl"


def test_d61_of_a_librarys_error_only_the_class_is_logged(output: io.StringIO) -> None:
    log_error(ValueError(f"could not convert {SECRET}"))
    assert json.loads(output.getvalue())["error"] == "ValueError"
    assert SECRET not in output.getvalue()


def test_an_error_of_ours_is_logged_by_code_and_place(output: io.StringIO) -> None:
    log_error(Missing("storage.missing", "There is no object.", place="exports/x"))
    line = json.loads(output.getvalue())
    assert (line["code"], line["place"]) == ("storage.missing", "exports/x")


@pytest.mark.parametrize("name", [*NAMES, "botocore.auth", "urllib3.connectionpool"])
def test_d62_a_muzzled_library_says_nothing_at_any_level(output: io.StringIO, name: str) -> None:
    for level in (logging.DEBUG, logging.WARNING, logging.CRITICAL):
        logging.getLogger(name).log(level, "seen %s", SECRET)
    assert output.getvalue() == ""


def test_d63_any_other_library_is_named_and_not_quoted(output: io.StringIO) -> None:
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("some.library").exception("failed on %s", SECRET)
    line = json.loads(output.getvalue())
    assert line["logger"] == "some.library"
    assert line["level"] == "ERROR"
    assert SECRET not in output.getvalue()
    assert "Traceback" not in output.getvalue()


def test_d64_the_real_client_at_debug_logs_no_secret(
    output: io.StringIO, moto_store: S3Store, capfd: pytest.CaptureFixture[str]
) -> None:
    moto_store.put_if_absent("key", SECRET.encode())
    moto_store.get("key", limit=99)
    shown = capfd.readouterr()
    for text in (output.getvalue(), shown.out, shown.err):
        assert SECRET not in text
        assert "moto-secret" not in text
        assert "Signature" not in text


def test_d65_presidios_warnings_are_counted_and_not_kept(output: io.StringIO) -> None:
    presidio = logging.getLogger("presidio-analyzer")
    with count_warnings() as counter:
        presidio.info("about %s", SECRET)
        presidio.warning("regex timed out on %s", SECRET)
        presidio.error("matched %s", SECRET)
        logging.getLogger("decision_process").warning(SECRET)
    presidio.warning("after %s", SECRET)
    assert counter.count == 3
    assert SECRET not in repr(vars(counter))
    assert output.getvalue() == ""


def test_a_counter_counts_from_warning_up() -> None:
    counter = WarningCounter()
    logger = logging.getLogger("apart")
    logger.addHandler(counter)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, SECRET)
    assert counter.count == 3


def test_configuring_twice_writes_every_event_once(output: io.StringIO) -> None:
    again = io.StringIO()
    configure_logging(again)
    log_event("a.b")
    assert output.getvalue() == ""
    assert len(again.getvalue().splitlines()) == 1
