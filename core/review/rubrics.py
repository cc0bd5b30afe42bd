"""A rubric is versioned data; its digest names every word a reviewer was asked to weigh."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

from core.canonical import digest_of
from core.model.errors import PolicyError
from core.model.review import HardFail, Rubric, RubricItem
from core.review.tags import TAG_KINDS

_UNITS = ("record", "batch")
_ANCHORS = 3


@functools.cache
def load_rubrics() -> Mapping[str, Rubric]:
    """Return the packaged rubrics by id."""
    return parse_rubrics((resources.files("core.policy") / "rubrics.yaml").read_bytes())


def parse_rubrics(source: bytes) -> Mapping[str, Rubric]:
    """Return the rubrics of one YAML document by id.

    Raises:
        PolicyError: `policy.rubric` when the document is not one, or an id stands twice.
    """
    try:
        document = yaml.safe_load(source)
        rubrics = [_rubric(entry) for entry in document["rubrics"]]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refused("The rubric file does not have the shape of one.") from error
    found = {rubric.id: rubric for rubric in rubrics}
    if not rubrics or len(found) != len(rubrics):
        raise _refused("The rubric file is empty or names a rubric twice.")
    return found


def _rubric(entry: Mapping[str, Any]) -> Rubric:
    rubric = Rubric(
        id=str(entry["id"]),
        version=str(entry["version"]),
        question=str(entry["question"]),
        scale=tuple(int(step) for step in entry["scale"]),
        items=tuple(_item(item) for item in entry["items"]),
        hard_fails=tuple(
            HardFail(id=str(flag["id"]), name=str(flag["name"]), text=str(flag["text"]))
            for flag in entry["hard_fails"]
        ),
        verdicts=tuple(str(verdict) for verdict in entry["verdicts"]),
        digest=digest_of(_with_text_keys(entry)),
        tags={
            str(kind): tuple(str(word) for word in words)
            for kind, words in (entry.get("tags") or {}).items()
        },
        least_overall=int(entry.get("least_overall_tenths", 0)) / 10,
    )
    _check(rubric)
    return rubric


def _item(entry: Mapping[str, Any]) -> RubricItem:
    return RubricItem(
        id=str(entry["id"]),
        name=str(entry["name"]),
        definition=str(entry["definition"]),
        anchors={int(step): str(text) for step, text in entry["anchors"].items()},
        unit=str(entry.get("unit", "record")),
        required_when=str(entry.get("required_when", "")),
        needs=str(entry.get("needs", "")),
        weight=int(entry.get("weight", 0)) / 100,
        least=int(entry.get("least", 0)),
    )


def _check(rubric: Rubric) -> None:
    ids = [item.id for item in rubric.items] + [flag.id for flag in rubric.hard_fails]
    if len(set(ids)) != len(ids):
        raise _refused("An id stands twice in a rubric.")
    if not rubric.items or not rubric.hard_fails or "accept" not in rubric.verdicts:
        raise _refused("A rubric has items, hard fails and the verdict accept.")
    scale = list(rubric.scale)
    if scale != sorted(set(scale)) or len(scale) < 3:
        raise _refused("A rubric's scale has three steps or more, upwards, each once.")
    if rubric.tags and (set(rubric.tags) != set(TAG_KINDS) or not all(rubric.tags.values())):
        raise _refused("A rubric's tags are words for dimension, about_whom and harm.")
    for item in rubric.items:
        ends = {scale[0], scale[-1]} <= set(item.anchors) <= set(scale)
        if not ends or len(item.anchors) != _ANCHORS or item.unit not in _UNITS:
            raise _refused("An item has anchors at both ends and between, and a known unit.")
        if item.weight < 0 or (item.least and item.least not in scale[1:]):
            raise _refused("A weight is not under 0, and a pass mark is a step above the lowest.")
    if rubric.least_overall and not scale[0] < rubric.least_overall <= scale[-1]:
        raise _refused("The pass mark of the weighted mean lies on the scale.")
    weights = sum(item.weight for item in rubric.items)
    if (weights or rubric.least_overall) and abs(weights - 1) > 1e-9:
        raise _refused("The weights of a rubric's items sum to 100.")


def _with_text_keys(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in value]
    return value


def _refused(sentence: str) -> PolicyError:
    return PolicyError("policy.rubric", sentence)
