"""A review's report as a page for people; it says nothing that the report's data does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.errors import ReviewError
from core.review.attempts import ordinal
from core.review.phrases import mark, percent
from core.review.report import FIRST_SCHEMA, SCHEMA


def report_markdown(report: Mapping[str, Any]) -> str:
    """Return a report as Markdown.

    Raises:
        ReviewError: `review.report_schema`: the report is of a form this desk does not know.
    """
    if report.get("schema") not in (SCHEMA, FIRST_SCHEMA):
        raise ReviewError("review.report_schema", "This desk cannot read this review report.")
    rubric = report["rubric"]
    lines = [
        f"# {_line(report['title'])}",
        "",
        f"{_line(report['sentence'])}",
        "",
        f"- State: {report['state'].replace('_', ' ')}.",
        (
            f"- Claim: at most {percent(report['limit'])} of {_line(report['scope'])} would fail, "
            f"with {percent(report['confidence'])} confidence."
        ),
        (
            f"- Sample: {report['planned']} of {report['frame']} records, {report['method']}; plan "
            f"`{report['plan']}`, seed `{report['seed']}`."
        ),
        f"- Plan: {report['first']} records first"
        + (f", {report['second']} after exactly one defect" if report["second"] else "")
        + f"; {report['overlap']} to be read by two.",
        (
            f"- Read: {report['read']}, {report['double_rated']} of them by two people, "
            f"{report['carried']} carried from earlier candidates; {report['defects']} defects, "
            f"{report['cannot_judge']} that could not be judged."
        ),
        f"- Rubric: {_line(rubric['id'])} {_line(rubric['version'])} (`{rubric['sha256']}`).",
        (
            f"- Beside the sample, outside every bound: {report['beside_the_sample']} records "
            f"asked for; {report['edits_proposed']} edits proposed for a next candidate."
        ),
        *_part_lines(report),
        *_past_lines(report),
        *_edited_line(report),
        "",
        *_sections(report),
    ]
    return "\n".join(lines)


def _part_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what each stratum is and was read for; most reports are of one and have none."""
    lines = []
    for part in report.get("parts", ()):
        what = f"unchanged since {_line(part['since'])}" if part["since"] else "new"
        upper = "nothing yet" if part["upper"] is None else f"at most {percent(part['upper'])}"
        lines.append(
            f"- Part: {part['frame']} {what}, drawn from {part['drawn_from']}; "
            f"{part['read']} of {part['planned']} read, {part['defects']} defects: {upper}."
            + (
                f" Drawn, and left before anybody read them: {part['skipped']}."
                * bool(part["skipped"])
            )
        )
    return lines


def _past_lines(report: Mapping[str, Any]) -> list[str]:
    """Say which sample this is and what failed before it; the first reports knew of one only."""
    failed = report.get("failed_samples", ())
    lines = [
        f"- The {ordinal(number)} sample failed with {fails} of {read} records read."
        for number, (fails, read) in enumerate(failed, 1)
    ]
    if failed:
        lines.append(
            f"- This is the {ordinal(len(failed) + 1)}, of records nobody had read, at half the "
            "risk of the one before."
        )
    left = ", ".join(f"`{name}`" for name in report.get("failed_and_left", ()))
    return [*lines, f"- Failed in it, left the data, and still counted: {left}."] if left else lines


def _edited_line(report: Mapping[str, Any]) -> list[str]:
    """Say what was read because people edited or rejected something; the first reports did not."""
    edited = report.get("edited", ())
    named = ", ".join(f"`{name}`" for name in edited)
    why = "Edited for this candidate, or near a record that was edited or rejected, and read"
    return [f"- {why}: {named}."] if edited else []


