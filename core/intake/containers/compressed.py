"""Compressed bytes are inflated in bounded steps, and what cannot be trusted is refused.

A stream gives nothing until its checksum and its end have been seen; a bomb is given up once it
has grown past the limit or out of all proportion.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import zstandard

from core.intake.containers.blocks import ObjectTooLarge

_STEP: Final = 1 << 20
# A zstd block of four bytes may stand for 128 KiB: 512 bytes of input are at most 16 MiB.
_ZSTD_INPUT: Final = 512
_ZSTD_WINDOW: Final = 1 << 27
_GZIP: Final = b"\x1f\x8b"
# Dialogue shrinks to a fifth; repeated templates to a fiftieth. Beyond this it is a bomb.
_RATIO: Final = 200
_FREE: Final = 64 << 20


class BadStream(Exception):
    """Compressed bytes that are damaged or cut short."""


def inflate(
    blocks: Iterable[bytes], *, kind: str, limit: int, cut: bool = False
) -> Iterator[bytes]:
    """Yield what `blocks` (of `kind` gzip or zstd) inflate to, in pieces of bounded size.

    Args:
        blocks: the compressed bytes; several members or frames may follow one another.
        kind: "gzip" or "zstd".
        limit: the most bytes they may inflate to.
        cut: they may end anywhere, without this being held against them.

    Raises:
        BadStream: they are damaged, or cut short although not `cut`.
        ObjectTooLarge: they inflate beyond `limit`, or to more than 200 times their size.
    """
    counted = _Counted(blocks)
    pieces = _gunzip(counted, cut=cut) if kind == "gzip" else _unzstd(counted, cut=cut)
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > limit or length > max(_FREE, _RATIO * counted.size):
            raise ObjectTooLarge
        yield piece


def inflate_file(file: BinaryIO, *, kind: str, limit: int) -> Iterator[bytes]:
    """Yield what the whole of `file` inflates to; raises as `inflate` does."""
    file.seek(0)
    return inflate(iter(lambda: file.read(_STEP), b""), kind=kind, limit=limit)


class _Counted:
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.size += len(block)
            yield block


def _gunzip(blocks: Iterable[bytes], *, cut: bool) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    begun = done = False
    for block in blocks:
        waiting = block
        while waiting:
            if member.eof:
                waiting = waiting.lstrip(b"\x00") if done else waiting
                if not waiting:
                    break
                if not _GZIP.startswith(waiting[:2]):
                    raise BadStream
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(waiting, _STEP)
            except zlib.error:
                raise BadStream from None
            begun, done = True, member.eof
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if piece:
                yield piece
    if not begun or (not member.eof and not cut):
        raise BadStream


def _unzstd(blocks: Iterable[bytes], *, cut: bool) -> Iterator[bytes]:
    maker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = maker.decompressobj()
    begun = False
    for block in blocks:
        for start in range(0, len(block), _ZSTD_INPUT):
            waiting = block[start : start + _ZSTD_INPUT]
            while waiting:
                if frame.eof:
                    frame = maker.decompressobj()
                try:
                    piece = frame.decompress(waiting)
                except zstandard.ZstdError:
                    raise BadStream from None
                begun = True
                waiting = frame.unused_data if frame.eof else b""
                if piece:
                    yield piece
    if not begun or (not frame.eof and not cut):
        raise BadStream
