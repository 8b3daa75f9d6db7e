"""Whoever tampers with the log or with what it tells of is found, whatever the database allowed them to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import orjson
import pytest
from sqlalchemy import Connection, Engine, text

from mdm.access.service import create_key
from mdm.db.engine import open_engine
from mdm.db.transaction import transaction
from mdm.decisions.model import Verdict
from mdm.history.checkpoints import own_public_keys, signing_key
from mdm.history.model import Fault, Verification
from mdm.history.service import erase_salts, export_checkpoint, seal, verify
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from tests.databases import cloned_database
from tests.hubs import delivery, hub_on, register_instances

pytestmark = pytest.mark.db

A, B = (SourceKey.parse(f"crm-east/Account:{letter}") for letter in "ab")

# The log of `told`: 1, 2, 3 the source instances; 4, 5 the events of two deliveries; then 6 to 9 a
# decision and its event, its revocation and its event; 10 an API key. Checkpoints were exported at 5 and at 10.
ENTRIES = 10


@pytest.fixture(scope="module")
def original(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Give a database with a sealed log of ten entries, and a home with two checkpoints; to be copied."""
    home = tmp_path_factory.mktemp("original")
    with cloned_database(template_url) as url:
        hub = hub_on(engine_of(url), home=home)
        register_instances(hub, "crm-east", "crm-west", "crm-north")
        for key, name in ((A, "red"), (B, "blue")):
            deliver(hub, [delivery(str(key), "widget_hold", name=name)], who="loader")
        close(hub.engine, home)
        decision = stewardship.decide(hub, A, B, Verdict("same", "seen"), who="ann")
        stewardship.revoke(hub, decision.id, who="bob")
        with transaction(hub.engine) as connection:
            create_key(connection, name="sync", scopes=["read"], by="ann")
        close(hub.engine, home)
        found = verified(hub.engine, home)
        assert (found.sealed, found.checkpoints, found.checkpoint_size, found.faults) == (ENTRIES, 2, ENTRIES, ())
        hub.engine.dispose()
        yield url, home


@pytest.fixture
def told(original: tuple[str, Path], tmp_path: Path) -> Iterator[Hub]:
    """Give a copy of the original, its home in `tmp_path`."""
    url, home = original
    copytree(home, tmp_path, dirs_exist_ok=True)
    with cloned_database(url) as clone:
        hub = hub_on(engine_of(clone), home=tmp_path)
        yield hub
        hub.engine.dispose()


def close(engine: Engine, home: Path) -> None:
    while seal(engine):
        pass
    assert export_checkpoint(engine, folder=home / "audit", home=home) == 1


def verified(engine: Engine, home: Path) -> Verification:
    return verify(engine, folder=home / "audit", keys=own_public_keys(home))


def tamper(engine: Engine, *statements: str) -> None:
    """Do as a superuser may: no trigger fires."""
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0


def named(faults: tuple[Fault, ...]) -> set[tuple[str, str]]:
    return {(fault.kind, fault.place) for fault in faults}