def _sections(report: Mapping[str, Any]) -> list[str]:
    lines = ["## Reviewers", ""]
    readings = report["readings"]
    lines += [f"- `{who}`: {readings.get(who, 0)} records" for who in report["reviewers"]] or [
        "None."
    ]
    lines += ["", "## What readers miss", "", *_known_bad_lines(report), ""]
    lines += ["## Each question", "", "| question | low | read | at most | limit |"]
    lines.append("|---|---|---|---|---|")
    for item, found in report["items"].items():
        # The first reports knew of one scale, on which 2 fails.
        low = f"{found['low']} ({mark(found.get('fails_at', 2))} or less)"
        limit = "reported" if found["limit"] is None else percent(found["limit"])
        upper = percent(found["upper"])
        lines.append(f"| {item} | {low} | {found['read']} | {upper} | {limit} |")
    lines += ["", "## Agreement", "", *_agreement_lines(report), ""]
    for title, name in (("Dissents", "dissents"), ("Exceptions", "exceptions")):
        lines += [f"## {title}", ""]
        lines += [f"- {_line(text)}" for text in report[name]] or ["None."]
        lines.append("")
    lines += ["## Adjudicated", ""]
    lines += [
        f"- {one['decision']} {one['kind']} {_line(one['target'])} on `{one['record_id']}` by "
        f"`{one['by']}`: {_line(one['reason'])}"
        + "".join(f" (edit `{name[:16]}`, for the next candidate)" for name in one.get("edits", ()))
        for one in report["adjudicated"]
    ] or ["Nothing."]
    exposure = report["exposure"]
    lines += ["", "## Exposure", ""]
    if exposure is None:
        lines.append("Not shown: too few readers for a sum that names nobody.")
    else:
        lines.append(
            f"{exposure['readers']} readers together: {exposure['heavy']} readings of hard "
            f"records, {exposure['minutes']} minutes of reading."
        )
    return [*lines, ""]


def _known_bad_lines(report: Mapping[str, Any]) -> list[str]:
    found = report["known_bad"]
    if not found:
        return ["No known-bad records were mixed in, so it is not measured."]
    lines = [
        (
            f"{found['planted']} invented records that are known to be bad were mixed in unseen; "
            f"{found['found']} of {found['readings']} readings stopped one."
        )
    ]
    if report["corrected"] is not None:
        lines.append(
            f"With that allowed for, at most {percent(report['corrected'])} would fail "
            f"(as read: {percent(report['upper'])})."
        )
    for who, one in found["by_reviewer"].items():
        lines.append(f"- `{who}`: {one['found']} of {one['readings']}")
    return lines


def _agreement_lines(report: Mapping[str, Any]) -> list[str]:
    items = report["agreement"].get("items", {})
    if not items:
        return ["Undefined: no record was rated by two people."]
    lines = ["| question | pairs | same | within one | kappa | alpha | AC2 |"]
    lines.append("|---|---|---|---|---|---|---|")
    for item, found in items.items():
        limits = report["intervals"].get(item, {})
        cells = [_value(found["raw"]), _value(found["within_one"])]
        cells += [
            _value(found[name], limits.get(name))
            for name in ("kappa_quadratic", "alpha_ordinal", "ac2_quadratic")
        ]
        lines.append(f"| {item} | {found['pairs']} | {' | '.join(cells)} |")
    flags = report["agreement"].get("flags", {})
    if flags:
        joined = _value(flags["positive_agreement"], report.get("flag_interval"))
        told = f"{flags['both']} raised by both readers, {flags['one_only']} by one"
        lines += ["", f"Flags: positive agreement {joined}; {told}."]
    reasons = {why for found in items.values() for why in found["undefined"].values()}
    lines += ["", *(f"Undefined means: {_line(why)}." for why in sorted(reasons))]
    due = report["norming_due"]
    if due:
        lines.append(f"Worth a norming session: {', '.join(due)} (alpha may lie under 0.4).")
    norming = report["norming"]
    if norming["rooms"]:
        before, after = _value(norming["alpha_before"]), _value(norming["alpha_after"])
        lines.append(f"Norming: {norming['rooms']} records; alpha {before} blind, {after} after.")
    return lines


def _value(value: float | None, limits: Mapping[str, Any] | None = None) -> str:
    if value is None:
        return "undefined"
    if not limits or limits["low"] is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({limits['low']:.2f} to {limits['high']:.2f})"


def _line(text: object) -> str:
    """Return typed text on one line, without what Markdown or HTML would act on."""
    flat = " ".join(str(text).split())
    return flat.replace("<", "‹").replace(">", "›").replace("![", "! [").replace("`", "'")
