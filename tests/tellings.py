"""What targets were told, held against the hub: each message, its order and its repeats, and what each ends with.

A repeat has to be explained: by an answer that was refused or lost, or by a lease that ran out since whoever had it
died. The database itself notes such leases, so that nothing hangs on when somebody looked.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from mdm.delivery import ledger_store
from mdm.delivery.hashes import hash_fields
from mdm.delivery.model import Declaration
from mdm.delivery.wanted import in_its_words
from mdm.demo.fakes.fake import Fake
from mdm.hub import Hub
from tests.receivers import Attempt

NOTE_LEASES = (
    "CREATE TABLE lease_that_ran_out (target_id text, golden_id text, token text)",
    (
        "CREATE FUNCTION note_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO lease_that_ran_out"
        " VALUES (OLD.target_id, OLD.golden_id, OLD.lease_token); RETURN NULL; END $$"
    ),
    # Whoever settles a lane, or gives it back, leaves no token: one that follows another was taken from somebody.
    (
        "CREATE TRIGGER note_lease AFTER UPDATE ON delivery_lane FOR EACH ROW"
        " WHEN (OLD.lease_token <> NEW.lease_token) EXECUTE FUNCTION note_lease()"
    ),
)


@dataclass(frozen=True)
class Arrival:
    """One arrival of a message: under which id, of which version of which golden record, and what it said."""

    id: str
    golden_id: str
    version: int
    body_hash: str
    values: Mapping[str, Any] = field(compare=False)

    @property
    def place(self) -> tuple[str, int]:
        """Give the golden record and its version."""
        return self.golden_id, self.version


def note_leases(hub: Hub) -> None:
    """Have the database note each lease that runs out; for a database of one's own."""
    with hub.engine.begin() as connection:
        for statement in NOTE_LEASES:
            connection.execute(text(statement))


def leases_that_ran_out(hub: Hub, target_id: str) -> tuple[Counter[str], int]:
    """Give by golden record how often a lease ran out, and how many turns of a relay those were."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT golden_id, token FROM lease_that_ran_out WHERE target_id = :target"), {"target": target_id}
        ).all()
    return Counter(row.golden_id for row in rows), len({row.token for row in rows})


def arrival(attempt: Attempt) -> Arrival:
    """Read what came; the id that the envelope names is that of the message."""
    envelope = json.loads(attempt.body)
    assert envelope["id"] == attempt.id, envelope
    told = envelope["data"]
    assert (envelope["subject"], int(envelope["sequence"])) == (told["golden_id"], told["version"]), envelope
    body_hash = sha256(attempt.body).hexdigest()
    return Arrival(attempt.id, told["golden_id"], told["version"], body_hash, told["values"])


def in_two_meanings(arrivals: Sequence[Arrival]) -> Mapping[str, Sequence[Any]]:
    """Give the ids that came with two contents, and the versions that came under two ids: there shall be none."""
    found: defaultdict[str, set[Any]] = defaultdict(set)
    for one in arrivals:
        found[f"id {one.id}"].add((*one.place, one.body_hash))
        found[f"version {one.place}"].add(one.id)
    return {name: sorted(many) for name, many in found.items() if len(many) > 1}


def out_of_order(arrivals: Sequence[Arrival]) -> list[str]:
    """Give the ids that first came after a later version of their golden record."""
    highest: Counter[str] = Counter()
    seen: set[str] = set()
    found = []
    for one in arrivals:
        if one.id not in seen and one.version <= highest[one.golden_id]:
            found.append(one.id)
        seen.add(one.id)
        highest[one.golden_id] = max(highest[one.golden_id], one.version)
    return found


def unexplained(arrivals: Sequence[Arrival], failed: Mapping[str, int], ran_out: Mapping[str, int]) -> dict[str, int]:
    """Give the ids that came more often than was to be: once, once more for each failure, and for each lost lease.

    failed   by id, how often the answer to it was refused or lost
    ran_out  by golden record, how often the lease of its lane ran out
    """
    came = Counter(one.id for one in arrivals)
    goldens = {one.id: one.golden_id for one in arrivals}
    allowed = {id_: 1 + failed.get(id_, 0) + ran_out.get(golden, 0) for id_, golden in goldens.items()}
    return {id_: count for id_, count in came.items() if count > allowed[id_]}


def versions_of(hub: Hub) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Give the values of every golden version there is."""
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT golden_id, version, values AS shown FROM golden_version"))
        return {(row.golden_id, row.version): row.shown for row in rows}


