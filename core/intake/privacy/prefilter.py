"""One compiled pass says of most turns that no trigger can be in them; the rest are read in full.

It may say too often that a turn needs reading, and never too seldom: every trigger of
`core.intake.privacy.triggers` implies one of the signs looked for here. Anything beyond ASCII
always needs reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.intake.kernel import compiled
from core.intake.privacy.triggers import LITERALS, LONG_TOKEN

_DIGIT, _LETTER, _JOINT, _HEX, _DOT, _COLON = 1, 2, 4, 8, 16, 32
Table = npt.NDArray[Any]


def worth_reading(texts: Sequence[str]) -> list[bool]:
    """Return for each text whether it must be read in full; False means nothing is in it."""
    codes = [text.encode("ascii") if text.isascii() else b"\xff" for text in texts]
    bounds = np.zeros(len(codes) + 1, np.int64)
    np.cumsum([len(data) for data in codes], out=bounds[1:])
    flags = np.zeros(len(codes), np.bool_)
    steps, accepts, kinds = _tables()
    joined = np.frombuffer(b"".join(codes), np.uint8)
    _look(joined, bounds, steps, accepts, kinds, LONG_TOKEN, flags)
    found: list[bool] = flags.tolist()
    return found


@compiled
def _look(
    codes: Any, bounds: Any, steps: Any, accepts: Any, kinds: Any, longest: Any, flags: Any
) -> Any:
    for text in range(bounds.size - 1):
        state = 0
        run = 0
        before = 0
        dotted = False
        timed = False
        for at in range(bounds[text], bounds[text + 1]):
            code = codes[at]
            if code >= 128:
                flags[text] = True
                break
            kind = kinds[code]
            state = steps[state, code]
            run = run + 1 if kind & 4 else 0
            # A digit; a full stop before a letter; two colons, or one between hex digits.
            sign = kind & 1 or (dotted and kind & 2) or (timed and kind & 8)
            sign = sign or (kind & 32 and before & 32)
            if sign or accepts[state] or run >= longest:
                flags[text] = True
                break
            dotted = kind & 16 != 0
            timed = kind & 32 != 0 and before & 8 != 0
            before = kind


@cache
def _tables() -> tuple[Table, Table, Table]:
    """Return the automaton of the literals (lower and upper case alike) and the kinds of signs."""
    children: list[dict[int, int]] = [{}]
    ends = [False]
    for literal in LITERALS:
        # A literal beyond ASCII lies in a text beyond ASCII, which is read in full anyway.
        if not literal.isascii():
            continue
        state = 0
        for code in literal.encode():
            if code not in children[state]:
                children.append({})
                ends.append(False)
                children[state][code] = len(children) - 1
            state = children[state][code]
        ends[state] = True
    steps = np.zeros((len(children), 128), np.int32)
    fails = [0] * len(children)
    order = [0]
    for state in order:
        for code in range(128):
            child = children[state].get(code)
            fallback = int(steps[fails[state], code]) if state else 0
            if child is None:
                steps[state, code] = fallback
            else:
                steps[state, code] = child
                fails[child] = fallback
                ends[child] = ends[child] or ends[fallback]
                order.append(child)
    for letter in range(26):
        steps[:, ord("A") + letter] = steps[:, ord("a") + letter]
    return steps, np.array(ends, np.bool_), _kinds()


def _kinds() -> Table:
    kinds = np.zeros(128, np.int64)
    for code in range(128):
        sign = chr(code)
        kinds[code] = (
            _DIGIT * sign.isdigit()
            | _LETTER * sign.isalpha()
            | _JOINT * (sign.isalnum() or sign in "_-")
            | _HEX * (sign in "0123456789abcdefABCDEF")
            | _DOT * (sign == ".")
            | _COLON * (sign == ":")
        )
    return kinds
