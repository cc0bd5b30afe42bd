"""Settings come from the environment; half a configuration is an error, none means embedded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.model.errors import SettingsError

_FIELDS = ("ENDPOINT", "BUCKET", "REGION", "ACCESS_KEY", "SECRET_KEY")
_FAMILIES = ("DESK_S3_", "OVH_S3_", "HETZNER_S3_")
_AWS = {
    "ENDPOINT": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT"),
    "BUCKET": ("AWS_S3_BUCKET",),
    "REGION": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "ACCESS_KEY": ("AWS_ACCESS_KEY_ID",),
    "SECRET_KEY": ("AWS_SECRET_ACCESS_KEY",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """How to reach one bucket. Secrets never appear in the representation."""

    endpoint: str | None
    bucket: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the environment decides. `bucket` is None when the embedded one serves.

    `reader` is the bucket under a key that may only read, for verifying and the smoke test; None
    where no such key was given. `ray_address` names a Ray cluster that scans and compares; empty
    for none. `trusted_keys` are ids of the only signing keys believed; empty for every registered.
    """

    bucket: BucketSettings | None
    exports_prefix: str
    policy_file: Path | None
    workspace: Path
    reader: BucketSettings | None = None
    people_file: Path | None = None
    known_bad_file: Path | None = None
    ray_address: str = ""
    trusted_keys: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the desk runs on its own demo bucket."""
        return self.bucket is None


def read_settings(environment: Mapping[str, str], *, home: Path) -> Settings:
    """Return the settings of `environment`; `home` is where a default workspace may stand.

    Raises:
        SettingsError: when S3 is half configured, or a value is not usable.
    """
    bucket = _bucket(environment)
    prefix = environment.get("DESK_EXPORTS_PREFIX", "exports/")
    if not prefix or prefix.startswith("/") or ".." in prefix:
        raise SettingsError("settings.exports_prefix", "DESK_EXPORTS_PREFIX is not a prefix.")
    policy = environment.get("DESK_POLICY")
    people = environment.get("DESK_PEOPLE")
    known_bad = environment.get("DESK_KNOWN_BAD")
    workspace = Path(environment.get("DESK_WORKSPACE") or home / ".release-desk")
    return Settings(
        bucket=bucket,
        exports_prefix=prefix if prefix.endswith("/") else prefix + "/",
        policy_file=Path(policy) if policy else None,
        workspace=workspace.expanduser().resolve(),
        reader=_reader(environment, bucket),
        people_file=Path(people).expanduser() if people else None,
        known_bad_file=Path(known_bad).expanduser() if known_bad else None,
        trusted_keys=_key_ids(environment.get("DESK_TRUSTED_KEYS", "")),
        ray_address=environment.get("DESK_RAY_ADDRESS") or "",
    )


def _bucket(environment: Mapping[str, str]) -> BucketSettings | None:
    """The first family of names with any of its settings present decides, and must be whole."""
    for family in _FAMILIES:
        found = {name: environment.get(family + name) or "" for name in _FIELDS}
        if any(found.values()):
            return _whole(found, family, endpoint_needed=True)
    found = {
        name: next((environment[key] for key in keys if environment.get(key)), "")
        for name, keys in _AWS.items()
    }
    # A machine may carry AWS keys for other work: only a named bucket points the desk at AWS.
    if not found["BUCKET"]:
        return None
    return _whole(found, "AWS_", endpoint_needed=False)


def _reader(environment: Mapping[str, str], bucket: BucketSettings | None) -> BucketSettings | None:
    """The first family of names with a reading key decides; it is of the same bucket."""
    for family in _FAMILIES:
        names = (f"{family}READ_ACCESS_KEY", f"{family}READ_SECRET_KEY")
        key, secret = (environment.get(name) or "" for name in names)
        if not key and not secret:
            continue
        if not key or not secret or bucket is None:
            raise SettingsError(
                "settings.half_configured",
                f"S3 is half configured: set {' and '.join(names)} beside the bucket's own "
                "settings, or neither.",
            )
        return replace(bucket, access_key=key, secret_key=secret)
    return None


def _whole(found: dict[str, str], family: str, *, endpoint_needed: bool) -> BucketSettings:
    needed = ["BUCKET", "ACCESS_KEY", "SECRET_KEY"] + (["ENDPOINT"] if endpoint_needed else [])
    absent = [name for name in needed if not found[name]]
    if absent:
        names = ", ".join(family + name if family != "AWS_" else _AWS[name][0] for name in absent)
        raise SettingsError(
            "settings.half_configured",
            f"S3 is half configured: set {names}, or unset all of them for the demo bucket.",
        )
    return BucketSettings(
        endpoint=found["ENDPOINT"] or None,
        bucket=found["BUCKET"],
        region=found["REGION"] or "us-east-1",
        access_key=found["ACCESS_KEY"],
        secret_key=found["SECRET_KEY"],
    )


def _key_ids(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",")) if text.strip() else ()
    # A list that is not understood must not be taken for no list at all.
    if not all(re.fullmatch("[0-9a-f]{16}", word) for word in found):
        raise SettingsError(
            "settings.trusted_keys", "DESK_TRUSTED_KEYS is a list of 16 hex digits each."
        )
    return found
