"""All of the desk's own patterns: what Presidio lacks, misses or takes for something else."""

from __future__ import annotations

from core.intake.privacy.dates import DATES
from core.intake.privacy.disguised import DISGUISED
from core.intake.privacy.online import ONLINE
from core.intake.privacy.phones import PHONES
from core.intake.privacy.places import PLACES
from core.intake.privacy.record_numbers import RECORD_NUMBERS
from core.intake.privacy.secrets import SECRETS

VERSION = "2"
"""Raised with every change of what is found or of how spans are merged."""

OWN = (*RECORD_NUMBERS, *PHONES, *PLACES, *DATES, *ONLINE, *SECRETS, *DISGUISED)
