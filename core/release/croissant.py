"""croissant.json describes a release to tools that read MLCommons Croissant 1.0."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def croissant(document: Mapping[str, Any], prefix: str) -> str:
    """Return minimal Croissant 1.0 metadata: every shard with its digest, one record set."""
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
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"release-{document['version']}",
        "description": "Reviewed dialogues in ChatML; manifest.json is authority.",
        "version": document["version"],
        "datePublished": document["created_at"],
        "license": ", ".join(sorted(document["provenance"]["licences"])),
        "distribution": objects,
        "recordSet": [_record_set(item["@id"], number) for number, item in enumerate(objects)],
        "rai:personalSensitiveInformation": "Dialogues on mental health; identifiers redacted.",
        "rai:dataLimitations": [review["sentence"] for review in document["reviews"]],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _record_set(file_id: str, number: int) -> dict[str, Any]:
    name = f"rows-{number}"
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": f"{name}/{column}",
            "dataType": "sc:Text",
            "source": {"fileObject": {"@id": file_id}, "extract": {"column": column}},
        }
        for column in ("messages", "metadata")
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "conformsTo": "dct:conformsTo",
    "dct": "http://purl.org/dc/terms/",
    "column": "cr:column",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
}
