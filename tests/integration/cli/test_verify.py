"""`mdm verify`: silent about a sound log, loud and with exit code 4 about any other."""

import json
from pathlib import Path

from sqlalchemy import Engine, text

from mdm.db.transaction import transaction
from tests.integration.cli.conftest import Mdm, document


def test_a_sound_log_verifies_and_a_changed_one_does_not(mdm: Mdm, engine: Engine) -> None:
    mdm("keys", "create", "sync", "--scope", "read")
    before = document(mdm("verify", "--json"))
    mdm("worker", "--once")
    sound = mdm("verify")
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE audit_entry SET who = 'nobody'"))

    tampered = mdm("verify")
    told = mdm("verify", "--json")

    assert (before["sealed"], before["unsealed"]["count"], before["checkpoints"]) == (0, 1, 0)
    assert sound.exit_code == 0
    assert "Sealed       1 entries" in sound.stdout
    assert "Checkpoints  1; 0 entries since the newest" in sound.stdout
    assert "The audit log verifies." in sound.stdout
    assert (tampered.exit_code, told.exit_code) == (4, 4)
    assert "FAULT edited: position 1" in tampered.stdout
    assert [fault["kind"] for fault in json.loads(told.stdout)["faults"]] == ["edited"]


def test_copies_kept_elsewhere_are_verified_with_the_public_key(mdm: Mdm, tmp_path: Path, engine: Engine) -> None:
    mdm("keys", "create", "sync", "--scope", "read")
    mdm("worker", "--once")
    home, kept = tmp_path / "home", tmp_path / "kept"
    (home / "audit").rename(kept)
    (home / "audit.pub").rename(kept / "hub.pub")
    (home / "audit.key").unlink()

    found = mdm("verify", "--checkpoints", kept, "--key", kept / "hub.pub")
    without_key = mdm("verify", "--checkpoints", kept)

    assert found.exit_code == 0, found.stdout
    assert "Checkpoints  1; 0 entries since the newest" in found.stdout
    assert "there is no public key to verify it with" in without_key.stdout
    assert "no such folder" in mdm("verify", "--checkpoints", tmp_path / "nowhere").stderr
    assert "no public key" in mdm("verify", "--key", kept / "nothing.pub").stderr
