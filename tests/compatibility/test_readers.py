"""The README's programs run as they stand, on a release in a bucket, in their own environment."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from core.release.documents.training import read_snippet
from tests.builders import PREFIX
from tests.compatibility.conftest import COUNTS, VERSION, snippets

LINES = 40
TRAIN = sum(count for (_, split), count in COUNTS.items() if split == "train")
ROWS = sum(COUNTS.values())

MAKE_TOKENIZER = """
from tokenizers import Tokenizer, models, pre_tokenizers, decoders
from transformers import PreTrainedTokenizerFast
from pathlib import Path

marks = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
words = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(letters)}, merges=[]))
words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
words.decoder = decoders.ByteLevel()
words.add_special_tokens(marks)
made = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<|pad|>", eos_token="<|im_end|>")
made.chat_template = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\\n"
    "{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ m['content'] }}<|im_end|>{% endif %}\\n{% endfor %}"
)
made.save_pretrained(str(Path.home() / "model"))
"""


def test_every_program_of_the_readme_is_short_and_run_here():
    found = snippets()
    assert set(found) == {
        "read_plainly.py",
        "feed_pytorch.py",
        "fine_tune_with_trl.py",
        "tokenise_for_sft.py",
        "load_with_datasets.py",
        "ask_with_duckdb.py",
    }
    for name, code in found.items():
        assert len(code.splitlines()) <= LINES, name


def test_plain_python_mixes_stops_and_goes_on(run):
    said = run(
        snippets()["read_plainly.py"], say="[first, rest, weights, release.manifest.version]"
    )
    first, rest, weights, version = said
    assert version == VERSION
    assert len(first) == 3
    assert len(first) + len(rest) == TRAIN
    assert sum(weights.values()) == pytest.approx(1)
    assert all(turn.keys() == {"role", "content"} for turns in first + rest for turn in turns)


def test_the_program_on_the_releases_own_card_runs(run):
    said = run(read_snippet(VERSION, f"{PREFIX}releases/{VERSION}/"), say="[position, messages]")
    assert '"priority"' in said[0]
    assert said[1]


def test_a_training_loop_reads_without_pytorch(run):
    code = snippets()["feed_pytorch.py"] + "\nimport sys"
    said = run(code, say="[len(rows), epoch, 'torch' in sys.modules, len(messages)]")
    assert said == [TRAIN, 1, False, 4]


def test_a_fine_tuning_pipeline_tokenises_every_row_and_masks_the_assistant(run, tmp_path):
    run(MAKE_TOKENIZER, say="None")
    code = snippets()["tokenise_for_sft.py"] + "\nfound = list(train)"
    said = run(
        code,
        say="[[sorted(row), len(row['input_ids']), sum(row['assistant_masks'])] for row in found]"
        " + [tokenizer.decode(found[0]['input_ids'])]",
        MODEL=str(tmp_path / "home" / "model"),
    )
    *rows, text = said
    assert len(rows) == TRAIN
    for columns, length, spoken in rows:
        assert columns == ["assistant_masks", "attention_mask", "input_ids"]
        assert 0 < spoken < length <= 2048
    assert text.startswith("<|im_start|>user\n")
    assert text.count("<|im_end|>") == 4


def test_datasets_loads_the_prefix_cached_and_streaming(run):
    said = run(
        snippets()["load_with_datasets.py"],
        say="[{k: v.num_rows for k, v in cached.items()},"
        " {k: [r['metadata']['record_id'] for r in v] for k, v in streamed.items()},"
        " {k: [[r['metadata'][n] for n in ('record_id', 'split')] for r in v]"
        "  for k, v in cached.items()},"
        " cached['train'].column_names, str(cached['train'].features['messages'])]",
    )
    counted, streamed, cached, columns, messages = said
    assert counted == {"train": TRAIN, "val": 2, "test": 2}
    assert columns == ["messages", "metadata"]
    assert "role" in messages
    for split, names in streamed.items():
        assert cached[split] == [[name, split] for name in names]


@pytest.mark.parametrize("streaming", [True, False])
def test_datasets_loads_a_copy_by_its_card_alone(run, published, streaming):
    said = run(
        "import os\nfrom datasets import load_dataset\n"
        f"found = load_dataset(os.environ['COPY'], streaming={streaming})",
        say="{split: [r['metadata']['split'] for r in rows] for split, rows in found.items()}",
        COPY=str(published.copy),
    )
    assert said == {"train": ["train"] * TRAIN, "validation": ["val"] * 2, "test": ["test"] * 2}


def test_datasets_refuses_a_withdrawn_release_as_the_readme_does(run, published):
    note = f"{PREFIX}releases/{VERSION}/withdrawn.json"
    published.store.put_if_absent(note, b"{}")
    try:
        by_datasets = run(snippets()["load_with_datasets.py"], say="None", fails=True)
        plainly = run(snippets()["read_plainly.py"], say="None", fails=True)
    finally:
        published.store.delete(note)
    assert "must no longer be used" in by_datasets
    assert "release.withdrawn" in plainly


def test_duckdb_counts_what_the_manifest_counts(run):
    said = run(snippets()["ask_with_duckdb.py"], say="answer")
    assert {(family, split): rows for family, split, rows, _ in said} == COUNTS
    assert all(tokens > 0 for *_, tokens in said)


CROISSANT = """
import os
import mlcroissant
from mlcroissant._src.core.context import Context

found = mlcroissant.Dataset(jsonld=os.path.join(os.environ["COPY"], "croissant.json"))
issues = found.metadata.ctx.issues
rows = {r.id: list(found.records(r.id)) for r in found.metadata.record_sets}
plain = lambda v: v.decode() if isinstance(v, bytes) else v
"""


def test_croissant_is_valid_and_loads_every_record_by_its_fields(run, published):
    said = run(
        CROISSANT,
        say="[sorted(issues.errors), sorted(issues.warnings),"
        " {k: len(v) for k, v in rows.items()},"
        " [[k, {f: plain(r[k + '/' + f]) for f in ('source_family', 'split', 'turns')},"
        "   [[plain(t[k + '/messages/role']), bool(t[k + '/messages/content'])]"
        "    for t in r[k + '/messages']]]"
        "  for k, v in rows.items() for r in v]]",
        COPY=str(published.copy),
    )
    errors, warnings, counts, records = said
    assert errors == []
    assert warnings == []
    assert sum(counts.values()) == ROWS
    seen = Counter((facts["source_family"], facts["split"]) for _, facts, _ in records)
    assert dict(seen) == COUNTS
    for name, facts, turns in records:
        assert name.startswith(f"{facts['split']}-{facts['source_family']}-")
        assert len(turns) == facts["turns"]
        assert turns[0] == ["user", True]


def test_croissant_refuses_an_altered_shard(run, published):
    shard = next((published.copy / "chatml" / "test").iterdir())
    shard.write_bytes(shard.read_bytes().replace(b"user", b"User", 1))
    said = run(CROISSANT, say="None", fails=True, COPY=str(published.copy))
    assert "hash" in said.lower()


def test_the_checksums_hold_for_a_copy_and_find_an_altered_byte(published):
    command = ["sha256sum", "--check", "--strict", "--quiet", "CHECKSUMS.sha256"]
    assert subprocess.run(command, cwd=published.copy).returncode == 0
    card = published.copy / "README.md"
    card.write_bytes(card.read_bytes().replace(b"Reviewed", b"reviewed", 1))
    assert subprocess.run(command, cwd=published.copy, capture_output=True).returncode != 0
