"""Personal data is found by place and entity, replaced by policy, and never quoted anywhere."""

from core.intake.privacy.detector import Detector, build_detector
from core.intake.privacy.redact import Redacted, Replacement, redact, redact_all
from core.intake.privacy.spans import Span

__all__ = ["Detector", "Redacted", "Replacement", "Span", "build_detector", "redact", "redact_all"]
