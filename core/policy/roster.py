"""Who may act stands in a file of its own, read again at every act and stored in no bucket.

A policy is stored with every candidate and names digests for ever; people come and go, and
their names are personal data. Kept apart, a person can leave without a rebuild, and stops at
their next act.
"""

from __future__ import annotations

import stat
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.model.errors import BadName, PolicyError
from core.model.names import parse_reviewer
from core.policy.types import PersonRule

_LIMIT = 1 << 20


@dataclass(slots=True)
class RosterFile:
    """The people in one TOML file of `[[people]]` tables; a change is seen at the next look."""

    path: Path
    _seen: tuple[int, int, int] | None = None
    _people: tuple[PersonRule, ...] = ()

    def __call__(self) -> tuple[PersonRule, ...]:
        """Return who may act now.

        Raises:
            PolicyError: `people.unreadable`, `people.exposed`, `people.shape`,
                `people.duplicate`; nobody acts until the file is sound again.
        """
        try:
            told = self.path.stat()
            if told.st_mode & stat.S_IWOTH:
                self._seen = None
                raise PolicyError(
                    "people.exposed",
                    "Anybody on this machine may write the file that DESK_PEOPLE names; set mode "
                    "640 on it.",
                )
            seen = (told.st_mtime_ns, told.st_size, told.st_ino)
            if seen != self._seen:
                self._people = parse_roster(self.path.read_bytes())
                self._seen = seen
        except OSError:
            self._seen = None
            raise PolicyError(
                "people.unreadable", "DESK_PEOPLE names a file that cannot be read."
            ) from None
        return self._people


def nobody() -> tuple[PersonRule, ...]:
    """The people of a desk that was told of none."""
    return ()


def roster_at(path: Path | None) -> Callable[[], tuple[PersonRule, ...]]:
    """Return what tells who may act: the file's people, or nobody without a file."""
    return nobody if path is None else RosterFile(path)


def parse_roster(source: bytes) -> tuple[PersonRule, ...]:
    """Return the people written in `source`, or raise `PolicyError`; no value is ever quoted."""
    try:
        if len(source) > _LIMIT:
            raise ValueError
        document = tomllib.loads(source.decode("utf-8"))
        if set(document) - {"people"}:
            raise ValueError
        people = msgspec.convert(
            document.get("people", []), tuple[PersonRule, ...], strict=True, from_attributes=False
        )
        known = {"id", "name", "issuer", "subject", "roles"}
        if any(set(table) - known for table in document.get("people", [])):
            raise ValueError
        for rule in people:
            parse_reviewer(rule.id)
            # Who acts at the terminal, or on the demo bucket, is nobody of the roster.
            if rule.id.startswith(("terminal:", "demo:")) or not (
                rule.name.strip() and rule.issuer and rule.subject and rule.roles
            ):
                raise ValueError
    except (BadName, ValueError):
        raise _misshapen() from None
    ids = [rule.id for rule in people]
    subjects = [(rule.issuer, rule.subject) for rule in people]
    # One human under two ids would be two pairs of eyes; a second login tells itself by its name.
    names = [_folded(rule.name) for rule in people]
    if any(len(set(found)) < len(found) for found in (ids, subjects, names)):
        raise PolicyError(
            "people.duplicate",
            "Two people have one id or one name, or one issuer and subject has two. One human has "
            "one entry and one login; namesakes need names that tell them apart.",
        )
    return people


def _folded(name: str) -> str:
    """Return a name as two spellings of it compare: without case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _misshapen() -> PolicyError:
    return PolicyError(
        "people.shape",
        "DESK_PEOPLE is TOML of [[people]] with id, name, issuer, subject and known roles.",
    )
