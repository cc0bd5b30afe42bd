"""One page to print: what was decided about which bytes, by whom, when and in what meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.release.documents.text import SPLIT_NAMES, escaped, role_name

_STYLE = """\
@page { size: A4; margin: 18mm 16mm; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.45 "Helvetica Neue", Arial, sans-serif; color: #111; background: #fff;
  max-width: 178mm; margin: 0 auto; padding: 6mm; }
h1 { font-size: 18pt; margin: 0 0 1mm; }
h2 { font-size: 12pt; margin: 7mm 0 2mm; border-bottom: 0.3mm solid #111; break-after: avoid; }
p { margin: 0 0 2mm; }
table { width: 100%; border-collapse: collapse; font-size: 9.5pt; }
th, td { text-align: left; vertical-align: top; padding: 1.2mm 2mm 1.2mm 0;
  border-bottom: 0.15mm solid #999; }
td.number, th.number { text-align: right; }
tr, .claim { break-inside: avoid; }
code { font: 8.5pt/1.4 "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
.quiet { color: #444; }
@media print { body { padding: 0; max-width: none; } }
"""


def signoff_page(document: Mapping[str, Any]) -> str:
    """Return SIGNOFF.html: no script, no picture, nothing fetched; A4 when printed."""
    version = escaped(document["version"])
    body = "\n".join(
        (
            f"<h1>Sign-off of release {version}</h1>",
            _lead(document),
            "<h2>What was signed</h2>",
            _subject(document),
            "<h2>Sign-offs</h2>",
            _signoffs(document),
            "<h2>What the signatures rest on</h2>",
            *_claims(document),
            "<h2>Gates</h2>",
            _gates(document),
            "<h2>Left out, waived, explained</h2>",
            _exceptions(document),
        )
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Sign-off {version}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _lead(document: Mapping[str, Any]) -> str:
    demo = " <strong>Made under a demo policy: not for training.</strong>"
    return (
        f'<p class="quiet">Published {escaped(document["created_at"])} by '
        f"{escaped(document['published_by'])}. Persons are named by their id in the policy. "
        "Each signature is an Ed25519 seal over stored bytes in the release; this page repeats "
        f"them and proves nothing by itself.{demo if document['policy']['demo'] else ''}</p>"
    )


def _subject(document: Mapping[str, Any]) -> str:
    splits = ", ".join(f"{split} {document['splits'][split]:,}" for split in SPLIT_NAMES)
    policy = document["policy"]
    return _table(
        (),
        (
            ("Candidate", _code(document["candidate"]["digest"])),
            ("Records", f"{document['totals']['records']:,} ({splits})"),
            (
                "Families",
                escaped(", ".join(f["name"] for f in document["families"] if f["records"])),
            ),
            (
                "Policy",
                f"{escaped(policy['name'])} {escaped(policy['version'])} {_code(policy['digest'])}",
            ),
            (
                "Journal head",
                f"entry {document['journal_seq']} {_code(document['journal_head'])}",
            ),
        ),
    )


def _signoffs(document: Mapping[str, Any]) -> str:
    return _table(
        ("Requirement", "Signed by", "Role", "At", "Meaning", "Evidence (SHA-256)"),
        (
            (
                escaped(item["title"]),
                escaped(item["reviewer"]),
                escaped(role_name(item["role"])),
                escaped(item["at"]),
                "approval",
                _code(item["sha256"]),
            )
            for item in document["signoffs"]
        ),
    )


def _claims(document: Mapping[str, Any]) -> Iterable[str]:
    for review in document["reviews"]:
        rows = (
            ("Read by", escaped(", ".join(review["reviewers"]) or "nobody")),
            (
                "Sample",
                (
                    f"{review['read']:,} of {review['planned']:,} planned, from "
                    f"{review['frame']:,}; {review['double_rated']:,} read twice; "
                    f"{review['defects']:,} defects; "
                    f"{review['cannot_judge']:,} could not be judged"
                ),
            ),
            ("Rubric", escaped(f"{review['rubric']['id']} {review['rubric']['version']}")),
            ("Exceptions", escaped("; ".join(review["exceptions"]) or "none")),
            ("Dissents", escaped("; ".join(review["dissents"]) or "none")),
        )
        yield (
            f'<div class="claim"><p><strong>{escaped(review["title"])}.</strong> '
            f"{escaped(review['sentence'])}</p>{_table((), rows)}</div><p></p>"
        )


def _gates(document: Mapping[str, Any]) -> str:
    return _table(
        ("Gate", "Verdict", "Examined", "Expected", "Findings"),
        (
            (
                escaped(gate["gate"]),
                escaped(gate["verdict"]),
                f"{gate['examined']:,}",
                f"{gate['expected']:,}",
                escaped(", ".join(f"{c} {n}" for c, n in gate["findings"].items()) or "none"),
            )
            for gate in document["gates"]
        ),
    )


def _exceptions(document: Mapping[str, Any]) -> str:
    rows = [("left out", item["scope"], item["reason"]) for item in document["exclusions"]]
    rows += [
        ("family waived", item["family"], item["reason"]) for item in document["waived_families"]
    ]
    rows += [
        ("waived", f"{item['gate']} {item['code']}", item["reason"]) for item in document["waivers"]
    ]
    rows += [
        ("explained", f"{item['code']} {item['scope']}", item["reason"])
        for item in document.get("explanations", [])
    ]
    facts = document["provenance"]
    dropped = ", ".join(
        f"{reason.replace('_', ' ')} {count:,}" for reason, count in facts["dropped"].items()
    )
    words = (
        f"Of {facts['rows']:,} rows read, {facts['rejected']:,} were rejected, "
        f"{facts['lanes']:,} of other kinds set aside and {sum(facts['dropped'].values()):,} "
        f"records dropped ({dropped or 'none'}); KNOWN_EXCLUSIONS.md has them by source."
    )
    counted = f"<p>{escaped(words)}</p>"
    if not rows:
        return f"{counted}<p>No family, prefix or finding was left out, waived or explained.</p>"
    table = _table(("", "What", "Why"), (tuple(map(escaped, row)) for row in rows))
    return counted + table


def _code(text: object) -> str:
    return f"<code>{escaped(text)}</code>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already; without names the first column heads."""
    head = "".join(f"<th>{name}</th>" for name in names)
    lines = [f"<thead><tr>{head}</tr></thead>"] if names else []
    for row in rows:
        first = "" if names else f'<th scope="row">{row[0]}</th>'
        cells = "".join(f"<td>{cell}</td>" for cell in (row if names else row[1:]))
        lines.append(f"<tr>{first}{cells}</tr>")
    return "<table>" + "".join(lines) + "</table>"
