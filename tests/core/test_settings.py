"""Half a configuration is an error; none means the embedded bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.errors import SettingsError
from core.settings import read_settings

WHOLE = {
    "ENDPOINT": "https://s3.example.org",
    "BUCKET": "data",
    "REGION": "us-east-va",
    "ACCESS_KEY": "key",
    "SECRET_KEY": "very-secret",
}
HOME = Path("somewhere")


def named(prefix: str) -> dict[str, str]:
    return {prefix + name: value for name, value in WHOLE.items()}


@pytest.mark.parametrize("prefix", ["DESK_S3_", "OVH_S3_", "HETZNER_S3_"])
def test_each_family_of_names_is_understood(prefix: str) -> None:
    settings = read_settings(named(prefix), home=HOME)
    assert settings.bucket is not None
    assert (settings.bucket.bucket, settings.bucket.region) == ("data", "us-east-va")
    assert not settings.embedded


def test_the_desks_own_names_win() -> None:
    settings = read_settings(
        {**named("OVH_S3_"), **named("DESK_S3_"), "DESK_S3_BUCKET": "mine"}, home=HOME
    )
    assert settings.bucket is not None
    assert settings.bucket.bucket == "mine"


def test_nothing_at_all_means_the_embedded_bucket() -> None:
    assert read_settings({}, home=HOME).embedded
    assert read_settings({"AWS_ACCESS_KEY_ID": "other", "AWS_REGION": "x"}, home=HOME).embedded


@pytest.mark.parametrize("absent", ["ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY"])
def test_half_a_configuration_is_never_the_embedded_bucket(absent: str) -> None:
    environment = named("DESK_S3_")
    del environment["DESK_S3_" + absent]
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, home=HOME)
    assert caught.value.code == "settings.half_configured"
    assert "DESK_S3_" + absent in caught.value.sentence


def test_a_half_set_family_does_not_fall_through_to_the_next() -> None:
    with pytest.raises(SettingsError):
        read_settings({"DESK_S3_BUCKET": "data", **named("OVH_S3_")}, home=HOME)


def test_secrets_are_not_in_the_representation() -> None:
    assert "very-secret" not in repr(read_settings(named("DESK_S3_"), home=HOME))


@pytest.mark.parametrize("prefix", ["/exports/", "../x", ""])
def test_a_strange_exports_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError):
        read_settings({"DESK_EXPORTS_PREFIX": prefix}, home=HOME)


def test_a_reading_key_is_of_the_same_bucket_and_must_be_whole(tmp_path):
    whole = {
        "DESK_S3_ENDPOINT": "https://s3.example.org",
        "DESK_S3_BUCKET": "b",
        "DESK_S3_ACCESS_KEY": "a",
        "DESK_S3_SECRET_KEY": "s",
    }
    assert read_settings(whole, home=tmp_path).reader is None
    reading = {"DESK_S3_READ_ACCESS_KEY": "ra", "DESK_S3_READ_SECRET_KEY": "rs"}
    found = read_settings({**whole, **reading}, home=tmp_path).reader
    assert found is not None
    assert (found.bucket, found.access_key, found.secret_key) == ("b", "ra", "rs")
    for half in ({"DESK_S3_READ_ACCESS_KEY": "ra"}, {"DESK_S3_READ_SECRET_KEY": "rs"}):
        with pytest.raises(SettingsError):
            read_settings({**whole, **half}, home=tmp_path)
    with pytest.raises(SettingsError):
        read_settings(reading, home=tmp_path)


def test_a_bank_of_known_bad_records_is_named_by_its_file() -> None:
    assert read_settings({}, home=HOME).known_bad_file is None
    found = read_settings({"DESK_KNOWN_BAD": "/srv/bank.yaml"}, home=HOME).known_bad_file
    assert found == Path("/srv/bank.yaml")
