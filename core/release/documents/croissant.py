"""croissant.json describes a release to tools that read MLCommons Croissant 1.0 and RAI 1.0."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TEXT, _INTEGER = "sc:Text", "sc:Integer"
_METADATA = {
    "record_id": _TEXT,
    "source_family": _TEXT,
    "source_key": _TEXT,
    "source_line": _INTEGER,
    "content_hash": _TEXT,
    "license_tag": _TEXT,
    "pii_status": _TEXT,
    "split": _TEXT,
    "stage": _INTEGER,
    "phase": _TEXT,
    "turns": _INTEGER,
    "tokens": _INTEGER,
    "language": _TEXT,
    "group_id": _TEXT,
}


def croissant(document: Mapping[str, Any], prefix: str) -> str:
    """Return the metadata: every shard with its digest, a record set a shard, the RAI fields."""
    shards = [file for file in document["files"] if file["kind"] == "shard"]
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": file["key"].removeprefix(prefix),
            "name": file["key"].removeprefix(prefix),
            "contentUrl": file["key"].removeprefix(prefix),
            "contentSize": f"{file['size']} B",
            "encodingFormat": "application/jsonlines",
            "sha256": file["sha256"],
        }
        for file in shards
    ]
    whole = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": f"release-{document['version']}",
        "description": "Reviewed dialogues in ChatML; manifest.json is authority.",
        "version": _semantic(document["version"]),
        "datePublished": document["created_at"],
        "license": ", ".join(sorted(document["provenance"]["licences"])),
        "creator": {"@type": "sc:Organization", "name": document["desk"]},
        "citeAs": f"Release {document['version']}, candidate {document['candidate']['digest']}",
        "distribution": objects,
        "recordSet": [_record_set(file, prefix) for file in shards],
        **_responsible(document),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _semantic(version: str) -> str:
    """Return `v2026-01-05.2` as 2026.1.5+2, the form Croissant asks for; the name has our own."""
    date, _, number = version.removeprefix("v").partition(".")
    return ".".join(str(int(part)) for part in date.split("-")) + (f"+{number}" if number else "")


def _record_set(file: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    file_id = file["key"].removeprefix(prefix)
    name = f"{file['split']}-{file['family']}-{file['sha256'][:8]}"
    turns = {
        "@type": "cr:Field",
        "@id": f"{name}/messages",
        "name": f"{name}/messages",
        "repeated": True,
        "subField": [
            _field(f"{name}/messages/{part}", _TEXT, file_id, "messages", part, repeated=True)
            for part in ("role", "content")
        ],
    }
    facts = [
        _field(f"{name}/{part}", kind, file_id, "metadata", part)
        for part, kind in _METADATA.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{file['records']} records of {file['family']}, {file['split']}",
        "field": [turns, *facts],
    }


def _field(
    name: str, kind: str, file_id: str, column: str, part: str, *, repeated: bool = False
) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "dataType": kind,
        **({"repeated": True} if repeated else {}),
        "source": {
            "fileObject": {"@id": file_id},
            "extract": {"column": column},
            "transform": {"jsonPath": part},
        },
    }


def _responsible(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the RAI fields, each from the evidence: what was read, by how many, and its limits."""
    reviews, facts = document["reviews"], document["provenance"]
    readers = {who for review in reviews for who in review["reviewers"]}
    found = [
        f"{review['title']}: {review['defects']} defects and {review['cannot_judge']} not to be "
        f"judged among {review['read']} read of {review['planned']} planned; "
        f"{review['double_rated']} read twice."
        for review in reviews
    ]
    said = [text for review in reviews for text in (*review["exceptions"], *review["dissents"])]
    left_out = [f"Left out: {item['scope']}, {item['reason']}" for item in document["exclusions"]]
    scrubbed = sum(cell["scrubbed"] for cell in document["pii"].values())
    fields: dict[str, Any] = {
        "rai:dataCollection": f"{facts['sources']} source objects, each decided on by name.",
        "rai:dataCollectionMissingData": (
            f"{facts['rejected']} of {facts['rows']} rows rejected, by code in the manifest; "
            f"{sum(facts['dropped'].values())} records dropped by policy."
        ),
        "rai:dataPreprocessingProtocol": [
            "Mapped to ChatML, identifiers redacted, split by group; steps in each row's metadata."
        ],
        "rai:dataAnnotationProtocol": "; ".join(
            f"{review['claim']}: rubric {review['rubric']['id']} {review['rubric']['version']} "
            f"({review['rubric']['sha256']})"
            for review in reviews
        ),
        "rai:dataAnnotationPlatform": [document["desk"]],
        "rai:dataAnnotationAnalysis": found,
        "rai:annotationsPerItem": "1, and 2 where read twice",
        "rai:annotatorDemographics": [f"{len(readers)} reviewers, known by role; no more is kept."],
        "rai:machineAnnotationTools": [
            f"{gate['gate']} gate, settings {gate['settings']}" for gate in document["gates"]
        ],
        "rai:dataBiases": said,
        "rai:dataLimitations": [*(review["sentence"] for review in reviews), *left_out],
        "rai:dataUseCases": ["Training and evaluating dialogue models; not clinical advice."],
        "rai:personalSensitiveInformation": [
            "Dialogues on mental health.",
            f"Identifiers redacted in {scrubbed} of {document['totals']['records']} records.",
        ],
        "rai:dataReleaseMaintenancePlan": (
            "Never changed; withdrawn.json beside the manifest says that it must not be used."
        ),
    }
    return {name: value for name, value in fields.items() if value}


_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
