"""A desk on a bucket that is not the demo's: named people from a policy file, and nothing demo.

bench = a_real_desk(settings, tmp_path)     # settings of an S3 server's bucket
fill_small(bench.desk.store)                # five families of invented dialogues
road.person(bench, "owner")                 # the policy's own person, freshly logged in
"""

from __future__ import annotations

import json
from pathlib import Path

from core.policy.load import packaged_source
from core.settings import BucketSettings, Settings
from core.storage.ports import ObjectStore, SystemClock
from core.storage.s3 import S3Store
from core.workbench import Workbench, assemble, connect_desk
from tests.builders import some_messages

VERSION = "v2026-11-22"
ISSUER = "https://id.example.org"
ROLES = {
    "engineer": "release_owner",
    "owner": "release_owner",
    "lead": "review_lead",
    "clinician-1": "clinician",
    "bias": "bias_reviewer",
}
# Family prefix and object, and how many invented dialogues of four turns each lie there.
SMALL = {
    "gdrive/processed/professional_therapeutic/talks.jsonl": 30,
    "gdrive/processed/priority/talks.jsonl": 30,
    "gdrive/processed/cot_reasoning/steps.jsonl": 20,
    "gdrive/processed/edge_cases/calls.jsonl": 24,
    "voice/talks.jsonl": 20,
}
PROFILE = {"sentence_starters": {"So": 2, "Well": 1}, "analogies": ["a garden in the rain"]}


def real_policy() -> bytes:
    """The packaged rules with claims small enough for a test, for a real bucket."""
    source = packaged_source("demo").decode()
    for old, new in (("demo = true", "demo = false"), ('"demo"', '"test"')):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source.encode()


def real_people(issuer: str = ISSUER) -> bytes:
    """Everybody of `ROLES`, as the file that DESK_PEOPLE names."""
    return "".join(
        f'\n[[people]]\nid = "test:{name}"\nname = "Test {name}"\nissuer = "{issuer}"\n'
        f'subject = "subject-{name}"\nroles = ["{role}"]\n'
        for name, role in ROLES.items()
    ).encode()


def people_file(folder: Path, people: bytes | None = None) -> Path:
    """Write the roster into `folder`, once unless another one is given; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "people.toml"
    if people is not None or not path.exists():
        path.write_bytes(real_people() if people is None else people)
    return path


def policy_file(folder: Path, policy: bytes | None = None) -> Path:
    """Write the policy into `folder`, once unless another one is given; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "policy.toml"
    if policy is not None or not path.exists():
        path.write_bytes(real_policy() if policy is None else policy)
    return path


def bucket_settings(store: S3Store, near: BucketSettings) -> BucketSettings:
    """How to reach the store's bucket, given the settings of another bucket on its server."""
    return BucketSettings(
        endpoint=near.endpoint,
        bucket=store.bucket,
        region=near.region,
        access_key=near.access_key,
        secret_key=near.secret_key,
    )


def a_real_desk(
    bucket: BucketSettings,
    folder: Path,
    *,
    workspace: str = "workspace",
    policy: bytes | None = None,
    people: bytes | None = None,
) -> Workbench:
    """Open the desk on `bucket` as an installation would; `folder` keeps policy and workspace."""
    settings = Settings(
        bucket=bucket,
        exports_prefix="exports/",
        policy_file=policy_file(folder, policy),
        workspace=folder / workspace,
        people_file=people_file(folder, people),
    )
    return assemble(connect_desk(settings, clock=SystemClock()))


def environment(
    bucket: BucketSettings, folder: Path, workspace: str = "workspace"
) -> dict[str, str]:
    """The environment variables under which another process opens the same desk."""
    return {
        "DESK_S3_ENDPOINT": bucket.endpoint or "",
        "DESK_S3_BUCKET": bucket.bucket,
        "DESK_S3_REGION": bucket.region,
        "DESK_S3_ACCESS_KEY": bucket.access_key,
        "DESK_S3_SECRET_KEY": bucket.secret_key,
        "DESK_POLICY": str(policy_file(folder)),
        "DESK_PEOPLE": str(people_file(folder)),
        "DESK_WORKSPACE": str(folder / workspace),
    }


def json_lines(rows: list[object]) -> bytes:
    """The rows as JSON lines."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def fill_small(store: ObjectStore, **counts: int) -> None:
    """Put invented dialogues under every family's canonical prefix, and a persona profile.

    A keyword such as `voice=0` changes how many dialogues the key that contains it gets.
    """
    for key, usual in SMALL.items():
        count = next((given for part, given in counts.items() if part in key), usual)
        rows: list[object] = [{"messages": some_messages(f"{key} {n}")} for n in range(count)]
        store.put_if_absent(key, json_lines(rows))
    store.put_if_absent("voice/profile.json", json.dumps(PROFILE).encode())


def copy_bucket(source: ObjectStore, target: ObjectStore) -> None:
    """Put every object of one bucket into another, so that a test may break its own."""
    for found in source.list(""):
        target.put_if_absent(found.key, source.get(found.key, limit=1 << 28).body)
