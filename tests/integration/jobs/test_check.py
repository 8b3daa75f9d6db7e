"""Every invariant query finds what it is there to find: a fault planted behind the hub's back."""

import pytest
from sqlalchemy import Engine, text

from mdm.access import people, sessions
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Chosen, Standing
from mdm.db.transaction import run, transaction
from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.jobs.check import INVARIANTS, check
from mdm.jobs.service import deliver
from mdm.publishing.file_target import add_target
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship import service as stewardship
from tests.hubs import assert_sound, delivery

pytestmark = pytest.mark.db

A, B, C, D = (f"crm-east/Account:{letter}" for letter in "abcd")

# The head of an invariant's name → a change that breaks it. {a} is the golden id of A and B, {c} that of C, and {f}
# forwards to {a}.
PLANTED = {
    "I1 every active record": "UPDATE golden_record SET state = 'retired' WHERE id = '{c}'",
    "I1 an active record has one": "DELETE FROM membership WHERE golden_id = '{c}' AND recorded_to IS NULL",
    "I2 ": "UPDATE golden_record SET state = 'active', forward_to = NULL WHERE id = '{f}'",
    "I3 ": "UPDATE golden_record SET state = 'forwarded', forward_to = '{c}' WHERE id = '{a}'",
    "I9 ": "UPDATE decision SET judgement = 'different'",
    "I10 ": "UPDATE source_record SET golden_id = '{c}' WHERE native_id = 'b'",
    "an open reservation": "WITH gone AS (UPDATE source_record SET state = 'deleted' WHERE native_id = 'c' RETURNING *)"
    " INSERT INTO reservation (id, entity_type, instance_id, record_id, is_published, state, expires_at, recorded_at,"
    " who) SELECT 'rsv_planted', entity_type, instance_id, id, false, 'open', now(), now(), 'test' FROM gone",
    "I11 ": "UPDATE golden_version SET checksum = '\\x00' WHERE recorded_to IS NULL AND golden_id = '{c}'",
    "I12 ": "UPDATE golden_version SET lineage = jsonb_set(lineage, '{{name,record_id}}', '\"rec_nobody\"')",
    "I13 versions are dense": "UPDATE golden_record SET version = version + 1 WHERE id = '{c}'",
    "I13 versions follow": "UPDATE golden_version SET recorded_to = recorded_from WHERE recorded_to > recorded_from",
    "I13 the newest": "UPDATE golden_version SET state = 'retired' WHERE recorded_to IS NULL AND golden_id = '{c}'",
    "I14 ": "UPDATE source_record SET content_hash = '\\x00' WHERE native_id = 'c'",
    "I18 there is one event": "DELETE FROM event WHERE golden_id = '{c}'",
    "I18 every message": "UPDATE outbox_message SET version = 99 WHERE golden_id = '{c}'",
    "I18 each subscribed": "DELETE FROM outbox_message WHERE golden_id = '{c}'",
    "I18 the feed says": "DELETE FROM event WHERE kind = 'review.opened'",
    "I19 ": "UPDATE delivery_lane SET head = head + 1 WHERE golden_id = '{c}'",
    "I23 ": "DELETE FROM audit_entry WHERE action = 'decision.made'",
    "derived: every active golden": "DELETE FROM golden_search WHERE golden_id = '{c}'",
    "derived: the match model": "DELETE FROM match_model",
    "derived: edges": "UPDATE source_record SET state = 'deleted' WHERE native_id = 'c'",
    "derived: a record is ended": "UPDATE source_record SET ended_because = 'instance_retired' WHERE native_id = 'c'",
    "derived: a record is given": "UPDATE source_event SET other_key = 'crm-east/Account:b', event_id = NULL",
    "derived: a golden value": "UPDATE source_record SET ended_because = 'instance_retired' WHERE native_id = 'a'",
    "derived: a record given up": "UPDATE source_record SET golden_id = '{c}' WHERE native_id = 'e'",
    "derived: the records of a retired": "UPDATE source_instance SET retired_at = now() WHERE id = 'crm-east'",
    "access: nobody": "UPDATE person SET disabled_at = now(), disabled_by = 'test'",
    "access: a link": "UPDATE person_link SET ended_at = now() WHERE redeemed_at IS NOT NULL",
    "derived: a child": "UPDATE source_record SET context = '{f}' WHERE native_id = 'c'",
}


@pytest.fixture
def busy(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """Give a hub where a steward joined A with B, C stands alone, D may be the same as C, and E was merged into A.

    Ann has redeemed her link, and is signed in.
    """
    folder = tmp_path_factory.mktemp("target")
    run(hub.engine, lambda c: add_target(c, "files", folder, ["widget_hold"], who="test"))
    for key, name in ((A, "red"), (B, "blue"), (C, "green"), (D, "green")):
        deliver(hub, [delivery(key, "widget_hold", name=name)], who="test")
    stewardship.decide(hub, SourceKey.parse(A), SourceKey.parse(B), Verdict("same", "seen"), who="ann")
    loser, survivor = SourceKey.parse("crm-east/Account:e"), SourceKey.parse(A)
    deliver(hub, [Delivery(loser, "widget_hold", {}, merged_into=survivor)], who="test")
    ann = run(hub.engine, lambda c: people.add_person(c, "ann", name="Ann", standing=Standing("steward"), by="test"))
    link = run(hub.engine, lambda c: people.make_link(c, ann.id, by="test"))
    chosen = Chosen("Ann", "seven green boats")
    sessions.redeem_link(hub.engine, link.token, chosen, address="192.0.2.1", cost=PasswordCost(memory_kib=8, passes=1))
    assert_sound(hub)
    return hub


def plant(engine: Engine, change: str) -> None:
    """Change rows without any trigger, hence without foreign keys."""
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        rows = connection.execute(text("SELECT native_id, golden_id FROM source_record"))
        golden = {row.native_id: row.golden_id for row in rows}
        forwarded = connection.execute(text("SELECT id FROM golden_record WHERE state = 'forwarded'")).scalar_one()
        assert connection.execute(text(change.format(**golden, f=forwarded))).rowcount > 0


@pytest.mark.parametrize("head", PLANTED)
def test_a_planted_fault_is_named(busy: Hub, head: str) -> None:
    plant(busy.engine, PLANTED[head])

    with busy.engine.connect() as connection:
        found = check(connection, busy.declared)

    (violation,) = [one for one in found if one.invariant.startswith(head)]
    assert violation.count >= 1
    assert violation.shown


def test_every_invariant_has_a_planted_fault() -> None:
    names = [*INVARIANTS, "I11 golden values are what members, rules and overrides give"]

    assert [name for name in names if not any(name.startswith(head) for head in PLANTED)] == []