def active_of(hub: Hub) -> dict[str, tuple[int, Mapping[str, Any]]]:
    """Give version and values of every golden record that is active."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT v.golden_id, v.version, v.values AS shown FROM golden_version v JOIN golden_record g"
                " ON g.id = v.golden_id AND g.version = v.version WHERE g.state = 'active'"
            )
        )
        return {row.golden_id: (row.version, row.shown) for row in rows}


def lanes_of(hub: Hub, target_id: str) -> dict[str, tuple[str, int, int]]:
    """Give by golden record the state of its lane, what the target acknowledged, and what was told to it last."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT l.golden_id, l.state, l.acknowledged, (SELECT max(o.version) FROM delivery_outcome o"
                " WHERE o.target_id = l.target_id AND o.golden_id = l.golden_id AND o.outcome <> 'dead') AS told"
                " FROM delivery_lane l WHERE l.target_id = :target"
            ),
            {"target": target_id},
        )
        return {row.golden_id: (row.state, row.acknowledged, row.told) for row in rows}


def held_otherwise(
    hub: Hub, declaration: Declaration, entity_type: str, fake: Fake, *, but: Collection[str] = ()
) -> list[str]:
    """Compare a system of records, field by field, with the hub and with the ledger; give what differs.

    The system has one record of each active golden record, which bears its id and holds its values, and the ledger
    knows exactly that.

    but  golden records whose lanes are parked
    """
    return list(_held_otherwise(hub, declaration, entity_type, fake, but))


def _held_otherwise(
    hub: Hub, declaration: Declaration, entity_type: str, fake: Fake, but: Collection[str]
) -> Iterator[str]:
    subscription = declaration.records[entity_type]
    records = {one.native_id: one for one in fake.records.all(subscription.object)}
    bound = _own_keys(hub, declaration.instance)
    places = [(subscription.object, "", native_id) for native_id in records]
    with hub.engine.connect() as connection:
        ledger = ledger_store.select_held(connection, declaration.id, places)
    if sorted(records) != sorted(bound.values()):
        yield f"it has {len(records)} records, of which {len(bound)} are known"
    for golden_id, (_, values) in active_of(hub).items():
        if golden_id in but:
            continue
        record = records.get(bound.get(golden_id, ""))
        if record is None:
            yield f"{golden_id}: there is no record of it"
            continue
        wanted = {rule.target_field: in_its_words(rule, values.get(rule.attribute)) for rule in subscription.fields}
        there = {name: record.fields.get(name) for name in wanted}
        held = ledger[record.object, record.scope, record.native_id]
        if there != wanted or record.external_id != golden_id or not record.is_active:
            yield f"{golden_id}: {record} instead of {wanted}"
        known = (held.state, held.hashes, held.intended, held.external_id, held.remote_version)
        if known != ("active", hash_fields(held.salt, there), None, golden_id, str(record.version)):
            yield f"{golden_id}: the ledger says {held} of {record}"


def _own_keys(hub: Hub, instance: str) -> dict[str, str]:
    """Give by golden id the native id of the one record that an instance has of it."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT golden_id, native_id FROM source_record WHERE instance_id = :instance AND state = 'active'"),
            {"instance": instance},
        ).all()
    found = {row.golden_id: row.native_id for row in rows}
    assert len(found) == len(rows), "two records there are one golden record"
    return found
