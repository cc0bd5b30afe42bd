"""Everything a manifest says, counted again from a bucket's bytes by somebody who trusts nobody.

Only the standard library and Ed25519 enter; nothing of `core` does. Each method asserts; a
failure names keys and numbers, never a word of a record.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ROW_KEYS = ["messages", "metadata"]
METADATA = {
    "record_id": str,
    "source_family": str,
    "source_key": str,
    "source_sha256": str,
    "source_line": int,
    "content_hash": str,
    "license_tag": str,
    "pii_status": str,
    "split": str,
    "stage": int,
    "phase": str,
    "turns": int,
    "tokens": int,
    "language": str,
    "group_id": str,
    "cluster_id": str,
    "provenance": dict,
}
PROVENANCE = {
    "original_s3_key": str,
    "processing_pipeline": str,
    "processing_steps": list,
    "processed_at": str,
    "dedup_status": str,
}


def sha256(body: bytes) -> str:
    """The SHA-256 of `body` in hex."""
    return hashlib.sha256(body).hexdigest()


def content_hash(messages: list[dict[str, str]]) -> str:
    """The contract's hash: contents stripped and lowered, sorted, joined by a space."""
    words = " ".join(sorted(message["content"].strip().lower() for message in messages))
    return "sha256:" + sha256(words.encode())


def record_id(messages: list[dict[str, str]]) -> str:
    """The first 32 hex digits of the digest of the messages with sorted keys and no spaces."""
    body = json.dumps(messages, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(body.encode())[:32]


def rows_in(key: str, body: bytes) -> int:
    """How many rows an object of this test holds, counted the plainest way."""
    if key.endswith(".csv"):
        return sum(1 for _ in csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))
    if key.endswith(".jsonl"):
        return sum(1 for line in body.split(b"\n") if line.strip())
    value = json.loads(body)
    return len(value) if isinstance(value, list) else 1


