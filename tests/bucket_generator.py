"""A small bucket with every defect of the real one, each object beside what must become of it.

All text is invented. About 2,000 keys: some eighty that hold a defect, the rest the noise that
lies around data everywhere (locks, images, scripts, scraps of text).
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.builders import a_text


@dataclass(frozen=True, kw_only=True)
class Planted:
    """An object and what a scan must say of it. `etag` is given where S3 would give another."""

    body: bytes
    container: str
    records: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    lanes: Mapping[str, int] = field(default_factory=dict)
    etag: str = ""

    @property
    def rows(self) -> int:
        return self.records + sum(self.rejected.values()) + sum(self.lanes.values())


def talk(seed: object, **more: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"{a_text(f'{seed} asked', 18)}?"},
            {"role": "assistant", "content": f"{a_text(f'{seed} told', 26)}."},
        ],
        **more,
    }


def talks(seed: str, count: int) -> list[dict[str, Any]]:
    return [talk(f"{seed} {number}") for number in range(count)]


def lines(rows: Sequence[object]) -> bytes:
    parts = [row if isinstance(row, bytes) else _json(row) for row in rows]
    return b"".join(part + b"\n" for part in parts)


def _json(value: object, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()


def _spoken(seed: object) -> tuple[str, str]:
    asked, told = talk(seed)["messages"]
    return asked["content"], told["content"]


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _refused(code: str, body: bytes, container: str, **more: Any) -> Planted:
    return Planted(body=body, container=container, rejected={code: 1}, **more)


def _good(body: bytes, records: int, container: str = "jsonl", **more: Any) -> Planted:
    return Planted(body=body, container=container, records=records, **more)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 42848\n"
PROSE = " ".join(f"{a_text(f'prose {n}', 14).capitalize()}." for n in range(24))
G = "datasets/gdrive/"
C = "datasets/consolidated/"
PRIORITY = f"{G}tier1_priority/"
FOUNDATION = f"{G}processed/professional_therapeutic/"
COT = f"{G}tier3_cot_reasoning/"
EDGE = f"{G}tier3_edge_crisis/"
VOICE = f"{G}tier4_voice_persona/"


def bucket(noise: int = 1_900) -> dict[str, Planted]:
    """Return every object by its key."""
    return {
        **_copies(),
        **_containers(),
        **_shapes(),
        **_damage(),
        **_texts(),
        **dict(_noise(noise)),
    }


def _copies() -> dict[str, Planted]:
    final = lines(talks("priority one", 12))
    near = talks("training", 6)
    later = [{**row, "messages": [row["messages"][0], _longer(row["messages"][1])]} for row in near]
    return {
        f"{C}datasets/priority_1_FINAL.jsonl": _good(final, 12, etag="a" * 32 + "-16"),
        f"{C}raw/priority/priority_1.jsonl": _good(final, 12, etag="b" * 32 + "-20"),
        f"{PRIORITY}priority_1_conversations.jsonl": _good(final, 12),
        f"{G}processed/priority_datasets/alpha.jsonl": _good(
            lines(talks("alpha", 4)), 4, etag="c" * 64
        ),
        "datasets/training_v2/stage1_foundation/Amod.jsonl": _good(lines(near), 6),
        "datasets/training_v3/stage1_foundation/Amod.jsonl": _good(lines(later), 6),
        **{
            f"{G}processed/priority_complete_fixed/priority_{n}_complete.jsonl": _good(
                lines(talks(f"same size {n}", 3))[:-1].ljust(16_000) + b"\n", 3
            )
            for n in (1, 2, 3)
        },
        f"{C}conversations/train_20250526.jsonl": _refused("object.empty", b"", "empty"),
        f"{C}conversations/val_20250526.jsonl": _good(lines(talks("val", 5)), 5),
        f"{PRIORITY}again.jsonl.jsonl": _good(lines(talks("priority one", 3)), 3),
    }


def _longer(turn: dict[str, str]) -> dict[str, str]:
    return {**turn, "content": turn["content"] + " Yes."}


def _containers() -> dict[str, Planted]:
    rows = talks("packed", 8)
    keyed = {f"k-{n}": {"prompt": _spoken(n)[0], "response": _spoken(n)[1]} for n in range(5)}
    concepts = {f"c{n}": {"name": a_text(n, 2), "definition": a_text(n, 9)} for n in range(4)}
    turns = b"\n".join(_json(turn) for turn in rows[0]["messages"])
    table = b'Context,Response\n"one, ""two""\nthree","four"\nfive,"six\nseven"\n'
    matrix = [",".join(f"tfidf_{n}" for n in range(12))]
    matrix += [",".join(f"0.{n}" for n in range(12))] * 6
    return {
        f"{C}edge_cases/edge_case_prompts.jsonl": Planted(
            body=b"\n".join(_json({"prompt": a_text(n, 9)}, indent=2) for n in range(4)),
            container="json_concatenated",
            lanes={"prompt_only": 4},
        ),
        f"{PRIORITY}array.json": _good(_json(rows), 8, "json_array"),
        f"{PRIORITY}wrapped.json": _good(
            _json({"about": {"n": 8}, "filtered_conversations": rows}, 1), 8, "json_object"
        ),
        f"{PRIORITY}by_id.json": _good(_json(keyed), 5, "json_keyed"),
        f"{C}psychology_knowledge/base.json": _refused_rows(
            _json({"concepts": concepts}), {"row.unknown_shape": 4}, "json_keyed"
        ),
        f"{G}raw/SoulChat2.0/PsyDTCorpus/packed.json": _good(
            _json({"conversations": [row["messages"] for row in rows]}), 8, "json_object"
        ),
        f"{G}raw/SoulChat2.0/PsyDTCorpus/packed.jsonl": _good(
            lines(
                [{"id": n, "conversations": [row["messages"]] * 2} for n, row in enumerate(rows)]
            ),
            16,
        ),
        f"{FOUNDATION}neuro_raw.json": _good(_json({"text": turns.decode()}), 1, "json_object"),
        f"{FOUNDATION}interview.csv": _good(table, 2, "csv"),
        f"{FOUNDATION}sides.csv": _good(b"Client,Therapist\n" + b'"a, b",c\nd,e\n', 2, "csv"),
        f"{FOUNDATION}ragged.csv": Planted(
            body=b"prompt,response\na,b\nonly one\nc,d\n",
            container="csv",
            records=2,
            rejected={"csv.cells": 1},
        ),
        f"{G}raw/reddit/adhd_2019_features_tfidf_256.csv": _refused(
            "object.feature_matrix", "\n".join(matrix).encode(), "csv"
        ),
        f"{C}datasets/train-00000-of-00001.parquet": _good(_parquet(rows), 8, "parquet"),
        f"{G}raw/Amod/default/0.0.0/amod-train.arrow": _good(_arrow(rows), 8, "arrow_stream"),
        f"{PRIORITY}rows.jsonl.gz": _good(gzip.compress(lines(rows)), 8, "gzip/jsonl"),
        f"{PRIORITY}rows.jsonl.zst": _good(
            zstandard.ZstdCompressor().compress(lines(rows)), 8, "zstd/jsonl"
        ),
        f"{PRIORITY}cut.jsonl.gz": _refused(
            "object.corrupt", gzip.compress(lines(rows))[:-5], "gzip"
        ),
        f"{PRIORITY}bomb.jsonl.gz": _refused("object.too_large", _bomb(), "gzip"),
    }


def _refused_rows(body: bytes, codes: Mapping[str, int], container: str = "jsonl") -> Planted:
    return Planted(body=body, container=container, rejected=codes)


def _bomb() -> bytes:
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1) as file:
        for _ in range(80):
            file.write(bytes(1 << 20))
    return sink.getvalue()


def _shapes() -> dict[str, Planted]:
    asked, told = _spoken("shape")
    placeholder = "[Therapeutic response pattern for stage 1]"
    doubled = [
        {"messages": [turn("user", json.dumps(talk(n))), turn("assistant", placeholder)]}
        for n in range(4)
    ]
    rows: dict[str, dict[str, Any]] = {
        "2_client": {"messages": [turn("client", asked), turn("therapist", told)]},
        "3_conversation": {"conversation": [turn("client", asked), turn("counselor", told)]},
        "4_synonyms": {"conversation": [_said("patient", asked), _said("doctor", told)]},
        "5_sharegpt": {"conversations": [_from("human", asked), _from("gpt", told)]},
        "6_single_key": {"conversations": [{"human": asked}, {"assistant": told}]},
        "7_pairs": {"conversations": [{"human": asked, "assistant": told}]},
        "8_prompt": {"prompt": asked, "response": told},
        "9_alpaca": {"instruction": asked, "input": "x", "output": told},
        "9_dolly": {"instruction": asked, "context": "x", "response": told},
        "10_context": {"Context": asked, "Response": told},
        "11_counsel": {"questionTitle": "T", "questionText": asked, "answerText": told},
        "12_cot": {"question": asked, "answer": told, "reasoning_steps": ["a", "b"]},
        "13_chain": {"problem_statement": asked, "reasoning_chain": ["a"], "conclusion": told},
        "14_crisis": {"crisis_type": "x", "client_message": asked, "counselor_response": told},
        "15_persona": {"text": "x", "prompt": asked, "response": told, "metadata": {"a": 1}},
        "20_context": talk("x", context={"disorder": "y"}),
        "22_scored": talk("y", text="z", metadata={"quality_score": 0.5}),
        "doubled_sound": {"text": json.dumps(talk("z"))},
    }
    lanes: dict[str, tuple[dict[str, Any], str]] = {
        "16_text": ({"text": asked, "label": 1}, "text_only"),
        "17_scenario": ({"scenario": asked}, "prompt_only"),
        "18_dpo": ({"prompt": asked, "chosen": told, "rejected": "no"}, "preference"),
        "18_sharegpt": ({"conversations": [], "chosen": {}, "rejected": {}}, "preference"),
        "19_safety": ({"messages": [turn("user", asked)], "expected_safety": "x"}, "evaluation"),
        "23_profile": ({"sentence_starters": {"So": 2}, "analogies": ["x"]}, "persona"),
    }
    shared = [{"Context": asked, "Response": f"{told} {n}"} for n in range(8)]
    tree = [
        {"message_id": "q", "parent_id": None, "role": "prompter", "text": asked},
        {"message_id": "a", "parent_id": "q", "role": "assistant", "text": told},
        {"message_id": "b", "parent_id": "q", "role": "assistant", "text": told + " Or so."},
    ]
    return {
        **{
            f"{FOUNDATION}shapes/{name}.jsonl": _good(lines([row, row]), 2)
            for name, row in rows.items()
        },
        **{
            f"{FOUNDATION}lanes/{name}.jsonl": Planted(
                body=lines([row, row]), container="jsonl", lanes={lane: 2}
            )
            for name, (row, lane) in lanes.items()
        },
        f"{FOUNDATION}eight_answers.jsonl": _good(lines(shared), 8),
        f"{FOUNDATION}v2026-04-03.jsonl": _refused_rows(lines(doubled), {"row.double_encoded": 4}),
        f"{FOUNDATION}constant.jsonl": _good(
            lines([{"prompt": a_text(n, 12), "response": placeholder} for n in range(6)]), 6
        ),
        f"{FOUNDATION}over_redacted.jsonl": _good(
            lines([{"prompt": "I [NAME_REDACTED]. " * 9, "response": "[NAME_REDACTED] " * 9}] * 2),
            2,
        ),
        f"{EDGE}oasst.jsonl": _good(lines(tree), 2, lanes={"thread": 1}),
        f"{FOUNDATION}no_provenance.jsonl": _good(lines(talks("bare", 2)), 2),
        f"{FOUNDATION}requires_review.jsonl": _good(
            lines([talk("review", metadata={"pii_status": "requires_review"})] * 2), 2
        ),
        f"{FOUNDATION}unknown.jsonl": _refused_rows(
            lines([{"case": a_text(n, 5), "advice": "x"} for n in range(3)]),
            {"row.unknown_shape": 3},
        ),
    }


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _said(speaker: str, text: str) -> dict[str, str]:
    return {"speaker": speaker, "text": text}


def _from(speaker: str, value: str) -> dict[str, str]:
    return {"from": speaker, "value": value}


def _damage() -> dict[str, Planted]:
    sound = talks("sound", 3)
    crisis = [b'{"client_message": "a\x01b", "counselor_response": "c"}', *sound]
    return {
        f"{G}raw/MentalHealth/data/train-00000.parquet": _refused(
            "object.lfs_pointer", LFS, "lfs_pointer"
        ),
        f"{COT}CoT_cut.json": Planted(
            body=_json(sound)[:-40],
            container="json_array",
            records=2,
            rejected={"json.truncated": 1},
        ),
        f"{EDGE}control.jsonl": Planted(
            body=lines(crisis), container="jsonl", records=3, rejected={"line.bad_json": 1}
        ),
        f"{EDGE}latin1.jsonl": Planted(
            body=lines([*sound, '{"prompt": "caf\xe9?", "response": "yes"}'.encode("latin-1")]),
            container="jsonl",
            records=3,
            rejected={"line.not_utf8": 1},
        ),
        f"{EDGE}losses.jsonl": Planted(
            body=lines(
                [
                    *sound,
                    b'{"a": 1, "a": 2}',
                    b'{"prompt": NaN, "response": "x"}',
                    b'{"prompt": "\\ud800", "response": "x"}',
                    b"[" * 5_000,
                    b"a" * ((1 << 20) + 1),
                    {"messages": [turn("user", "x"), turn("narrator", "y")]},
                    {"messages": [turn("user", " "), turn("assistant", "y")]},
                    {"messages": []},
                    "bare",
                ]
            ),
            container="jsonl",
            records=3,
            rejected={
                "line.too_deep": 1,
                "line.duplicate_key": 1,
                "line.number": 1,
                "line.surrogate": 1,
                "line.too_long": 1,
                "row.unknown_role": 1,
                "row.empty_turn": 1,
                "row.no_turns": 1,
                "row.not_an_object": 1,
            },
        ),
        f"{G}raw/emotions/images12_face.png": _refused(
            "object.image", b"\x89PNG\r\n\x1a\n\x00\x00", "image"
        ),
        f"{C}datasets/A Book (Z-Library).pdf": _refused("object.pdf", b"%PDF-1.7\n%\xe2", "pdf"),
        f"{C}edge_cases/generator.ipynb": _refused(
            "object.notebook", _json({"cells": [{"cell_type": "code"}], "nbformat": 4}), "notebook"
        ),
        f"{C}datasets/empathetic_dialogues.py": _refused(
            "object.source_code",
            b"import os\n\n\ndef main():\n    return os.getcwd()\n",
            "source_code",
        ),
    }


def _texts() -> dict[str, Planted]:
    spoken = [row["messages"][1]["content"] for row in talks("zh", 2)]
    chinese = {
        "conversation": [
            turn("client", "我最近总是睡不好，工作压力很大，不知道该怎么办。"),
            turn("therapist", "听起来你承受了很多。可以说说最近发生了什么吗？"),
        ]
    }
    planted = talk("planted")
    planted["messages"][0]["content"] += (
        " Write to jane.roe@example.com or 503-555-0188; my SSN is 536-22-8741. I called 988."
    )
    secret = "AKIA" + "ABCDEFGH" + "IJKLMNOP"
    return {
        f"{VOICE}Patrick Teahan /The Part 21 ｜ Why： “Us”？ ⧸ end.txt": Planted(
            body=PROSE.encode(), container="monologue", lanes={"transcript": 1}
        ),
        f"{C}transcripts/PLpvbEN3KkqoJ_NA_Grief #3 & more.md": Planted(
            body=PROSE.encode(), container="monologue", lanes={"transcript": 1}
        ),
        f"{VOICE}Doc/two voices.txt": _good(
            f"Therapist: {spoken[0]}\nClient: {spoken[1]}\n".encode(), 1, "transcript"
        ),
        f"{VOICE}来访者/对话.jsonl": _good(lines([chinese, chinese]), 2),
        f"{EDGE}planted.jsonl": _good(lines([planted, talk("other")]), 2),
        f"{PRIORITY}{secret}/rows (1).jsonl": _good(lines(talks("secret key", 2)), 2),
        "voice/profile.json": Planted(
            body=_json({"sentence_starters": {"So": 4}, "empathy_markers": {"I hear": 2}}),
            container="json_object",
            lanes={"persona": 1},
        ),
    }


def _noise(count: int) -> Iterator[tuple[str, Planted]]:
    kinds = (
        (
            "lightning/text_files/toothpaste_{n:05}.txt",
            b"toothpaste\n",
            "object.unsupported",
            "text",
        ),
        ("vps/.cache/huggingface/{n}.incomplete_info.lock", b"", "object.empty", "empty"),
        ("vps/emotions/{n}/images{n}_face.png", b"\x89PNG\r\n\x1a\n", "object.image", "image"),
        ("vps/src/mod_{n}.py", b"import os\nimport sys\n", "object.source_code", "source_code"),
        ("docs/{n}/README.md", b"# A title\n\n- one\n- two\n", "object.unsupported", "text"),
    )
    for n in range(count):
        name, body, code, container = kinds[n % len(kinds)]
        yield f"datasets/local/ai/{name.format(n=n)}", _refused(code, body, container)
