"""Lines decoded together are the lines decoded one by one, whatever they look like."""

from __future__ import annotations

import msgspec
import pytest

from core.gates.blocks import parse_block
from core.gates.comparison import Comparison
from core.gates.corpus import parse_line, parse_turns
from core.model.dataset import Shard
from core.model.errors import GateError
from core.model.names import Digest
from tests.builders import a_policy, a_row

SHARD = Shard(
    key="shards/x.jsonl",
    sha256=Digest("0" * 64),
    size=1,
    records=3,
    family="priority",
    split="train",
)
GOOD = [msgspec.json.encode(a_row(seed=n)) for n in range(3)]
WIDE = GOOD[0].replace(b'"content":"', '"content":"\u65e5\u672c \u00e9'.encode(), 1)
CLAIMS = ("record_id", "source_key", "source_line", "group_id")


@pytest.mark.parametrize(
    "lines",
    [
        GOOD,
        [WIDE, *GOOD],
        [GOOD[0], GOOD[1].replace(b'":', b'": ', 1), GOOD[2]],
        [GOOD[0], GOOD[1].replace(b'"role":"user"', b'"role":"expert"'), GOOD[2]],
        [GOOD[0].replace(b'"metadata":', b'"other":1,"metadata":')],
        [GOOD[0].replace(b'"source_line":', b'"source_line":1e3,"x":')],
        [b'{"messages":[{"role":"user","content":"hi"}]}'],
    ],
)
def test_a_block_gives_the_turns_and_claims_of_each_line(lines):
    got = parse_block(b"\n".join(lines) + b"\n", SHARD, 7)
    want = [parse_turns(line, SHARD, number) for number, line in enumerate(lines, 7)]
    assert [turns for turns, _ in got] == [turns for turns, _ in want]
    for (_, claims), (_, metadata) in zip(got, want, strict=True):
        assert [claims.get(name) for name in CLAIMS] == [metadata.get(name) for name in CLAIMS]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"", "gate.row_not_json"),
        (b"[]", "gate.row_shape"),
        (GOOD[1].replace(b'"metadata":', b'"messages":[],"metadata":'), "gate.row_not_json"),
        (GOOD[1].replace(b'"content":"', b'"content":"\\ud800', 1), "gate.row_text"),
        (GOOD[1].replace(b'"content":"', b'"content":"\xff', 1), "gate.row_not_json"),
    ],
)
def test_a_line_that_cannot_be_judged_is_named_by_its_own_number(bad, code):
    with pytest.raises(GateError) as caught:
        parse_block(b"\n".join([GOOD[0], bad, GOOD[2]]) + b"\n", SHARD, 40)
    assert (caught.value.code, caught.value.place) == (code, f"{SHARD.key}:41")


def test_what_could_not_be_kept_is_missing_for_every_gate_that_asks(tmp_path):
    comparison = Comparison(a_policy().near_duplicates, scratch=tmp_path)
    comparison.add(0, parse_line(GOOD[0], SHARD, 1))
    assert comparison._sketcher is not None
    comparison._sketcher.close()
    with pytest.raises(ValueError, match="closed file"):
        comparison.groups("digest")
    with pytest.raises(GateError, match=r"gate\.comparison_broken"):
        comparison.groups("digest")
