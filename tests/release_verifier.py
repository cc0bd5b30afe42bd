"""A second opinion on a release, from its manifest's schema and nothing else of the desk.

The standard library and a JSON Schema validator: no key, no journal, no code of `core`. It reads
the objects under the release's prefix and returns what speaks against them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

Objects = Mapping[str, bytes]
ROW = {"messages", "metadata"}
SUMMARY = ("claim", "frame", "planned", "read", "defects", "double_rated", "sentence")


def refusals(objects: Objects, manifest_key: str, schema: Mapping[str, Any]) -> list[str]:
    """Return every reason not to use the release whose manifest stands at `manifest_key`."""
    body = objects[manifest_key]
    try:
        said = json.loads(body)
    except ValueError:
        return ["the manifest is not JSON"]
    plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if plain != body:
        return ["the manifest is not in canonical form"]
    broken = [error.json_path for error in Draft202012Validator(schema).iter_errors(said)]
    if broken:
        return [f"the schema is broken at {path}" for path in broken]
    found: list[str] = []
    prefix = manifest_key.removesuffix("manifest.json")
    for check in CHECKS:
        try:
            found += check(objects, said, prefix)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            found.append(f"{check.__name__} cannot be done: {type(error).__name__}")
    return found


def names(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """The manifest stands where its version says, and the candidate's key says its digest."""
    if not prefix.endswith(f"/releases/{said['version']}/"):
        yield "the version is not that of the prefix"
    if not said["candidate"]["key"].endswith(f"/{said['candidate']['digest']}.json"):
        yield "the candidate's key is not its digest"


