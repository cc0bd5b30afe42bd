"""What readers are told about their own reading, and what a lead is told about everybody's."""

from __future__ import annotations

import streamlit as st

from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show


def draw_own_reading(bench: Workbench, person: Person) -> None:
    """Draw one's own last 24 hours, the budget, and whom to turn to."""
    now, rule = bench.care.exposure(person), bench.care.rule
    with st.expander("Your reading, and whom to turn to"):
        show.prose(
            "In the last 24 hours you opened **{heavy}** hard records and **{light}** lighter "
            "ones, {minutes} minutes in all. The budget is {budget} hard records or {most} "
            "minutes; it stops nobody.",
            heavy=now.heavy,
            light=now.light,
            minutes=f"{now.minutes:.0f}",
            budget=rule.heavy_a_day,
            most=rule.minutes_a_day,
        )
        if rule.rest_after:
            show.quiet(
                "After {after} hard records in a row the next one waits {minutes} minutes.",
                after=rule.rest_after,
                minutes=rule.rest_minutes,
            )
        show.quiet(
            "This is kept on this machine for 30 days, for you alone. Nobody is ranked by it; the "
            "lead sees a sum, and only over {people} readers or more.",
            people=rule.together_from,
        )
        show.quiet(
            "A few records are known to be bad. They show how much a reading like yours finds; "
            "they are no test of you."
        )
        if rule.support.strip():
            show.prose("**Support:** {support}", support=rule.support)


def draw_everybody(bench: Workbench, person: Person) -> None:
    """Draw all readers' last 24 hours as one sum, for a review lead."""
    if not person.holds("review_lead"):
        return
    together = bench.care.together(person)
    with st.expander("What the reading asks of people"):
        if together is None:
            show.prose(
                "Fewer than {people} people have read in the last 24 hours: no sum is shown, it "
                "would tell about single ones.",
                people=bench.care.rule.together_from,
            )
            return
        show.prose(
            "In the last 24 hours {readers} people opened **{heavy}** hard records and {light} "
            "lighter ones, {minutes} minutes in all.",
            readers=together.readers,
            heavy=together.heavy,
            light=together.light,
            minutes=f"{together.minutes:.0f}",
        )
