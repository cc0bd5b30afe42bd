"""Reading, rating, settling and signing: people's acts over one candidate's exact bytes."""

from __future__ import annotations

from dataclasses import dataclass

from core.workbench.reviews.assigning import LastAnswer, QueueItem, ReviewQueue
from core.workbench.reviews.basis import READERS
from core.workbench.reviews.norming import Norming
from core.workbench.reviews.planning import Planning
from core.workbench.reviews.practice import Practice, WarmUp, WarmUpAnswer
from core.workbench.reviews.reading import Reading, ReviewScreen
from core.workbench.reviews.settling import OpenCase, OpenFlag, Settling
from core.workbench.reviews.sittings import Sitting, Sittings

__all__ = [
    "READERS",
    "LastAnswer",
    "OpenCase",
    "OpenFlag",
    "QueueItem",
    "ReviewQueue",
    "ReviewScreen",
    "Reviews",
    "Sitting",
    "WarmUp",
    "WarmUpAnswer",
]


@dataclass(frozen=True, slots=True)
class Reviews(Planning, Reading, Sittings, Practice, Settling, Norming):
    """The reviews of one desk, every area of them."""