def files(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Every listed object is there with its size and digest, and listed once."""
    keys = [file["key"] for file in said["files"]]
    if keys != sorted(set(keys)):
        yield "files are out of order or twice"
    for file in said["files"]:
        held = objects.get(file["key"])
        if held is None or not file["key"].startswith(prefix):
            yield f"absent {file['key']}"
        elif (len(held), _sha256(held)) != (file["size"], file["sha256"]):
            yield f"altered {file['key']}"
    totals = {
        "files": len(keys),
        "bytes": sum(file["size"] for file in said["files"]),
        "shards": len(_shards(said)),
        "shard_bytes": sum(file["size"] for file in _shards(said)),
        "records": sum(file["records"] for file in _shards(said)),
        "rows": said["provenance"]["rows"],
    }
    if totals != said["totals"]:
        yield "totals"


def references(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """What is referred to is listed under that digest."""
    listed = {file["key"]: file["sha256"] for file in said["files"]}
    for kind in ("gates", "signoffs", "reviews", "waivers"):
        for item in said[kind]:
            if listed.get(item["key"]) != item["sha256"]:
                yield f"{kind} refer to what is not listed"
    if listed.get(said["routing"]["key"]) != said["routing"]["sha256"]:
        yield "the routing is not listed"
    if sorted(file["sha256"] for file in _shards(said)) != said["shards"]:
        yield "the shards are not the listed shards"
    by_split: dict[str, list[str]] = defaultdict(list)
    for file in _shards(said):
        by_split[file["split"]].append(file["key"])
    if dict(by_split) != said["export"]["splits"]:
        yield "the export is not the listed shards"


def rows(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Rows are what their shard says, and every count is theirs."""
    cells: Counter[tuple[str, str]] = Counter()
    pii: dict[str, Counter[str]] = defaultdict(Counter)
    licences: Counter[str] = Counter()
    sides: dict[str, set[str]] = defaultdict(set)
    for file in _shards(said):
        lines = objects[file["key"]].splitlines()
        if len(lines) != file["records"] or f"/chatml/{file['split']}/" not in file["key"]:
            yield f"records of {file['key']}"
        for line in lines:
            row = json.loads(line)
            facts = row["metadata"]
            if set(row) != ROW or len(row["messages"]) != facts["turns"]:
                yield f"a row of {file['key']}"
            if (facts["source_family"], facts["split"]) != (file["family"], file["split"]):
                yield f"a row's place in {file['key']}"
            cells[facts["source_family"], facts["split"]] += 1
            pii[facts["split"]][facts["pii_status"]] += 1
            licences[facts["license_tag"]] += 1
            sides[facts["group_id"]].add(facts["split"])
    yield from _cells(said, cells)
    if {s: {k: v for k, v in c.items() if v} for s, c in said["pii"].items()} != pii:
        yield "personal data"
    if said["provenance"]["licences"] != dict(licences):
        yield "licences"
    if any(len(found) > 1 for found in sides.values()):
        yield "a group is parted"


def _cells(said: Any, cells: Counter[tuple[str, str]]) -> Iterator[str]:
    told = {
        (family["name"], split): count
        for family in said["families"]
        for split, count in family["records"].items()
        if count
    }
    if told != dict(cells):
        yield "families"
    for split, count in said["splits"].items():
        if sum(held for (_, side), held in cells.items() if side == split) != count:
            yield "splits"


def sources(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Rows in are rows out, object by object and in all."""
    sums: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for source in said["sources"]:
        lost, lanes = sum(source["rejected"].values()), sum(source["lanes"].values())
        if source["rows"] != source["records"] + lost + lanes:
            yield "a source's rows"
        if source["records"] != source["shipped"] + sum(source["dropped"].values()):
            yield "a source's records"
        sums.update(rows=source["rows"], records=source["shipped"], rejected=lost, lanes=lanes)
        rejected.update(source["rejected"])
        dropped.update(source["dropped"])
    told = said["provenance"]
    if any(told[name] != sums[name] for name in ("rows", "records", "rejected", "lanes")):
        yield "provenance"
    if (told["rejections"], told["dropped"]) != (dict(rejected), dict(dropped)):
        yield "reasons"
    if (told["sources"], told["records"]) != (len(said["sources"]), said["totals"]["records"]):
        yield "sources"


def routing(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """The routing is this version's, over families that ship, with weights that sum to one."""
    held = json.loads(objects[said["routing"]["key"]])
    ships = {family["name"] for family in said["families"] if sum(family["records"].values())}
    if held["version"] != said["version"] or not held["phases"]:
        yield "the routing's version"
    for phase in held["phases"]:
        if set(phase["families"]) != ships:
            yield "the routing's families"
        if abs(sum(item["weight"] for item in phase["families"].values()) - 1) > 1e-9:
            yield "the routing's weights"


def gates(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Each gate's evidence is about this candidate, looked at every record, and says the same."""
    for gate in said["gates"]:
        held = json.loads(objects[gate["key"]])
        if held["candidate"] != said["candidate"]["digest"]:
            yield f"{gate['gate']} is about another candidate"
        for name in ("gate", "verdict", "examined", "expected", "settings"):
            if held[name] != gate[name]:
                yield f"{gate['gate']} {name}"
        if not 0 < gate["examined"] == gate["expected"] == said["totals"]["records"]:
            yield f"{gate['gate']} did not look at every record"
        stored = Counter(finding["code"] for finding in held["findings"])
        if set(gate["findings"]) != set(stored) | set(held.get("totals") or {}):
            yield f"{gate['gate']} findings"


def signoffs(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Sign-offs say in their own bytes what the manifest says of them."""
    for item in said["signoffs"]:
        envelope = json.loads(objects[item["key"]])
        statement = base64.b64decode(envelope["payload"]).decode()
        names = ("requirement", "role", "reviewer", "at")
        if any(json.dumps(item[name]) not in statement for name in names):
            yield f"sign-off {item['requirement']}"
        if said["candidate"]["digest"] not in statement:
            yield f"sign-off {item['requirement']} is about another candidate"


def reviews(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """Reviews say in their own bytes what the manifest says of them."""
    for item in said["reviews"]:
        held = json.loads(objects[item["key"]])
        for name in SUMMARY:
            if held[name] != item[name]:
                yield f"review {item['claim']} {name}"
        if sorted(held["reviewers"]) != item["reviewers"] or not set(item["dissents"]) <= set(
            held["dissents"]
        ):
            yield f"review {item['claim']} people"
        for name in ("limit", "confidence", "upper"):
            if item[name] is not None and abs(held[name] - float(item[name])) > 1e-6:
                yield f"review {item['claim']} {name}"
        if (held["plan"], held["rubric"]) != (item["plan"]["sha256"], item["rubric"]):
            yield f"review {item['claim']} rubric"


def documents(objects: Objects, said: Any, prefix: str) -> Iterator[str]:
    """The pages for people repeat the manifest, and the checksums are those of its files."""
    notes, card, page = (
        objects[prefix + name].decode()
        for name in ("RELEASE_NOTES.md", "README.md", "SIGNOFF.html")
    )
    previous = said["previous"]["version"] if said["previous"] else "none"
    told = (
        (notes, f"Published {said['created_at']} by `{said['published_by']}`."),
        (notes, f"Previous release: {previous}."),
        (notes, f"# Release notes: {said['version']}"),
        (card, f"`{said['policy']['digest']}`"),
        (card, f"`{said['candidate']['digest']}`"),
        (card, said["candidate"]["snapshot_at"]),
        (card, said["desk"]),
        (page, said["journal_head"]),
        (page, f"entry {said['journal_seq']} "),
        *((card, item["scope"]) for item in said["exclusions"]),
        *((card, item["family"]) for item in said["waived_families"]),
        *((notes, item["code"]) for item in said.get("explanations", [])),
    )
    for document, words in told:
        if words not in document:
            yield "a document says something else"
    if ("not for training" in card) != said["policy"]["demo"]:
        yield "the demo policy"
    if card.split("## Known exclusions")[1].split("##")[0].count("\n- ") != len(
        [*said["exclusions"], *said["waived_families"]]
    ):
        yield "known exclusions"
    sums = prefix + "CHECKSUMS.sha256"
    lines = sorted(
        (file["key"].removeprefix(prefix), file["sha256"])
        for file in said["files"]
        if file["key"] != sums
    )
    if objects[sums].decode() != "".join(f"{digest}  {name}\n" for name, digest in lines):
        yield "checksums"


CHECKS: tuple[Callable[[Objects, Any, str], Iterator[str]], ...] = (
    names,
    files,
    references,
    rows,
    sources,
    routing,
    gates,
    signoffs,
    reviews,
    documents,
)


def _shards(said: Any) -> list[Any]:
    return [file for file in said["files"] if file["kind"] == "shard"]


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
