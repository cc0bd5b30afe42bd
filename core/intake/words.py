"""A column of few different words is one small number per record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class Words:
    """A column of `count` words. `codes` index `known`, which grows as words are met."""

    def __init__(self, count: int) -> None:
        self.codes: npt.NDArray[np.int32] = np.zeros(count, np.int32)
        self.known: list[str] = []
        self._places: dict[str, int] = {}

    def fill(self, start: int, words: pa.ChunkedArray) -> None:
        """Put words from place `start` on."""
        for chunk in words.chunks:
            encoded = chunk.dictionary_encode()
            codes = np.array([self._code(word) for word in encoded.dictionary.to_pylist()] or [0])
            self.codes[start : start + len(chunk)] = codes[encoded.indices.to_numpy()]
            start += len(chunk)

    def is_word(self, word: str) -> npt.NDArray[np.bool_]:
        """Return for each record whether `word` is its word."""
        code = self._places.get(word, -1)
        return np.asarray(self.codes == code)

    def to_list(self) -> list[str]:
        """Return the words, one per record."""
        return list(map(self.known.__getitem__, self.codes.tolist()))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, place: int) -> str:
        return self.known[int(self.codes[place])]

    def _code(self, word: str) -> int:
        if word not in self._places:
            self._places[word] = len(self.known)
            self.known.append(word)
        return self._places[word]


def words_of(values: Sequence[str]) -> Words:
    """Return the column of `values`."""
    words = Words(len(values))
    words.fill(0, pa.chunked_array([pa.array(values, pa.string())]))
    return words
