"""Every change that matters has its entry, in its own transaction, and the log holds no readable value."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from mdm.access.service import create_key, list_keys, revoke_key, verify
from mdm.db.migrate import configuration, connected, upgrade
from mdm.db.transaction import transaction
from mdm.decisions.model import Verdict
from mdm.history.model import AUDITED, Audited
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from tests.databases import empty_database
from tests.hubs import delivery

pytestmark = pytest.mark.db

A, B = (SourceKey.parse(f"crm-east/Account:{letter}") for letter in "ab")
CANARY = "Zanzibar Tortoise"


def log(connection: Connection) -> list[tuple[str, str, str, list[str]]]:
    rows = connection.execute(text("SELECT action, subject_id, who, changed FROM audit_entry ORDER BY id"))
    return [tuple(row) for row in rows]


def send(hub: Hub, key: SourceKey, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(str(key), "widget_hold", **fields)], who="loader")
    assert outcome.status != "rejected"


def pair(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")


def clear(engine: Engine) -> None:
    """Forget what the fixtures wrote."""
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM audit_entry"))


def test_a_decision_and_its_revocation_have_entries_that_say_who_and_what(hub: Hub) -> None:
    pair(hub)
    clear(hub.engine)

    decision = stewardship.decide(hub, A, B, Verdict("same", "seen"), who="ann")
    stewardship.revoke(hub, decision.id, who="bob")

    with hub.engine.connect() as connection:
        told = log(connection)
        events = connection.execute(text("SELECT id FROM identity_event ORDER BY id")).scalars().all()
        records = sorted(connection.execute(text("SELECT id FROM source_record")).scalars())
        related = connection.execute(
            text("SELECT related FROM audit_entry WHERE action = 'decision.made'")
        ).scalar_one()
    # Two deliveries made two events; the decision joined, its revocation parted.
    assert told == [
        ("decision.made", decision.id, "ann", []),
        ("identity_event.made", events[2], "ann", []),
        ("decision.changed", decision.id, "bob", ["revoked_at", "revoked_by", "revoked_event_id"]),
        ("identity_event.made", events[3], "bob", []),
    ]
    assert sorted(related)[-2:] == records


def test_what_is_rolled_back_leaves_no_entry(engine: Engine) -> None:
    with engine.connect() as connection:
        create_key(connection, name="sync", scopes=["read"], by="ann")
        assert [entry[0] for entry in log(connection)] == ["api_key.made"]
        connection.rollback()

    with engine.connect() as connection:
        assert log(connection) == []


def test_an_entry_is_of_the_transaction_of_its_change(connection: Connection) -> None:
    create_key(connection, name="sync", scopes=["read"], by="ann")

    same = "SELECT xid = pg_current_xact_id() FROM audit_entry"
    assert connection.execute(text(same)).scalars().all() == [True]


def test_permissions_are_recorded_and_the_use_of_a_key_is_not(connection: Connection) -> None:
    new = create_key(connection, name="sync", scopes=["read"], by="ann")
    assert verify(connection, new.token)
    revoke_key(connection, new.key.id, by="bob")

    assert list_keys(connection)[0].last_used_at is not None
    assert log(connection) == [
        ("api_key.made", new.key.id, "ann", []),
        ("api_key.changed", new.key.id, "bob", ["revoked_at", "revoked_by"]),
    ]


def test_what_is_done_by_hand_is_recorded_under_the_role_or_the_name_that_was_set(connection: Connection) -> None:
    new = create_key(connection, name="sync", scopes=["read"], by="ann")
    role = connection.execute(text("SELECT session_user")).scalar_one()

    connection.execute(text("UPDATE api_key SET scopes = '{admin}'"))
    connection.execute(text("UPDATE api_key SET scopes = scopes"))  # changes nothing, hence no entry
    connection.execute(text("SET LOCAL mdm.who = 'eve'"))
    connection.execute(text("UPDATE api_key SET id = 'key_other'"))
    connection.execute(text("DELETE FROM api_key"))

    told = log(connection)[1:]
    assert told[0] == ("api_key.changed", new.key.id, f"role:{role}", ["scopes"])
    # Under another key it is another row; which of the two comes first is nobody's promise.
    assert sorted(told[1:3]) == [("api_key.deleted", new.key.id, "eve", []), ("api_key.made", "key_other", "ann", [])]
    assert told[3:] == [("api_key.deleted", "key_other", "eve", [])]


def test_many_rows_of_one_statement_have_an_entry_each(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
            " SELECT 'crm-' || n, 'crm', 'x', n, false, 'ann' FROM generate_series(1, 500) AS n"
        )
    )
    connection.execute(text("UPDATE source_instance SET rank = rank + 1, who = 'bob' WHERE rank > 100"))

    counted = connection.execute(
        text("SELECT action, who, count(*) FROM audit_entry WHERE subject_id LIKE 'crm-%' GROUP BY 1, 2 ORDER BY 1")
    )
    assert [tuple(row) for row in counted] == [
        ("source_instance.changed", "bob", 400),
        ("source_instance.made", "ann", 500),
    ]


def test_digests_differ_although_the_rows_are_alike(connection: Connection) -> None:
    target = "INSERT INTO target (id, kind, configuration, entity_types, who) VALUES ('t', 'files', '{}', '[]', 'ann')"
    for _ in range(2):
        connection.execute(text(target))
        connection.execute(text("DELETE FROM target"))

    digests = connection.execute(text("SELECT digest FROM audit_entry WHERE action LIKE 'target.%'")).scalars().all()
    assert len({bytes(digest) for digest in digests}) == 4


@pytest.mark.parametrize("setting", ["timezone = 'Asia/Tokyo'", "bytea_output = 'escape'"])
def test_the_session_of_the_writer_does_not_matter_to_the_digest(engine: Engine, setting: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(f"SET LOCAL {setting}"))
        create_key(connection, name="sync", scopes=["read"], by="ann")

    with engine.connect() as connection:
        matches = connection.execute(
            text(
                "SELECT e.digest = sha256(s.salt || convert_to(jsonb_strip_nulls(to_jsonb(k) - 'last_used_at')::text,"
                " 'UTF8')) FROM audit_entry e JOIN audit_salt s ON s.entry_id = e.id JOIN api_key k"
                " ON k.id = e.subject_id"
            )
        )
        assert matches.scalars().all() == [True]


def test_no_value_of_a_record_a_reason_or_a_title_stands_in_the_log(hub: Hub) -> None:
    send(hub, A, name=CANARY)
    send(hub, B, name="blue")
    stewardship.decide(hub, A, B, Verdict("same", f"I know {CANARY}"), who="ann")
    with transaction(hub.engine) as connection:
        connection.execute(text("UPDATE source_instance SET title = :canary"), {"canary": CANARY})
        connection.execute(
            text(
                "INSERT INTO value_override (id, record_id, attribute, value, term, reason, recorded_at, who)"
                " SELECT 'ovr_1', id, 'name', to_jsonb(CAST(:canary AS text)), 'for_ever', :canary, now(), 'ann'"
                " FROM source_record LIMIT 1"
            ),
            {"canary": CANARY},
        )

        rows = [
            str(row)
            for table in ("audit_entry", "audit_salt", "audit_seal", "audit_state")
            for row in connection.execute(text(f"SELECT {table}::text FROM {table}")).scalars()
        ]
    assert len(rows) > 10
    assert not any(part in row for row in rows for part in (CANARY, "Zanzibar", CANARY.encode().hex()))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET who = 'nobody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_seal SET position = 0",
        "DELETE FROM audit_seal",
        "TRUNCATE audit_seal",
        "UPDATE audit_salt SET salt = ''",
        "TRUNCATE audit_salt",
        "TRUNCATE decision, value_override",
    ],
)
def test_the_log_is_only_added_to(connection: Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="is refused: the audit log keeps it"):
        connection.execute(text(statement))


def test_the_tables_that_are_recorded_are_those_that_the_code_names(connection: Connection) -> None:
    rows = connection.execute(
        text(
            "SELECT c.relname, encode(g.tgargs, 'escape') FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
            " WHERE g.tgname = 'audit_insert'"
        )
    )

    found = {row[0]: row[1].split("\\000")[:3] for row in rows}
    assert found == {one.table: [one.key, listed(one.related), listed(one.left_out)] for one in AUDITED}


def listed(columns: tuple[str, ...]) -> str:
    return "{" + ",".join(columns) + "}"


def test_rows_from_before_the_log_have_entries_too(template_url: str) -> None:
    with empty_database(template_url) as url:
        with connected(url) as connection:
            command.upgrade(configuration(connection), "0004")
        with connected(url) as connection:
            add = "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who) VALUES"
            connection.execute(text(f"{add} ('crm-east', 'crm', 'x', 1, false, 'ann')"))
            connection.connection.commit()

        upgrade(url)

        with connected(url) as connection:
            assert log(connection) == [("source_instance.found", "crm-east", "ann", [])]


def test_another_table_takes_one_line(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE widget_note (id int PRIMARY KEY, note text, who text, seen int)"))
    connection.execute(text("INSERT INTO widget_note VALUES (1, 'before', 'ann', 0)"))

    connection.execute(text("SELECT audit_table('widget_note', 'id', left_out => '{seen}')"))

    connection.execute(text("INSERT INTO widget_note VALUES (2, 'after', 'bob', 0)"))
    connection.execute(text("UPDATE widget_note SET seen = 1"))
    connection.execute(text("UPDATE widget_note SET note = 'later', who = 'cid' WHERE id = 1"))
    assert log(connection) == [
        ("widget_note.found", "1", "ann", []),
        ("widget_note.made", "2", "bob", []),
        ("widget_note.changed", "1", "cid", ["note", "who"]),
    ]


def test_every_recorded_table_has_its_key_and_columns(connection: Connection) -> None:
    rows = connection.execute(
        text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    )
    columns = {tuple(row) for row in rows}

    def named(one: Audited) -> set[str]:
        return {one.key, *one.related, *one.left_out, *([one.ended] if one.ended else [])}

    assert {(one.table, name) for one in AUDITED for name in named(one)} <= columns
