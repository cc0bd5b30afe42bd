"""What dialogues are compared by, made of turns that are squeezed already, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.intake.compiled import compiled
from core.intake.folding import Folded, copy_bytes, cut, write_number
from core.intake.kernel import Indices
from core.intake.squeeze import Squeezed
from core.intake.utf8 import join_texts
from core.model.dataset import Role

_ROLES: tuple[Role, ...] = ("system", "user", "assistant")
_CODES = {role: code for code, role in enumerate(_ROLES)}
# Room beside a turn for its role, its colons and its length in decimal digits.
_HEAD = 32


def compare_by(squeezed: Squeezed, roles: Sequence[Role], talks: Indices) -> list[Folded]:
    """Return what `core.intake.folding.fold_dialogues` gives of the dialogues.

    That squeezes the turns; a scan has done so before. `tests/properties/test_folding.py` holds
    the two together.

    Args:
        squeezed: their turns, end to end.
        roles: of each turn.
        talks: at which turn each dialogue begins, and at which the last one ends.
    """
    codes = np.fromiter(map(_CODES.__getitem__, roles), np.uint8, len(roles))
    _, names, bounds = join_texts(_ROLES)
    room = int((squeezed.ends - squeezed.starts).sum()) + len(roles)
    text = np.empty(room, np.uint8)
    signed = np.empty(room + _HEAD * len(roles), np.uint8)
    marks = np.empty((len(talks) - 1, 4), np.int64)
    _compare_all(
        squeezed.data,
        squeezed.starts,
        squeezed.ends,
        codes,
        talks,
        names,
        bounds,
        text,
        signed,
        marks,
    )
    return cut(text.tobytes(), memoryview(signed), marks.tolist())  # type: ignore[arg-type]


@compiled
def _compare_all(
    data: Any,
    starts: Any,
    ends: Any,
    roles: Any,
    talks: Any,
    names: Any,
    name_bounds: Any,
    text: Any,
    signed: Any,
    marks: Any,
) -> Any:
    """Write texts to `text`, and role, length and content of their turns to `signed`.

    A row of `marks` says where a dialogue ends in either, and where its first user turn begins
    and ends in `text`. What the system says is left out.
    """
    at = 0
    end = 0
    for dialogue in range(talks.size - 1):
        marks[dialogue, 2] = -1
        marks[dialogue, 3] = -1
        first = True
        for turn in range(talks[dialogue], talks[dialogue + 1]):
            role = roles[turn]
            if role == 0:
                continue
            if not first:
                text[at] = 10
                at += 1
            first = False
            begin = at
            at = copy_bytes(data, starts[turn], ends[turn], text, at)
            if role == 1 and marks[dialogue, 2] < 0:
                marks[dialogue, 2] = begin
                marks[dialogue, 3] = at
            end = copy_bytes(names, name_bounds[role], name_bounds[role + 1], signed, end)
            signed[end] = 58
            end = write_number(at - begin, signed, end + 1)
            signed[end] = 58
            end = copy_bytes(text, begin, at, signed, end + 1)
        marks[dialogue, 0] = at
        marks[dialogue, 1] = end