AT = "(SELECT entry_id FROM audit_seal WHERE position = {})"
# Move position 6 and what follows up by one; a unique position is only asked for at the end of each statement.
UP = (
    "UPDATE audit_seal SET position = -position WHERE position >= 6",
    "UPDATE audit_seal SET position = 1 - position WHERE position < 0",
)
DOWN = (
    "UPDATE audit_seal SET position = -position WHERE position > 6",
    "UPDATE audit_seal SET position = -position - 1 WHERE position < 0",
)
FORGED_ENTRY = (
    "INSERT INTO audit_entry (xid, recorded_at, who, action, subject_id, related, changed, digest)"
    " SELECT xid, recorded_at, 'eve', action, subject_id, related, changed, digest FROM audit_entry"
    " WHERE id = " + AT.format(6)
)
FORGED_SEAL = "INSERT INTO audit_seal SELECT 6, max(id), sha256(''), sha256('') FROM audit_entry"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            ["UPDATE audit_entry SET who = 'nobody' WHERE id = " + AT.format(6)],
            {("edited", "position 6")},
            id="edit of an entry",
        ),
        pytest.param(
            ["UPDATE audit_entry SET recorded_at = recorded_at - interval '1 microsecond' WHERE id = " + AT.format(8)],
            {("edited", "position 8")},
            id="an entry dated back",
        ),
        pytest.param(
            ["DELETE FROM audit_entry WHERE id = " + AT.format(6)],
            {("deleted", "position 6")},
            id="an entry deleted",
        ),
        pytest.param(
            ["DELETE FROM audit_entry WHERE id = " + AT.format(6), "DELETE FROM audit_seal WHERE position = 6"],
            {("deleted", "position 6")},
            id="an entry deleted with its seal",
        ),
        pytest.param(
            ["DELETE FROM audit_seal WHERE position = 6", *DOWN],
            {("deleted", "before position 6"), ("truncated", "positions 10 to 10")},
            id="deleted and closed up",
        ),
        pytest.param(
            [
                "UPDATE audit_seal SET position = -position WHERE position IN (6, 7)",
                "UPDATE audit_seal SET position = 13 + position WHERE position < 0",
            ],
            {("reordered", f"position {position}") for position in (6, 7, 8)},
            id="reorder",
        ),
        pytest.param(
            [FORGED_ENTRY, *UP, FORGED_SEAL],
            {
                ("inserted", "position 6"),
                ("edited", "position 6"),
                ("rewritten", "positions 6 to 10"),
                ("salt_gone", "decision {decision}"),
            },
            id="insert",
        ),
        pytest.param(
            ["DELETE FROM audit_seal WHERE position > 8", "DELETE FROM audit_entry WHERE action LIKE 'api_key%'"],
            {("truncated", "positions 9 to 10"), ("unaudited", "api_key {key}")},
            id="truncation",
        ),
        pytest.param(
            ["UPDATE decision SET reason = 'never seen'"],
            {("unaudited", "decision {decision}")},
            id="a row changed behind the log's back",
        ),
        pytest.param(
            ["UPDATE api_key SET scopes = '{{admin}}'"],
            {("unaudited", "api_key {key}")},
            id="a permission widened behind the log's back",
        ),
        pytest.param(["DELETE FROM api_key"], {("row_gone", "api_key {key}")}, id="a row deleted behind its back"),
        pytest.param(
            ["DELETE FROM audit_salt WHERE entry_id = " + AT.format(10)],
            {("salt_gone", "api_key {key}")},
            id="a salt deleted behind its back",
        ),
    ],
)
def test_tampering_is_named_with_its_place(
    told: Hub, tmp_path: Path, statements: list[str], expected: set[tuple[str, str]]
) -> None:
    with told.engine.connect() as connection:
        key = connection.execute(text("SELECT id FROM api_key")).scalar_one()
        decision = connection.execute(text("SELECT id FROM decision")).scalar_one()

    tamper(told.engine, *(statement.replace("{{", "{").replace("}}", "}") for statement in statements))

    wanted = {(kind, place.format(key=key, decision=decision)) for kind, place in expected}
    assert named(verified(told.engine, tmp_path).faults) == wanted


def test_a_log_that_was_chained_anew_shows_by_its_checkpoints(told: Hub, tmp_path: Path) -> None:
    tamper(
        told.engine,
        "UPDATE audit_entry SET who = 'nobody' WHERE id = " + AT.format(7),
        "DELETE FROM audit_seal WHERE position > 5",
        "UPDATE audit_state SET snapshot = NULL",
    )
    while seal(told.engine):
        pass

    assert named(verified(told.engine, tmp_path).faults) == {("rewritten", "positions 6 to 10")}


@pytest.fixture
def restored(template_url: str, tmp_path: Path) -> Iterator[Callable[[], Hub]]:
    """Give a way to bring the database back as it was at the first checkpoint: the backup is a clone of it."""
    with cloned_database(template_url) as original:
        hub = hub_on(engine_of(original), home=tmp_path)
        register_instances(hub, "crm-east")
        close(hub.engine, tmp_path)
        hub.engine.dispose()
        with cloned_database(original) as backup:
            hub = hub_on(engine_of(original), home=tmp_path)
            register_instances(hub, "crm-west", "crm-north")
            close(hub.engine, tmp_path)
            hub.engine.dispose()
            opened = hub_on(engine_of(backup), home=tmp_path)
            yield lambda: opened
            opened.engine.dispose()


