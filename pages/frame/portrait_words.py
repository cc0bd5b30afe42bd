"""What measures, speakers and languages are called on a page."""

from __future__ import annotations

MEASURES = {
    "turns": "turns",
    "tokens": "tokens",
    "characters": "characters",
    "words": "words",
    "characters_per_word": "characters per word",
    "assistant_user_ratio": "assistant to user, by length",
}
SHARES = {
    "single_turn": "one exchange at most",
    "truncated_ending": "ends in the middle of a sentence",
    "shared_prompt": "prompt shared with another record",
}
_SPEAKERS = {"s": "system", "u": "user", "a": "assistant", "x": "other"}


def speakers(pattern: str) -> str:
    """Return in words who speaks in which order."""
    if pattern == "other":
        return "other orders"
    system, rest = ("system, then ", pattern[1:]) if pattern.startswith("s") else ("", pattern)
    if rest.startswith("(ua)*"):
        ending = "the user has the last word" if rest.endswith("u") else "the assistant ends"
        return f"{system}user and assistant in turn; {ending}"
    if rest == "ua":
        return f"{system}one question, one answer"
    words = [_SPEAKERS.get(letter, letter) for letter in pattern.rstrip("+")]
    return ", ".join(words) + (" and on" if pattern.endswith("+") else "")


def language(code: str) -> str:
    """Return what a language is called."""
    return {"und": "too short to tell", "en": "English", "other": "others"}.get(code, code)
