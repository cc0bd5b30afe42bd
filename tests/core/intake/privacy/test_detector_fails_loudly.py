"""A detector that times out, warns or is asked onto the network raises; silence proves nothing."""

from __future__ import annotations

import logging
import socket

import pytest
import regex
from presidio_analyzer import pattern_recognizer

from core.intake.privacy import build_detector
from core.intake.privacy.recognisers import DetectorWarned, no_warnings
from tests.privacy_rules import a_privacy_rule


def test_a_regex_that_times_out_is_an_error_and_not_nothing_found(monkeypatch):
    class Slow:
        def __getattr__(self, name):
            raise AssertionError(name)

        def finditer(self, text, timeout):
            raise TimeoutError("regex timed out")

    detector = build_detector(a_privacy_rule())
    ssn = next(tool for tool in detector._borrowed if tool.entity == "US_SSN")
    for pattern in ssn.recogniser.patterns:
        monkeypatch.setattr(pattern, "compiled_regex", Slow())
        monkeypatch.setattr(pattern, "compiled_with_flags", ssn.recogniser.global_regex_flags)
    with pytest.raises(DetectorWarned) as raised:
        detector.find("the number is 536-22-8471 there")
    assert raised.value.code == "privacy.detector_warned"
    assert "536" not in str(raised.value)


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_any_warning_of_presidio_is_raised_and_its_words_are_dropped(level, caplog, capsys):
    with pytest.raises(DetectorWarned), no_warnings():
        logging.getLogger("presidio-analyzer").log(level, "Failed to validate 536-22-8471")
    written = capsys.readouterr()
    assert "536-22" not in caplog.text + written.out + written.err


def test_a_quiet_scan_raises_nothing_and_debug_talk_is_not_a_warning():
    with no_warnings():
        logging.getLogger("presidio-analyzer").debug("quiet")


def test_no_text_makes_the_detector_use_the_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    detector = build_detector(a_privacy_rule())
    assert detector.find("write to jo@never-seen-before.co.uk or www.never-seen.example.com")


def test_presidio_still_reports_a_timeout_only_by_a_warning():
    """What the trap relies on; should Presidio change, this says so."""
    assert pattern_recognizer.logger.name == "presidio-analyzer"
    with pytest.raises(TimeoutError):
        list(regex.finditer(r"(a+)+$", "a" * 5000 + "b", timeout=0.01))


def test_settings_name_the_libraries_and_change_with_the_policy():
    one, other = (
        build_detector(rule).settings()
        for rule in (a_privacy_rule(), a_privacy_rule(without=("URL",)))
    )
    assert one["libraries"]["presidio-analyzer"]
    assert one != other
    assert one == build_detector(a_privacy_rule()).settings()


def test_a_poisoned_text_that_no_pattern_can_finish_is_an_error(monkeypatch):
    """A real expression of the kind that explodes, on a real text, timed by Presidio itself."""
    monkeypatch.setattr(pattern_recognizer, "REGEX_TIMEOUT_SECONDS", 0.05)
    detector = build_detector(a_privacy_rule())
    ssn = next(tool for tool in detector._borrowed if tool.entity == "US_SSN")
    slow = pattern_recognizer.Pattern(name="slow", regex=r"(\d+)+$", score=0.5)
    monkeypatch.setattr(ssn.recogniser, "patterns", [slow])
    assert detector.find("ssn, the number is 536228471")
    poisoned = "the number is " + "5362284710" * 400 + "b secret words"
    with pytest.raises(DetectorWarned) as raised:
        detector.find(poisoned)
    assert "secret" not in str(raised.value)
    assert "5362" not in str(raised.value)