def engine_of(url: str) -> Engine:
    return open_engine(url, 2)


def test_an_older_backup_shows_by_its_checkpoints(restored: Callable[[], Hub], tmp_path: Path) -> None:
    hub = restored()

    assert named(verified(hub.engine, tmp_path).faults) == {("restored", "positions 2 to 3")}


def test_an_older_backup_that_went_on_shows_too(restored: Callable[[], Hub], tmp_path: Path) -> None:
    hub = restored()
    register_instances(hub, "crm-a", "crm-b", "crm-c")
    while seal(hub.engine):
        pass

    assert named(verified(hub.engine, tmp_path).faults) == {("rewritten", "positions 2 to 3")}


def test_a_checkpoint_that_was_changed_or_signed_by_another_is_named(told: Hub, tmp_path: Path) -> None:
    first, second = sorted((tmp_path / "audit").glob("*/*.json"))
    first.write_bytes(orjson.dumps({**orjson.loads(first.read_bytes()), "size": 4}))
    second.write_text("{", encoding="utf-8")

    found = verified(told.engine, tmp_path)

    assert named(found.faults) == {("forged", str(first)), ("forged", str(second))}
    assert found.checkpoints == 0


def test_a_checkpoint_signed_with_another_key_is_forged(told: Hub, tmp_path: Path) -> None:
    found = verify(told.engine, folder=tmp_path / "audit", keys=[signing_key(tmp_path / "other").public_key()])

    assert {fault.kind for fault in found.faults} == {"forged"}
    assert len(found.faults) == 2


def test_a_checkpoint_of_another_hub_is_foreign(told: Hub, tmp_path: Path) -> None:
    tamper(told.engine, "UPDATE audit_state SET hub_id = gen_random_uuid()")

    assert {fault.kind for fault in verified(told.engine, tmp_path).faults} == {"foreign"}


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("ALTER TABLE decision DISABLE TRIGGER audit_update", "decision audit_update"),
        ("DROP TRIGGER audit_insert ON identity_event", "identity_event audit_insert"),
        ("ALTER TABLE audit_entry DISABLE TRIGGER audit_refuse", "audit_entry audit_refuse"),
    ],
)
def test_a_trigger_that_was_switched_off_is_named(fresh_database: str, statement: str, place: str) -> None:
    engine = engine_of(fresh_database)
    with transaction(engine) as connection:
        connection.execute(text(statement))

    found = verify(engine, folder=Path("/nonexistent"), keys=[])

    assert named(found.faults) == {("unguarded", place)}
    engine.dispose()


def test_erasing_salts_leaves_a_log_that_verifies_and_digests_that_tell_nothing(told: Hub, tmp_path: Path) -> None:
    with transaction(told.engine) as connection:
        decision = connection.execute(text("SELECT id FROM decision")).scalar_one()
        assert erase_salts(connection, [decision], who="ann") == 2
    while seal(told.engine):
        pass

    found = verified(told.engine, tmp_path)

    assert (found.sealed, found.erased, found.faults) == (ENTRIES + 2, 2, ())
    with told.engine.connect() as connection:
        assert entries_that_tell(connection, "decision") == 0
        recorded = connection.execute(text("SELECT DISTINCT who FROM audit_entry WHERE action = 'audit_salt.deleted'"))
        assert recorded.scalars().all() == ["ann"]


def entries_that_tell(connection: Connection, table: str) -> int:
    """Count the entries of a table that still have their salt."""
    query = text(
        "SELECT count(*) FROM audit_entry e JOIN audit_salt s ON s.entry_id = e.id WHERE e.action LIKE :actions"
    )
    return int(connection.execute(query, {"actions": f"{table}.%"}).scalar_one())
