"""The policy in force is the configured one, or what people by name have made of it since.

Each adoption is a journal entry, and its bytes lie in the bucket under their own digest. A desk
keeps the policy it was opened with; whoever adopts one opens the desk again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.canonical import sha256_hex
from core.model.errors import Exists, Missing, PolicyError, StorageError
from core.model.names import Digest
from core.model.signoff import Person
from core.policy.assign import assign_prefix
from core.policy.load import parse_policy
from core.policy.types import Policy
from core.storage.journal import EMPTY_HEAD, Entry
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once
from core.workbench import history
from core.workbench.desk import Desk

_LIMIT = 4 << 20
_RACES = 5


def in_force(desk: Desk, entries: Iterable[Entry]) -> Digest:
    """Return the digest of the policy in force now, which `desk` may not have yet."""
    return Digest(history.adopted_policy(entries, desk.configured))


def with_policy_in_force(desk: Desk) -> Desk:
    """Return `desk`, or one like it under the policy adopted since, with nothing remembered.

    Raises:
        PolicyError: `policy.adopted_damaged` when the adopted bytes are gone or others.
    """
    wanted = in_force(desk, desk.entries())
    if wanted == desk.policy.digest:
        return desk
    policy = load_adopted(desk.store, desk.prefix, wanted)
    if policy.demo and not desk.settings.embedded:
        raise PolicyError(
            "policy.demo_outside", "The demo policy serves the embedded demo bucket alone."
        )
    return replace(desk, policy=policy, base=desk.configured, memory={})


def policy_key(prefix: str, digest: str) -> str:
    """Return where the policy of this digest lies."""
    return f"{prefix}policy/{digest}.toml"


def load_adopted(store: ObjectStore, prefix: str, digest: str) -> Policy:
    """Return the stored policy of this digest.

    Raises:
        PolicyError: `policy.adopted_damaged` when it is gone or its bytes are others.
    """
    key = policy_key(prefix, digest)
    try:
        body = store.get(key, limit=_LIMIT).body
    except Missing:
        body = b""
    if sha256_hex(body) != digest:
        raise PolicyError(
            "policy.adopted_damaged",
            "The policy that was adopted is not where it was put; nothing goes on without it.",
            place=key,
        )
    return parse_policy(body)


def adopt_assignment(desk: Desk, family: str, prefix: str, by: Person) -> Policy:
    """Write and adopt the policy in which `prefix` is `family`'s, or nobody's when "".

    Two people who assign at once both count: the later one continues the earlier one's policy.

    Raises:
        PolicyError: as `assign_prefix`.
        StorageError: `journal.crowded` when others decide without a pause.
    """
    for _ in range(_RACES):
        entries = desk.entries()
        head = entries[-1].digest if entries else EMPTY_HEAD
        current = with_policy_in_force(desk).policy
        policy = assign_prefix(current, family=family, prefix=prefix, by=by.id, at=desk.now())
        put_once(desk.store, policy_key(desk.prefix, policy.digest), policy.source)
        event = {
            "type": "policy.adopted",
            "policy": policy.digest,
            "from": current.digest,
            "base": desk.configured,
            "change": {"assign": prefix, "family": family},
        }
        try:
            desk.journal.append_after(head, by.id, event)
        except Exists:
            continue
        return policy
    raise StorageError("journal.crowded", "The journal is too busy; try again.")
