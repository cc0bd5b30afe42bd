"""The policy that privacy tests run under: every pattern entity redacted, people reviewed."""

from __future__ import annotations

from core.intake.privacy.canaries import CANARIES
from core.policy.types import EntityRule, PrivacyRule


def a_privacy_rule(
    *, allow: tuple[str, ...] = (), ner_records: int = 0, without: tuple[str, ...] = ()
) -> PrivacyRule:
    """Redact from 0.5 (phones from 0.4), review people from 0.8, count places."""
    rules = {
        entity: EntityRule(
            entity=entity,
            action="redact",
            score=0.4 if entity == "PHONE_NUMBER" else 0.5,
            placeholder=f"[{entity}]",
        )
        for entity in CANARIES
    }
    rules["PERSON"] = EntityRule(entity="PERSON", action="review", score=0.8, placeholder="")
    rules["LOCATION"] = EntityRule(entity="LOCATION", action="count", score=0.5, placeholder="")
    return PrivacyRule(
        entities={name: rule for name, rule in rules.items() if name not in without},
        allow=allow,
        ner_records=ner_records,
        redaction_share=0.15,
        characters_per_word=9.0,
    )
