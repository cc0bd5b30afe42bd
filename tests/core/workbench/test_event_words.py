"""Whatever any part of the core writes into the journal, the audit page has words for it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from core.workbench.event_words import SENTENCES, UNKNOWN, sentence_for

ROOT = Path(__file__).resolve().parents[3]
DOTTED = re.compile(r"[a-z_]+\.[a-z_]+")
Function = ast.FunctionDef
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "core").rglob("*.py"))}
CALLS = [
    (path, node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Call)
]


def called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def constant(path: Path, node: ast.expr) -> str | None:
    """The text an expression stands for: a literal, or a constant of its module."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        value = getattr(importlib.import_module(module), node.id, None)
        return value if isinstance(value, str) else None
    return None


def kinds(path: Path, node: ast.expr, function: Function | None) -> Iterator[str]:
    """The event types an expression may hold; a parameter holds what its callers give."""
    if isinstance(node, ast.IfExp):
        yield from kinds(path, node.body, function)
        yield from kinds(path, node.orelse, function)
        return
    found = constant(path, node)
    if found is not None:
        yield found
        return
    assert isinstance(node, ast.Name), ast.unparse(node)
    assert function is not None, ast.unparse(node)
    assigned = [
        one.value
        for one in ast.walk(function)
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == node.id
    ]
    for value in assigned:
        yield from kinds(path, value, function)
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    if assigned or function.name == "record":
        return
    at = names.index(node.id)
    given = [
        (where, call.args[at])
        for where, call in CALLS
        if called(call) == function.name and len(call.args) > at
    ]
    assert given, function.name
    for where, value in given:
        yield from kinds(where, value, None)


def opens_an_event(node: ast.Dict) -> bool:
    """An event is a mapping whose first key is its type."""
    return (
        bool(node.keys) and isinstance(node.keys[0], ast.Constant) and node.keys[0].value == "type"
    )


def written() -> set[str]:
    found: set[str] = set()
    for path, tree in TREES.items():
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            for node in ast.walk(function):
                if isinstance(node, ast.Dict) and opens_an_event(node):
                    if isinstance(node.values[0], (ast.Constant, ast.Name)):
                        found.update(kinds(path, node.values[0], function))
                elif isinstance(node, ast.Call) and called(node) == "record" and len(node.args) > 1:
                    found.update(kinds(path, node.args[1], function))
    return {kind for kind in found if DOTTED.fullmatch(kind)}


def test_every_event_type_the_core_writes_has_a_sentence_and_no_sentence_is_left_over() -> None:
    found = written()
    assert len(found) >= 35
    assert sorted(found - set(SENTENCES)) == []
    assert sorted(set(SENTENCES) - found) == []


def test_the_sentences_are_sentences_and_tell_events_apart() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    for sentence in SENTENCES.values():
        assert sentence[0].isupper(), sentence
        assert sentence[-1] in ".?", sentence
        assert len(sentence) <= 90, sentence


def test_an_event_of_a_newer_desk_is_admitted_to_be_unknown() -> None:
    assert sentence_for("moon.landed") == UNKNOWN
