"""Who may write to the bucket may register a key there; a desk that names its keys believes none
but those."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.model.errors import SettingsError
from core.settings import BucketSettings, read_settings
from core.workbench import Workbench, assemble
from tests.desk import VERSION, a_desk, person_of, read_everything
from tests.simulator import Simulator

CLAIM = "clinician_edge"
A_BUCKET = BucketSettings(
    endpoint="http://127.0.0.1:1", bucket="b", region="r", access_key="a", secret_key="s"
)


def with_settings(bench: Workbench, **changes: object) -> Workbench:
    """The same bucket as a desk with other settings opens it."""
    settings = dataclasses.replace(bench.desk.settings, **changes)
    return assemble(dataclasses.replace(bench.desk, settings=settings, memory={}))


def test_d40_a_key_that_an_intruder_registered_signs_for_nobody(
    simulator: Simulator, tmp_path: Path
) -> None:
    bench = a_desk(simulator, tmp_path / "desk")
    read_everything(bench, CLAIM, "clinician-1")
    current = bench.candidates.current(VERSION)
    assert current is not None
    [rule] = [rule for rule in bench.desk.policy.signoffs if rule.claim == CLAIM]
    intruder = with_settings(bench, workspace=tmp_path / "elsewhere")
    victim = person_of(bench, "clinician-1")
    forged = intruder.signing.sign(current.digest, rule.id, "approve", victim.name, victim)
    registered = [e.event for e in bench.audit.entries() if e.event["type"] == "key.registered"]
    [their_key] = [str(event["key_id"]) for event in registered]

    def about_it(desk: Workbench) -> set[str]:
        found = desk.releases.blockers(current.digest)
        return {one.code for one in found if one.code.startswith(("signoff.unknown", "journal."))}

    # The chain is whole and the journal names the key, so without a list it is believed.
    assert about_it(bench) == set()
    assert forged in bench.signing.load(current.digest).signoffs
    # A real desk without a list says whom it believes, and with one it need not.
    real = with_settings(bench, bucket=A_BUCKET)
    [believed] = real.signing.unlisted_keys()
    assert (believed.id, believed.by) == (their_key, victim.id)
    assert bench.signing.unlisted_keys() == ()
    own = "0123456789abcdef"
    listed = with_settings(bench, bucket=A_BUCKET, trusted_keys=(own,))
    assert listed.signing.unlisted_keys() == ()
    careful = with_settings(bench, trusted_keys=(own,))
    assert about_it(careful) == {"signoff.unknown_key", "journal.broken"}
    assert careful.signing.load(current.digest).signoffs == ()
    assert about_it(with_settings(bench, trusted_keys=(own, their_key))) == set()


def test_the_list_of_keys_is_read_from_the_environment_or_refused() -> None:
    home = Path("somewhere")
    one, two = "0123456789abcdef", "f" * 16
    assert read_settings({}, home=home).trusted_keys == ()
    given = {"DESK_TRUSTED_KEYS": f"{one}, {two}"}
    assert read_settings(given, home=home).trusted_keys == (one, two)
    for odd in ("x" * 16, one[:-1], f"{one},", one.upper(), ","):
        with pytest.raises(SettingsError) as caught:
            read_settings({"DESK_TRUSTED_KEYS": odd}, home=home)
        assert caught.value.code == "settings.trusted_keys"
