"""PyTorch and TRL themselves train on a release by the README's programs, where they are installed.

python3.11 -m venv T && T/bin/pip install torch==2.13.0  # a build for CPUs is enough
T/bin/pip install trl datasets torchdata boto3 msgspec jsonschema
RELEASE_DESK_TRAINER=T/bin/python python -m pytest tests/compatibility/test_trainers.py
"""

from __future__ import annotations

import math

import pytest

from tests.compatibility.conftest import snippets
from tests.compatibility.test_readers import MAKE_TOKENIZER, TRAIN

MAKE_MODEL = (
    MAKE_TOKENIZER
    + """
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
small = LlamaConfig(
    vocab_size=len(made), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=2048,
    pad_token_id=made.pad_token_id, eos_token_id=made.eos_token_id, bos_token_id=None,
)
LlamaForCausalLM(small).save_pretrained(str(Path.home() / "model"))
"""
)
SEEN = """
held = next(iter(trainer.get_train_dataloader()))
spoken = [tokenizer.decode([n for n in row if n >= 0]) for row in held["labels"].tolist()]
losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
"""
SAY = "[losses, trainer.state.global_step, spoken, [r['messages'] for r in dialogues()]]"


def held_to(said, *, steps, width):
    """What was learned from is what the assistant says, in the stream's order, and no more."""
    losses, done, spoken, rows = said
    assert done == steps
    assert losses
    assert all(math.isfinite(loss) and loss > 0 for loss in losses)
    assert len(rows) == TRAIN
    assert len(spoken) == width
    for heard, turns in zip(spoken, rows, strict=False):
        answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
        assert heard == "".join(f"{answer}<|im_end|>" for answer in answers)


@pytest.fixture
def model(train, tmp_path):
    """A small model that has learned nothing, in a folder."""
    train(MAKE_MODEL, say="None")
    return str(tmp_path / "home" / "model")


def test_trl_trains_on_what_the_assistant_says(train, model):
    code = snippets()["fine_tune_with_trl.py"].replace(
        'output_dir="run",', 'output_dir="run", use_cpu=True, logging_steps=1,'
    )
    said = train(code + "\ntokenizer = trainer.processing_class\n" + SEEN, say=SAY, MODEL=model)
    held_to(said, steps=5, width=8)
    assert len(said[0]) == 5


def test_trl_takes_rows_that_were_tokenised_and_masked_by_hand(train, model):
    code = (
        snippets()["tokenise_for_sft.py"]
        + """
from trl import SFTConfig, SFTTrainer

arguments = SFTConfig(
    output_dir="run", use_cpu=True, max_steps=2, max_length=2048, logging_steps=1,
    per_device_train_batch_size=2,
)
trainer = SFTTrainer(os.environ["MODEL"], args=arguments, train_dataset=train)
trainer.train()
"""
    )
    held_to(train(code + SEEN, say=SAY, MODEL=model), steps=2, width=2)


LOADER = """
import os
from functools import partial
from pathlib import Path
from torch.utils.data import DataLoader, IterableDataset
from core.release.training import TrainingRows
from core.settings import read_settings
from core.storage.s3 import S3Store

settings = read_settings(os.environ, home=Path.cwd()).bucket
connect = partial(S3Store, settings)

def new():
    return TrainingRows(connect, "latest", split="train", seed=0)

def name(row):
    return row["metadata"]["record_id"]
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_with_two_workers_gives_every_row_once_in_every_epoch(train, method):
    code = (
        LOADER
        + f"""
if __name__ == "__main__":
    rows = new()
    plain = [name(row) for row in rows]
    loader = DataLoader(rows, batch_size=None, num_workers=2, multiprocessing_context={method!r})
    epochs = []
    for epoch in range(2):
        rows.set_epoch(epoch)
        epochs.append([name(row) for row in loader])
"""
    )
    said = train(
        code,
        say="[plain, epochs, len(loader), isinstance(rows, IterableDataset)]"
        " if __name__ == '__main__' else None",
    )
    plain, epochs, length, iterable = said
    assert iterable
    assert len(plain) == len(set(plain)) == length == TRAIN
    assert [sorted(epoch) for epoch in epochs] == [sorted(plain)] * 2
    assert epochs[0] == plain
    assert epochs[1] != plain


def test_a_stateful_loader_goes_on_where_it_stopped(train):
    code = (
        LOADER
        + """
from torchdata.stateful_dataloader import StatefulDataLoader

def loaded(rows):
    return StatefulDataLoader(rows, batch_size=None, num_workers=2)

whole = [name(row) for row in loaded(new())]
stopped = loaded(new())
running = iter(stopped)
before = [name(next(running)) for _ in range(7)]
state = stopped.state_dict()
later = loaded(new())
later.load_state_dict(state)
after = [name(row) for row in later]
"""
    )
    whole, before, after = train(code, say="[whole, before, after]")
    assert len(set(whole)) == TRAIN
    assert before + after == whole
