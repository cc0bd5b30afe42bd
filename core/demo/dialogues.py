"""A dialogue follows one thread: something is told, heard, asked about, and taken one step on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.demo.dice import Dice
from core.demo.sentences import Case, Exchange, Topic, bank, cases, fill, topics
from core.model.errors import DeskError

_TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a demo dialogue."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """A dialogue before it is given a row shape. `system` is empty where there is none."""

    topic: str
    turns: tuple[Turn, ...]
    system: str = ""

    @property
    def prompt(self) -> str:
        """The first user turn."""
        return self.turns[0].text

    @property
    def words(self) -> list[str]:
        """Every word of every turn, in order."""
        return " ".join(turn.text for turn in self.turns).split()

    def with_turn(self, position: int, text: str) -> Dialogue:
        """Return the same dialogue with another text at `position`."""
        turns = list(self.turns)
        turns[position] = replace(turns[position], text=text)
        return replace(self, turns=tuple(turns))

    def with_system(self, system: str) -> Dialogue:
        """Return the same dialogue under a system prompt."""
        return replace(self, system=system)


class Author:
    """Writes dialogues with one dice and never begins two of them with the same words.

    `begun` is shared between authors, so that prompts differ over the whole bucket.
    """

    def __init__(self, dice: Dice, begun: set[str]) -> None:
        self.dice = dice
        self._begun = begun

    def write(self, draft: Callable[[Dice], Dialogue]) -> Dialogue:
        """Return a dialogue of `draft` whose prompt nobody has used yet."""
        for _ in range(_TRIES):
            dialogue = draft(self.dice)
            if dialogue.prompt not in self._begun:
                self._begun.add(dialogue.prompt)
                return dialogue
        raise DeskError("demo.banks_exhausted", "The sentence banks are too small for the demo.")


def counselling(dice: Dice, *, low: int = 1, high: int = 3) -> Dialogue:
    """Return a session with `low` to `high` rounds of question and answer (4 to 12 turns)."""
    topic, common = dice.one(topics()), bank("common")
    rounds = dice.some(topic.exchanges, dice.between(low, high))
    reflections = dice.some(topic.reflections, 2)
    insights = dice.some(topic.insights, 2)
    turns = [_opening(topic, dice), _join(reflections[0], rounds[0].ask)]
    for number, exchange in enumerate(rounds[1:], start=1):
        turns.append(_answer(exchange_before=rounds[number - 1], dice=dice, topic=topic))
        turns.append(_join(dice.one(common["bridges"]), exchange.ask))
    turns.append(_answer(exchange_before=rounds[-1], dice=dice, topic=topic))
    technique = dice.one(topic.techniques)
    if dice.chance(0.5):
        turns.append(_join(reflections[1], insights[0]))
        turns.append(dice.one(common["hesitations"]))
        turns.append(_join(insights[1], technique) if dice.chance(0.4) else technique)
    else:
        turns.append(_join(insights[0], technique))
    if dice.chance(0.6):
        turns.append(dice.one(common["hesitations"]))
        turns.append(_some_of(common["refinements"], dice))
    turns.append(dice.one(common["gains"]))
    turns.append(_some_of(common["closings"], dice))
    return _dialogue(topic.title, turns, dice)


def single_answer(dice: Dice) -> Dialogue:
    """Return one long question and one considered answer."""
    topic = dice.one(topics())
    asked = _opening(topic, dice, moments=2)
    return _dialogue(topic.title, [asked, considered_answer(topic, dice)], dice)


def considered_answer(topic: Topic, dice: Dice) -> str:
    """Return what a helper may write back about `topic` in one letter-like reply."""
    common = bank("common")
    insights = dice.some(topic.insights, dice.between(1, 2))
    steps = dice.some(topic.techniques, dice.between(1, 2))
    ask = dice.one(topic.exchanges).ask
    parts = [dice.one(topic.reflections), *insights, *steps, dice.one(common["refinements"])]
    if dice.chance(0.6):
        parts.append(ask)
    parts.append(dice.one(common["closings"]))
    return " ".join(parts)


def topic_named(title: str) -> Topic:
    """Return the topic whose title a dialogue carries."""
    return next(topic for topic in topics() if topic.title == title)


def crisis(dice: Dice) -> Dialogue:
    """Return a crisis conversation: concern, a direct question, staying, and a way to help."""
    case: Case = dice.one(cases())
    shared = bank("crisis")
    opening = [dice.one(case.openers), dice.one(case.details)]
    if dice.chance(0.5):
        opening.insert(0, dice.one(shared["leads"]))
    stay, other_stay = dice.some(shared["stays"], 2)
    ask = dice.one(case.asks)
    asked = _join(ask, other_stay) if dice.chance(0.6) else ask
    turns = [" ".join(opening), asked, dice.one(case.answers)]
    if case.company_step:
        turns.append(_join(stay, dice.one(case.understands), dice.one(shared["people"])))
        turns.append(dice.one(shared["company"]))
    else:
        turns.append(_join(stay, dice.one(case.understands)))
        turns.append(dice.one(shared["nods"]))
    turns.append(_join(dice.one(case.plans), dice.one(case.lines)))
    turns.append(dice.one(case.reliefs))
    turns.append(_some_of(case.endings, dice))
    return _dialogue(case.title, turns, dice)


def _opening(topic: Topic, dice: Dice, *, moments: int = 1) -> str:
    parts = [dice.one(topic.openers), *dice.some(topic.moments, moments)]
    if moments > 1 or dice.chance(0.8):
        parts.append(dice.one(topic.costs))
    return " ".join(parts)


def _answer(*, exchange_before: Exchange, dice: Dice, topic: Topic) -> str:
    answer = dice.one(exchange_before.answers)
    return _join(answer, dice.one(topic.costs)) if dice.chance(0.3) else answer


def _some_of(lines: Sequence[str], dice: Dice) -> str:
    """One or two of the lines, so that no reply comes back word for word all the time."""
    return " ".join(dice.some(lines, 2 if dice.chance(0.8) else 1))


def _join(*parts: str) -> str:
    return " ".join(parts)


def _dialogue(topic: str, texts: Sequence[str], dice: Dice) -> Dialogue:
    roles: tuple[Literal["user", "assistant"], ...] = ("user", "assistant")
    turns = tuple(
        Turn(role=roles[number % 2], text=fill(text, dice)) for number, text in enumerate(texts)
    )
    return Dialogue(topic=topic, turns=turns)
