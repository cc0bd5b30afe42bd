"""Long work says how far it is, and can be told to stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often. May raise `core.model.errors.Cancelled`, which must be let through."""

    def __call__(self, done: int, total: int, message: str) -> None:
        """Say that `done` of `total` units are done; `message` holds no record text."""


def silent(done: int, total: int, message: str) -> None:
    """A progress that nobody watches."""
