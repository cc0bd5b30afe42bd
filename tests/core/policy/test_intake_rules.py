"""A mapping or a mode of reasoning that cannot work is refused when the policy is loaded."""

from __future__ import annotations

import pytest

from core.intake.scan import scan_settings_digest
from core.model.errors import PolicyError
from core.policy.load import packaged_source, parse_policy

GOOD = """
[[intake.mappings]]
name = "case_notes"
when = ["case_text"]
user = ["case_text"]
assistant = ["advice"]
"""


def source(more: str = "", mode: str = "drop") -> bytes:
    text = packaged_source("release0").decode()
    text = text.replace('mode = "drop"', f'mode = "{mode}"')
    return (text + more).encode()


def test_a_mapping_is_part_of_the_policy_and_of_the_scan_s_settings() -> None:
    plain, mapped = parse_policy(source()), parse_policy(source(GOOD))

    assert plain.intake.mappings == ()
    assert [rule.name for rule in mapped.intake.mappings] == ["case_notes"]
    assert mapped.intake.mappings[0].system == ()
    digests = {
        scan_settings_digest(policy)
        for policy in (plain, mapped, parse_policy(source(mode="lane")))
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ('name = "case_notes"', 'name = "case notes!"', "policy.mapping"),
        ('when = ["case_text"]', "when = []", "policy.mapping"),
        ('user = ["case_text"]', "user = []", "policy.mapping"),
        ('assistant = ["advice"]', 'assistant = ["case_text"]', "policy.mapping"),
        ('assistant = ["advice"]', 'assistant = [" "]', "policy.mapping"),
        ('assistant = ["advice"]', 'assistant = "advice"', "policy.shape"),
        ('assistant = ["advice"]', 'assistant = ["advice"]\nnarrator = []', "policy.unknown_key"),
        ("[[intake.mappings]]", GOOD + "[[intake.mappings]]", "policy.duplicate"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(before: str, after: str, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(source(GOOD.replace(before, after)))
    assert caught.value.code == code


def test_an_unknown_mode_of_reasoning_is_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(source(mode="separate"))
    assert caught.value.code == "policy.reasoning"
