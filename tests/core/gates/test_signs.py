"""A sign of damage is seen in damaged records and not in sound ones."""

from __future__ import annotations

import pytest

from core.gates import signs
from core.gates.corpus import open_corpus
from core.gates.distribution import DistributionGate
from core.gates.run import run_gate
from core.model.dataset import Message
from tests.builders import a_candidate, a_distribution_rule, a_policy, a_row, a_text
from tests.clock import FixedClock


def talk(*texts):
    roles = ("user", "assistant") * 10
    return tuple(Message(role=role, content=text) for role, text in zip(roles, texts, strict=False))


ASKED = "I have been struggling since spring. My husband left and I don't know what to do."
COUNSEL = "It sounds like you carry a lot. Have you considered talking to somebody close?"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (a_text(1), False),
        (a_text(1)[:-1], True),
        (a_text(1)[:-1] + ",", True),
        ("So the answer is seven times six, which is what the question asked for here: 42", False),
        ("Yes", False),
        (a_text(1) + " 🙂", False),
        (a_text(1) + ")", False),
    ],
)
def test_an_ending_is_cut_inside_a_sentence(text, cut):
    assert signs.ends_cut(talk("Why?", text)) is cut


def test_only_the_assistants_last_word_can_be_cut():
    assert not signs.ends_cut(talk("Why?", a_text(1), a_text(2)[:-1]))
    assert not signs.ends_cut(())


def test_swapped_roles_need_both_sides_to_speak_for_the_other():
    assert signs.is_swapped(talk(COUNSEL, ASKED))
    assert not signs.is_swapped(talk(ASKED, COUNSEL))
    assert not signs.is_swapped(talk(COUNSEL, COUNSEL))
    assert not signs.is_swapped(talk(ASKED, ASKED))
    assert not signs.is_swapped(talk(ASKED, "I feel so sad to hear it. " + COUNSEL))


def test_swapped_roles_are_seen_in_chinese_and_no_other_language_is_accused():
    counsel = "谢谢你的分享。这让你有什么感受？你有没有考虑过和家人谈一谈？"
    asked = "我最近总是睡不好，我的父亲不理解我，我该怎么办？"
    assert signs.is_swapped(talk(counsel, asked))
    assert not signs.is_swapped(talk(asked, counsel))
    assert not signs.is_swapped(talk(counsel, counsel))
    assert not signs.is_swapped(talk("Danke, dass du das erzählst.", "Ich bin so traurig."))


@pytest.mark.parametrize("sound", ["naïve café, l’été", "São Paulo, MAÇÃ", "Ân", "🙂 你好"])
def test_letters_of_other_languages_are_no_broken_ones(sound):
    assert not signs.is_misread(talk(sound))


@pytest.mark.parametrize("text", ["don’t", "café", "“so”", "wait…", "a\u00a0b", "🙂", "20 °C"])
def test_what_was_read_with_the_wrong_encoding_shows(text):
    assert signs.is_misread(talk(text.encode().decode("cp1252", "replace")))
    assert signs.is_misread(talk(text.encode().decode("latin-1")))


def test_an_echo_is_the_whole_question_at_the_start_of_the_answer():
    assert signs.echoes(talk(ASKED, ASKED.upper()))
    assert signs.echoes(talk(ASKED, f"{ASKED} {COUNSEL}"))
    assert signs.echoes(talk("Hi", "Hi", ASKED, "  " + ASKED))
    assert not signs.echoes(talk(ASKED, COUNSEL))
    assert not signs.echoes(talk("Hello there", "Hello there"))
    assert not signs.echoes(talk(ASKED, ASKED[:40]))


def judge(simulator, dialogues, **rule):
    policy = a_policy(distribution=a_distribution_rule(**rule))
    rows = [
        a_row([{"role": m.role, "content": m.content} for m in dialogue], source_line=n)
        for n, dialogue in enumerate(dialogues, 1)
    ]
    candidate = a_candidate(simulator, {("priority", "train"): rows}, policy)
    gate = DistributionGate(policy, candidate)
    return run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())


SOUND = [talk(a_text(f"u{n}"), a_text(f"a{n}")) for n in range(60)]
DAMAGED = {
    "truncated_ending": [talk(a_text(f"x{n}"), a_text(f"y{n}")[:-9]) for n in range(40)],
    "role_swap": [talk(f"{COUNSEL} {a_text(n)}", f"{ASKED} {a_text(-n)}") for n in range(40)],
    "mojibake": [talk(a_text(f"x{n}"), f"Itâ€™s this: {a_text(f'y{n}')}") for n in range(40)],
    "prompt_echo": [talk(a_text(f"x{n}"), a_text(f"x{n}")) for n in range(40)],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_family_with_too_much_of_one_damage_is_blocked_by_its_name(simulator, name):
    report = judge(simulator, SOUND + DAMAGED[name])
    assert report.verdict == "fail"
    assert {finding.code for finding in report.blocking} == {f"distribution.{name}"}
    alarm = report.measures["damage"]["priority"]["alarms"][f"distribution.{name}"]
    assert (alarm["records"], alarm["share"]) == (40, 0.4)


@pytest.mark.parametrize("name", DAMAGED)
def test_the_limits_are_the_policys(simulator, name):
    field = {
        "truncated_ending": "truncated_share",
        "role_swap": "role_swap_share",
        "mojibake": "mojibake_share",
        "prompt_echo": "echo_share",
    }[name]
    assert judge(simulator, SOUND + DAMAGED[name], **{field: 0.4}).verdict == "pass"


def test_sound_dialogues_raise_none():
    assert not any(
        shows(dialogue)
        for dialogue in SOUND
        for shows in (signs.ends_cut, signs.is_swapped, signs.is_misread, signs.echoes)
    )
