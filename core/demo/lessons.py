"""The two families that do not counsel: a persona who explains, and a helper who reasons aloud."""

from __future__ import annotations

from core.demo.dialogues import Dialogue, Turn
from core.demo.dice import Dice
from core.demo.sentences import Topic, bank, fill, topics


def persona_talk(dice: Dice) -> Dialogue:
    """Return a talk of two to six turns in the voice of the demo persona."""
    topic, voice = dice.one(topics()), bank("persona")
    parts = [topic.openers, topic.moments, topic.costs]
    turns = [" ".join(dice.one(lines) for lines in parts)]
    analogies = dice.some(voice["analogies"], 3)
    turns.append(_lesson(topic, dice, analogies[0]))
    for number in range(dice.one((0, 1, 1, 1, 2))):
        turns.append(dice.one(voice["follow_ups"]))
        turns.append(_follow_up(topic, dice, analogies[number + 1]))
    system = (
        "You are a steady companion who explains in plain words and everyday pictures."
        if dice.chance(0.4)
        else ""
    )
    return _dialogue(topic.title, turns, dice, system=system)


def reasoning(dice: Dice) -> Dialogue:
    """Return a clinical question and an answer that reasons in numbered steps."""
    topic, words = dice.one(topics()), bank("reasoning")
    said = " ".join(dice.one(lines) for lines in (topic.openers, topic.moments, topic.costs))
    asked = dice.one(words["frames"]).replace("{words}", said)
    asked = asked.replace("{ask}", dice.one(words["asks"]))
    steps = [
        dice.one(words["knowns"]),
        dice.one(words["hypothesis"]),
        dice.one(words["unknowns"]),
        dice.one(words["safety"]),
        dice.one(words["responses"]),
        dice.one(words["steps"]),
    ]
    told = {
        "title": topic.title,
        "insight": dice.one(topic.insights),
        "question": dice.one(topic.exchanges).ask,
        "reflection": dice.one(topic.reflections),
        "technique": dice.one(topic.techniques),
    }
    numbered = [f"{number}. {_told(step, told)}" for number, step in enumerate(steps, start=1)]
    answer = "\n".join([*numbered, dice.one(words["conclusions"])])
    return _dialogue(topic.title, [asked, answer], dice)


def persona_profile() -> dict[str, object]:
    """Return the voice profile of the demo persona: its own words, counted."""
    voice = bank("persona")
    counted = {
        name: {line: 3 + (7 * number) % 11 for number, line in enumerate(voice[name])}
        for name in ("sentence_starters", "empathy_markers")
    }
    return {
        "persona_name": voice["name"],
        "persona": "steady companion, invented for the demo",
        "style": "plain words, everyday pictures, one step at a time",
        **counted,
        "analogies": list(voice["analogies"]),
        "teaching_patterns": list(voice["teachings"]),
    }


def _lesson(topic: Topic, dice: Dice, analogy: str) -> str:
    voice = bank("persona")
    insights = dice.some(topic.insights, 2)
    return " ".join(
        [
            dice.one(voice["empathy_markers"]),
            dice.one(voice["sentence_starters"]),
            insights[0],
            analogy,
            *(insights[1:] if dice.chance(0.5) else []),
            dice.one(voice["teachings"]),
            dice.one(topic.techniques),
            dice.one(voice["signoffs"]),
        ]
    )


def _follow_up(topic: Topic, dice: Dice, analogy: str) -> str:
    voice = bank("persona")
    return " ".join(
        [
            dice.one(voice["sentence_starters"]),
            analogy,
            dice.one(topic.reflections),
            *dice.some(voice["teachings"], 2),
            dice.one(voice["signoffs"]),
        ]
    )


def _told(step: str, words: dict[str, str]) -> str:
    for slot, text in words.items():
        step = step.replace(f"{{{slot}}}", text)
    return step


def _dialogue(topic: str, texts: list[str], dice: Dice, *, system: str = "") -> Dialogue:
    turns = tuple(
        Turn(role="assistant" if number % 2 else "user", text=fill(text, dice))
        for number, text in enumerate(texts)
    )
    return Dialogue(topic=topic, turns=turns, system=system)
