"""What lies between the data in any real bucket, and must neither count nor break anything."""

from __future__ import annotations

from core.demo.dice import Dice

_README = """# Edge cases

Invented for the demo bucket. Two sets of conversations and one of scenario prompts.
Nothing here was said by a real person.
"""
_LOADER = '''"""Left here by an old job; a desk for datasets must not take it for data."""


def load(path):
    with open(path, encoding="utf-8") as lines:
        return [line for line in lines]
'''
_POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 48213377
"""
_COLUMNS, _ROWS = 32, 60


def noise() -> list[tuple[str, bytes]]:
    """Return the objects that hold no dialogue, in no particular order."""
    return [
        ("gdrive/processed/edge_cases/README.md", _README.encode()),
        ("gdrive/processed/edge_cases/synthetic.jsonl", b""),
        (
            "gdrive/processed/professional_therapeutic/train-00000-of-00001.parquet",
            _POINTER.encode(),
        ),
        ("gdrive/processed/priority/priority_features_tfidf_32.csv", _feature_matrix()),
        ("datasets/local/ai/load_datasets.py", _LOADER.encode()),
        ("datasets/gdrive/raw/counselling_cache/default/0.0.0/builder.lock", b""),
        ("datasets/gdrive/raw/counselling_cache/default/0.0.0/.incomplete_info.lock", b""),
        ("datasets/consolidated/datasets/handbook (scan).pdf", _page_of_a_book()),
        ("datasets/metadata/consolidation/report.json", b'{"status": "done", "files": 41}\n'),
    ]


def _feature_matrix() -> bytes:
    dice = Dice("features")
    header = ",".join(f"tfidf_{number:03d}" for number in range(_COLUMNS))
    rows = [",".join(f"0.{dice.below(10_000):04d}" for _ in range(_COLUMNS)) for _ in range(_ROWS)]
    return ("\n".join([header, *rows]) + "\n").encode()


def _page_of_a_book() -> bytes:
    body = bytes(Dice("book").below(256) for _ in range(4_000))
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + body + b"\n%%EOF\n"
