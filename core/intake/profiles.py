"""A voice profile is one asset: counters of how somebody speaks, or a name with its traits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_COUNTERS: Final = frozenset(
    {
        "analogies",
        "catchphrases",
        "common_phrases",
        "empathy_markers",
        "filler_words",
        "humor_markers",
        "question_patterns",
        "sentence_endings",
        "sentence_starters",
        "signature_phrases",
        "speech_patterns",
        "teaching_patterns",
        "tone_markers",
        "transition_phrases",
        "transitions",
        "vocabulary",
    }
)
_NAMES: Final = frozenset({"name", "persona_name", "creator", "speaker_name", "character"})
_TRAITS: Final = frozenset(
    {
        "communication_style",
        "personality",
        "personality_traits",
        "persona",
        "speaking_style",
        "style",
        "tone",
        "traits",
        "voice",
        "voice_style",
    }
)
_WRAPPERS: Final = ("profile", "voice_profile", "persona_profile", "persona")


def is_profile(value: Mapping[str, object]) -> bool:
    """Whether a JSON object is a persona or voice profile; looks one wrapper deep."""
    if _is_bare_profile(value):
        return True
    inner = (value.get(field) for field in _WRAPPERS)
    return any(isinstance(item, dict) and _is_bare_profile(item) for item in inner)


def _is_bare_profile(value: Mapping[str, object]) -> bool:
    filled = {key.strip().casefold() for key, item in value.items() if item not in (None, "", [])}
    counted = {
        key.strip().casefold()
        for key, item in value.items()
        if isinstance(item, (dict, list)) and item
    }
    if len(counted & _COUNTERS) >= 2:
        return True
    return bool(filled & _NAMES) and bool(filled & _TRAITS)
