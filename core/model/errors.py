"""Every error names a stable code, a place, and a sentence for the person who must act.

No error carries record text, a secret, or the words of a library's exception: those quote
the value that broke them.
"""

from __future__ import annotations


class DeskError(Exception):
    """The root of everything the desk raises on purpose.

    Attributes:
        code: stable, dotted, documented in the README's table of codes.
        sentence: what happened and what the reader can do, in one or two sentences.
        place: an object key, a digest, a line number; never a value.
    """

    exit_status = 1

    def __init__(self, code: str, sentence: str, *, place: str = "") -> None:
        super().__init__(f"{code}: {sentence}" + (f" [{place}]" if place else ""))
        self.code = code
        self.sentence = sentence
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        """Survive a trip between processes."""
        return (_rebuild, (type(self), self.code, self.sentence, self.place))


def _rebuild(kind: type[DeskError], code: str, sentence: str, place: str) -> DeskError:
    return kind(code, sentence, place=place)


class BadName(DeskError):
    """A digest, version or person's id is not well formed."""

    exit_status = 2


class SettingsError(DeskError):
    """The environment is half configured or contradicts itself."""

    exit_status = 2


class PolicyError(DeskError):
    """A policy contradicts itself and is refused."""

    exit_status = 2


class StorageError(DeskError):
    """The bucket refused or broke."""


class Missing(StorageError):
    """No object at that key."""


class Exists(StorageError):
    """A conditional put found something there already."""


class Changed(StorageError):
    """The object is no longer the version that was listed or held."""


class Forbidden(StorageError):
    """The credentials may not do this; retrying will not help."""


class TooLarge(StorageError):
    """The object is larger than the reader allows."""


class Transient(StorageError):
    """The server or the network failed in a way that may pass."""


class KeyTaken(StorageError):
    """Other bytes already hold this key for good."""


class OutcomeUnknown(StorageError):
    """A write may or may not have landed. Never rounded to success or failure."""

    exit_status = 3


class JournalBroken(DeskError):
    """The journal's chain does not hold."""


class IntakeError(DeskError):
    """A source object or a build cannot go on."""


class GateError(DeskError):
    """A gate could not judge; the verdict is error."""


class ReviewError(DeskError):
    """A review act is refused."""


class NotAllowed(DeskError):
    """This person may not do this."""


class Blocked(DeskError):
    """The candidate may not be published; the blockers say why."""


class ReleaseError(DeskError):
    """A release cannot be published, opened or verified."""


class VersionTaken(ReleaseError):
    """The version's name has been used before."""


class NoSuchRelease(ReleaseError):
    """No manifest stands at that version."""


class Withdrawn(ReleaseError):
    """The release must no longer be used."""


class Cancelled(DeskError):
    """A person cancelled the job."""
