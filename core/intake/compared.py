"""A set of records is compared by what they say: copies by digest, the rest by shingles.

The texts lie in an unnamed file on the local disk until the set is closed; in memory stand
digests and signatures, about 700 bytes a record.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from types import TracebackType

import numpy as np

from core.intake.kernel import Indices, Signatures, sketch
from core.intake.near import Pairs, find_pairs
from core.intake.text import compared_text, digest_dialogue, digest_prompt
from core.model.dataset import Message
from core.policy.types import NearDuplicateRule

_BATCH = 512


class ComparedSet:
    """Records by index, in the order they were added. Everything comes from their messages.

    Attributes:
        digests: 16 bytes each, of who said what (see `digest_dialogue`).
        prompts: 16 bytes each, of the first user turn; empty where there is none.
    """

    def __init__(self, rule: NearDuplicateRule) -> None:
        self.rule = rule
        self.digests: list[bytes] = []
        self.prompts: list[bytes] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._places: list[tuple[int, int]] = []
        self._waiting: list[str] = []
        self._signatures: list[Signatures] = []
        self._counts: list[Indices] = []

    def __enter__(self) -> ComparedSet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, messages: Sequence[Message]) -> None:
        """Add one record."""
        text = compared_text(messages)
        self.digests.append(digest_dialogue(messages))
        self.prompts.append(digest_prompt(messages))
        self._places.append((self._file.tell(), self._file.write(text.encode())))
        self._waiting.append(text)
        if len(self._waiting) == _BATCH:
            self._sketch()

    def copies(self) -> list[list[int]]:
        """Return every text that stands more than once, as the indices it stands at."""
        return [group for group in self._groups() if len(group) > 1]

    def near_pairs(self) -> tuple[list[list[int]], Pairs]:
        """Return the distinct texts, as the indices each stands at, and their similar pairs.

        The pairs index the distinct texts: a text that stands in two splits has to be judged
        by all the places it stands at, not by the first.
        """
        self._sketch()
        groups = self._groups()
        heads = [group[0] for group in groups]
        if not heads:
            return groups, find_pairs([], *_nothing(self.rule), lambda some: [], self.rule)
        pairs = find_pairs(
            [self.digests[head] for head in heads],
            np.concatenate(self._signatures)[heads],
            np.concatenate(self._counts)[heads],
            lambda some: [self._text(heads[place]) for place in some],
            self.rule,
        )
        return groups, pairs

    def close(self) -> None:
        """Let the texts go."""
        self._file.close()

    def _groups(self) -> list[list[int]]:
        groups: dict[bytes, list[int]] = {}
        for index, digest in enumerate(self.digests):
            groups.setdefault(digest, []).append(index)
        return list(groups.values())

    def _sketch(self) -> None:
        if self._waiting:
            signatures, counts = sketch(
                self._waiting,
                shingle=self.rule.shingle,
                count=self.rule.permutations,
                seed=self.rule.seed,
            )
            self._signatures.append(signatures)
            self._counts.append(counts)
            self._waiting.clear()

    def _text(self, index: int) -> str:
        start, length = self._places[index]
        self._file.seek(start)
        text = self._file.read(length).decode()
        self._file.seek(0, 2)
        return text


def _nothing(rule: NearDuplicateRule) -> tuple[Signatures, Indices]:
    return np.empty((0, rule.permutations), np.uint32), np.empty(0, np.int64)