class Recount:
    """One release in a bucket given as {key: bytes}."""

    def __init__(self, objects: Mapping[str, bytes], version: str, exports: str) -> None:
        self.objects, self.exports = objects, exports
        self.prefix = f"{exports}releases/{version}/"
        self.body = objects[self.prefix + "manifest.json"]
        self.manifest: dict[str, Any] = json.loads(self.body)
        self.rows: list[dict[str, Any]] = []
        self.split_of_row: list[str] = []
        self.shards = [file for file in self.manifest["files"] if file["kind"] == "shard"]
        for shard in self.shards:
            for line in objects[shard["key"]].splitlines():
                self.rows.append(json.loads(line))
        assert self.rows
        self.metadata = [row["metadata"] for row in self.rows]
        self.policy = tomllib.loads(
            objects[f"{exports}policy/{self.manifest['policy']['digest']}.toml"].decode()
        )

    def check_everything(self) -> None:
        """Count every number of the manifest again."""
        self.files()
        self.row_schema()
        self.counts()
        self.sources()
        self.groups()
        self.routing()
        self.gates()
        self.signoffs()
        self.reviews()
        self.checksums()
        self.history()

    def files(self) -> None:
        """Digest, size and records of each file; nothing unlisted lies in the prefix."""
        listed = self.manifest["files"]
        for file in listed:
            body = self.objects[file["key"]]
            assert (sha256(body), len(body)) == (file["sha256"], file["size"]), file["key"]
            if file["kind"] == "shard":
                assert body.count(b"\n") == file["records"] > 0, file["key"]
                assert body.endswith(b"\n"), file["key"]
                found = {
                    (m["source_family"], m["split"])
                    for line in body.splitlines()
                    for m in (json.loads(line)["metadata"],)
                }
                assert found == {(file["family"], file["split"])}, file["key"]
        keys = {file["key"] for file in listed} | {self.prefix + "manifest.json"}
        assert keys == {key for key in self.objects if key.startswith(self.prefix)}
        assert self.manifest["shards"] == sorted(shard["sha256"] for shard in self.shards)
        totals = self.manifest["totals"]
        assert totals == {
            "records": len(self.rows),
            "rows": sum(source["rows"] for source in self.manifest["sources"]),
            "files": len(listed),
            "shards": len(self.shards),
            "bytes": sum(len(self.objects[file["key"]]) for file in listed),
            "shard_bytes": sum(len(self.objects[file["key"]]) for file in self.shards),
        }

    def row_schema(self) -> None:
        """Every row has the same keys in the same order and types; its hashes are its own."""
        for row in self.rows:
            messages, metadata = row["messages"], row["metadata"]
            place = metadata["record_id"]
            assert list(row) == ROW_KEYS, place
            assert list(metadata) == list(METADATA), place
            assert [type(value) for value in metadata.values()] == list(METADATA.values()), place
            assert list(metadata["provenance"]) == list(PROVENANCE), place
            types = [type(value) for value in metadata["provenance"].values()]
            assert types == list(PROVENANCE.values()), place
            assert all(list(message) == ["role", "content"] for message in messages), place
            roles = [message["role"] for message in messages]
            assert set(roles) <= {"system", "user", "assistant"}, place
            assert roles[-1] == "assistant" or "user" in roles, place
            assert len(messages) == metadata["turns"], place
            assert content_hash(messages) == metadata["content_hash"], place
            assert record_id(messages) == metadata["record_id"], place
            assert metadata["provenance"]["original_s3_key"] == metadata["source_key"], place
            assert metadata["tokens"] > 0, place
        ids = [metadata["record_id"] for metadata in self.metadata]
        assert len(set(ids)) == len(ids)

    def counts(self) -> None:
        """Records per family and split, per split, per licence; personal data per split."""
        by_family: dict[str, Counter[str]] = defaultdict(Counter)
        pii: dict[str, Counter[str]] = defaultdict(Counter)
        for metadata in self.metadata:
            by_family[metadata["source_family"]][metadata["split"]] += 1
            pii[metadata["split"]][metadata["pii_status"]] += 1
        said = {item["name"]: item["records"] for item in self.manifest["families"]}
        assert {name: dict(by_family[name]) for name in said} == said
        assert set(by_family) <= set(said)
        splits = Counter(metadata["split"] for metadata in self.metadata)
        assert self.manifest["splits"] == {n: splits[n] for n in ("train", "val", "test")}
        assert self.manifest["pii"] == {
            split: {status: pii[split][status] for status in ("none_detected", "scrubbed")}
            for split in pii
        }
        licences = Counter(metadata["license_tag"] for metadata in self.metadata)
        assert self.manifest["provenance"]["licences"] == dict(licences)
        exported = self.manifest["export"]["splits"]
        assert sorted(key for keys in exported.values() for key in keys) == sorted(
            shard["key"] for shard in self.shards
        )
        for split, keys in exported.items():
            assert all(f"/chatml/{split}/" in key for key in keys), split

    def sources(self) -> None:
        """Rows in equal rows out, for each source object as it lies in the bucket, and in all."""
        shipped = Counter(metadata["source_key"] for metadata in self.metadata)
        sums: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        for source in self.manifest["sources"]:
            key, body = source["key"], self.objects[source["key"]]
            assert sha256(body) == source["sha256"], key
            assert rows_in(key, body) == source["rows"], key
            lost, lanes = sum(source["rejected"].values()), sum(source["lanes"].values())
            assert source["rows"] == source["records"] + lost + lanes, key
            assert source["records"] == source["shipped"] + sum(source["dropped"].values()), key
            assert source["shipped"] == shipped[key], key
            sums.update(rows=source["rows"], records=source["shipped"], rejected=lost, lanes=lanes)
            dropped.update(source["dropped"])
            rejected.update(source["rejected"])
        listed = {source["key"]: source["sha256"] for source in self.manifest["sources"]}
        assert set(shipped) <= set(listed)
        for metadata in self.metadata:
            assert metadata["source_sha256"] == listed[metadata["source_key"]]
        said = self.manifest["provenance"]
        assert said["sources"] == len(self.manifest["sources"])
        for name in ("rows", "records", "rejected", "lanes"):
            assert said[name] == sums[name], name
        assert (said["dropped"], said["rejections"]) == (dict(dropped), dict(rejected))
        given = said["records"] + said["rejected"] + said["lanes"] + sum(dropped.values())
        assert said["rows"] == given

    def groups(self) -> None:
        """No group, cluster or content stands on two sides of a split."""
        for name in ("group_id", "cluster_id", "content_hash", "record_id"):
            sides: dict[str, set[str]] = defaultdict(set)
            for metadata in self.metadata:
                sides[metadata[name]].add(metadata["split"])
            assert all(len(found) == 1 for found in sides.values()), name

    def routing(self) -> None:
        """Weights sum to one in each phase, over exactly the families that have shards."""
        body = self._referenced(self.manifest["routing"])
        document = json.loads(body)
        assert document["version"] == self.manifest["version"]
        counts: Counter[tuple[str, str]] = Counter()
        for metadata in self.metadata:
            counts[metadata["source_family"], metadata["split"]] += 1
        with_shards = {shard["family"] for shard in self.shards}
        assert document["phases"]
        for phase in document["phases"]:
            assert set(phase["families"]) == with_shards
            assert abs(sum(f["weight"] for f in phase["families"].values()) - 1) < 1e-9
            assert abs(sum(stage["weight"] for stage in phase["stages"]) - 1) < 1e-9
            for name, family in phase["families"].items():
                assert family["weight"] > 0, name
                for split, found in family["splits"].items():
                    assert found["records"] == counts[name, split], (name, split)

    def gates(self) -> None:
        """Each required gate passed on every record, and its evidence says the same."""
        named = {gate["gate"] for gate in self.manifest["gates"]}
        assert named == set(self.policy["required_gates"])
        for gate in self.manifest["gates"]:
            report = json.loads(self._referenced(gate))
            assert report["candidate"] == self.manifest["candidate"]["digest"], gate["gate"]
            assert gate["verdict"] == report["verdict"] == "pass", gate["gate"]
            numbers = {gate["examined"], gate["expected"], report["examined"], report["expected"]}
            assert numbers == {len(self.rows)}, gate["gate"]
            assert gate["settings"] == report["settings"], gate["gate"]
            stored = Counter(finding["code"] for finding in report["findings"])
            assert all(gate["findings"][code] >= count for code, count in stored.items())
            assert not any(finding["blocking"] for finding in report["findings"]), gate["gate"]

    def signoffs(self) -> None:
        """Each required sign-off is there, signed by a registered key over this candidate."""
        keys = self._registered_keys()
        wanted = {rule["id"]: rule["role"] for rule in self.policy["signoffs"]}
        assert {item["requirement"]: item["role"] for item in self.manifest["signoffs"]} == wanted
        signed_by = {item["reviewer"] for item in self.manifest["signoffs"]}
        assert "people" not in self.policy, "a stored policy names nobody"
        for item in self.manifest["signoffs"]:
            envelope = json.loads(self._referenced(item))
            statement = base64.b64decode(envelope["payload"])
            kind = envelope["payloadType"].encode()
            signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(statement), statement)
            for signature in envelope["signatures"]:
                public = Ed25519PublicKey.from_public_bytes(keys[signature["keyid"]])
                public.verify(base64.b64decode(signature["sig"]), signed)
            said = json.loads(statement)
            subject = said["subject"][0]["digest"]["sha256"]
            assert subject == self.manifest["candidate"]["digest"], item["requirement"]
            assert said["predicate"]["decision"] == "approve", item["requirement"]
            assert said["predicate"]["reviewer"] == item["reviewer"], item["requirement"]
            assert said["predicate"]["role"] == item["role"], item["requirement"]
        assert len(signed_by) >= 2
        # Whoever read the samples does not publish.
        readers = {i["reviewer"] for i in self.manifest["signoffs"] if i["role"] == "clinician"}
        assert self.manifest["published_by"] not in readers

    def reviews(self) -> None:
        """What a review says was read is as many records as were rated, out of the frame."""
        claims = {claim["id"]: claim for claim in self.policy["claims"]}
        assert {review["claim"] for review in self.manifest["reviews"]} == set(claims)
        folder = f"{self.exports}reviews/{self.manifest['candidate']['digest']}/ratings/"
        for review in self.manifest["reviews"]:
            claim = claims[review["claim"]]
            self._referenced(review)
            rated = {
                key.removeprefix(folder).split("/")[1]
                for key in self.objects
                if key.startswith(f"{folder}{review['claim']}/")
            }
            assert review["read"] == len(rated) >= claim["first"], review["claim"]
            frame = {
                metadata["cluster_id"]
                for metadata in self.metadata
                if metadata["source_family"] in claim["families"]
            }
            assert review["frame"] == len(frame), review["claim"]
            assert float(review["limit"]) == claim["limit"], review["claim"]
            assert float(review["confidence"]) == claim["confidence"], review["claim"]
            assert 0 < float(review["upper"]) <= claim["limit"], review["claim"]

    def checksums(self) -> None:
        """CHECKSUMS.sha256 names every file but itself, as `sha256sum --check` reads it."""
        key = self.prefix + "CHECKSUMS.sha256"
        lines = self.objects[key].decode().splitlines()
        found = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
        listed = {
            file["key"].removeprefix(self.prefix): file["sha256"]
            for file in self.manifest["files"]
            if file["key"] != key
        }
        assert found == listed

    def history(self) -> None:
        """The journal is a chain, it holds the head the manifest names, and the candidate is its
        digest."""
        folder = f"{self.exports}journal/"
        before, digests = "0" * 64, {}
        for seq, key in enumerate(sorted(k for k in self.objects if k.startswith(folder)), 1):
            entry = json.loads(self.objects[key])
            assert (entry["seq"], entry["prev"]) == (seq, before), key
            before = digests[seq] = sha256(self.objects[key])
        assert digests[self.manifest["journal_seq"]] == self.manifest["journal_head"]
        candidate = self.manifest["candidate"]
        assert sha256(self.objects[candidate["key"]]) == candidate["digest"]
        digest = self.manifest["policy"]["digest"]
        assert sha256(self.objects[f"{self.exports}policy/{digest}.toml"]) == digest

    def _referenced(self, item: Mapping[str, Any]) -> bytes:
        body = self.objects[item["key"]]
        assert sha256(body) == item["sha256"], item["key"]
        assert item["key"].startswith(self.prefix), item["key"]
        return body

    def _registered_keys(self) -> dict[str, bytes]:
        found = {}
        for key, body in self.objects.items():
            if not key.startswith(f"{self.exports}journal/"):
                continue
            event = json.loads(body)["event"]
            if event["type"] == "key.registered":
                found[event["key_id"]] = bytes.fromhex(event["public_key"])
        return found
