"""A firm at work: people edit in a CRM and an ERP, stewards merge and take back, systems fail, an hour goes by.

Both systems are sources and targets of the hub, a receiver is told every version. In the end each system holds what it
shall, what the hub wrote came back as no news, and a quarrel over one value is frozen and waits for a steward.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from mdm import clock
from mdm.connectors.model import RemoteRecord
from mdm.connectors.record_api import RecordApi
from mdm.connectors.signatures import make_secret
from mdm.db.engine import open_engine
from mdm.decisions.model import Verdict
from mdm.delivery.connect import connect
from mdm.delivery.hashes import hash_fields, new_salt
from mdm.delivery.model import Declaration, DueLane, Held, OwnRecord
from mdm.delivery.relay import Relay, relay_to, relay_to_records
from mdm.delivery.sights import look
from mdm.delivery.wanted import plan_records
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import MISBEHAVIOUR
from mdm.demo.fakes.wire import running
from mdm.entities.model import SurvivorshipRule
from mdm.errors import Refused
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId, ReviewId
from mdm.jobs.service import deliver
from mdm.reconciliation.survey import find_drift
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.answers import answer_review
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, PATIENT
from tests.hubs import assert_sound, declared, hub_on, register_instances
from tests.receivers import Receiver, receiver
from tests.targets import declare

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

PASSING = ("throttled_for_7_s", "failing", "failing_done", "overloaded", "drop", "done_then_drop", "half_an_answer")
STEWARD = By("mara", "looked at")
CITIES = ("Leeds", "York", "Bath", "Ely", "Truro", "Wells")
ROUNDS_MAX = 40  # a firm may have to be parted from several, one after the other
CRM_TARGET = """
    target: crm
    title: CRM
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: salesforce-us
    rate: {{per_second: 10000}}
    records:
      customer:
        object: Account
        creates: true
        fields:
          legal_name: {{field: Name}}
          tax_ids: {{field: VAT_Number__c, takes: first}}
          phones: {{field: Phone, owner: fill, takes: first}}
          industry: {{field: Industry, owner: target}}
"""
ERP_TARGET = """
    target: erp
    title: ERP
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: netsuite-us
    rate: {{per_second: 10000}}
    undo_window_s: 60
    records:
      customer:
        object: customer
        creates: true
        on_merge: deactivate
        use_flag: isInactive
        fields:
          legal_name: {{field: companyName}}
          currency: {{}}
          tax_ids: {{field: vatRegNumber, takes: first}}
          phones: {{field: phone, owner: fill, takes: first}}
"""
HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    rate: {{per_second: 10000}}
    undo_window_s: 60
    events: {{entities: [customer]}}
"""


@dataclass
class Now:
    """One clock for the systems and the relays: the true one, put forward by hand."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def __call__(self, connection: Connection) -> datetime:
        return clock.instant(connection) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class System:
    """One system: what runs, how the hub reads it, and how it is told."""

    instance: str
    object: str
    name_field: str
    fake: Fake
    api: RecordApi
    declaration: Declaration
    relay: Relay
    cursor: str = ""


@dataclass
class Firm:
    """The hub among its systems."""

    hub: Hub
    now: Now
    rnd: random.Random
    crm: System
    erp: System
    hook: Relay
    heard: Receiver
    merges: list[str] = field(default_factory=list)
    firms: int = 0

    @property
    def systems(self) -> tuple[System, System]:
        return self.crm, self.erp

    def step(self) -> None:
        """Do one thing that may happen at any time, and let a minute or so go by."""
        acts = (self.found, self.found, self.edit, self.edit, self.edit, self.merge, self.unmerge, self.fail)
        self.rnd.choice(acts)()
        for system in self.systems:
            if self.rnd.random() < 0.6:
                self.read(system)
            if self.rnd.random() < 0.6:
                system.relay.turn()
        if self.rnd.random() < 0.5:
            self.hook.turn()
        self.now.forward(self.rnd.uniform(5, 90))

    def found(self) -> None:
        """Let a firm be entered in one system, or in both, written otherwise."""
        self.firms += 1
        name, tax = f"Firm {self.firms} of {self.rnd.choice(CITIES)}", f"GB{100_000_000 + 7 * self.firms}"
        both = self.rnd.random() < 0.4
        with_tax = {"VAT_Number__c": tax} if both or self.rnd.random() < 0.5 else {}
        if both or self.rnd.random() < 0.5:
            self.crm.fake.enter("Account", {"Name": name, "CurrencyIsoCode": "GBP", **with_tax}, by="anna")
        if both:
            fields = {"companyName": f"{name} Ltd", "currency": "GBP", "vatRegNumber": tax, "phone": "+44 113 496 0001"}
            self.erp.fake.enter("customer", fields, by="otto")

    def edit(self) -> None:
        """Let a user change a record."""
        system = self.rnd.choice(self.systems)
        records = [one for one in system.fake.records.all(system.object) if not one.merged_into]
        if records:
            record = self.rnd.choice(records)
            fields = {
                system.name_field: f"{record.fields[system.name_field].split(' (')[0]} ({self.rnd.randrange(99)})"
            }
            system.fake.edit(system.object, record.native_id, fields, by="anna", scope=record.scope)

    def merge(self) -> None:
        """Let a steward merge two golden records, whatever they are."""
        ids = [GoldenId(one) for one in self.active()]
        if len(ids) > 1:
            try:
                first, second = self.rnd.sample(ids, 2)
                effect = perform(self.hub, Merge(first, second), STEWARD)
            except Refused:
                return
            self.merges.append(str(effect.event_id))

    def unmerge(self) -> None:
        """Let a steward take a merge back."""
        if self.merges:
            event = self.merges.pop(self.rnd.randrange(len(self.merges)))
            try:
                perform(self.hub, Unmerge(EventId(event)), STEWARD)
            except Refused:
                return

    def fail(self) -> None:
        """Let a system fail for a while."""
        system = self.rnd.choice(self.systems)
        system.fake.faults.plan(MISBEHAVIOUR[self.rnd.choice(PASSING)], times=self.rnd.randrange(1, 4))

    def read(self, system: System, *, whole: bool = False) -> list[str]:
        """Deliver what changed in a system; give what became of each record."""
        after = "" if whole else system.cursor
        statuses: list[str] = []
        system.fake.faults.clear()
        while True:
            page = system.api.changed(system.object, after=after, limit=100)
            after = page.cursor
            news = [_delivery(system, one) for one in page.records]
            outcomes = deliver(self.hub, news, who="reader", column_map={}) if news else ()
            assert {one.status for one in outcomes} <= {"created", "updated", "unchanged", "stale"}, outcomes
            statuses += [one.status for one in outcomes]
            if page.is_last:
                break
        system.cursor = after
        return statuses

    def come_to_rest(self) -> int:
        """Let everything be told and read until nothing happens any more; return how many rounds that took."""
        for number in range(ROUNDS_MAX):
            for system in self.systems:
                system.fake.faults.clear()
            self.now.forward(40_000)
            told_before = self.outcomes()
            for relay in (self.crm.relay, self.erp.relay, self.hook):
                relay.drain()
            told = self.outcomes() - told_before
            answered = self.answer_what_lanes_wait_for()
            news = [one for system in self.systems for one in self.read(system) if one in {"created", "updated"}]
            if not news and not told and not answered and not self.waiting():
                return number
        raise AssertionError(f"no rest after {ROUNDS_MAX} rounds: {news} read, {told} told, {self.lanes_behind()} wait")

    def answer_what_lanes_wait_for(self) -> int:
        """Let a steward part what a target is not told of since it may have it already; return how often."""
        with self.hub.engine.connect() as connection:
            waits = connection.execute(
                text("SELECT failure_reason FROM delivery_lane WHERE state = 'waiting'")
            ).scalars()
            asked = {found for why in waits for found in re.findall(r"rev_[0-9a-z]{26}", why or "")}
        answered = 0
        for review_id in sorted(asked):
            with suppress(Refused):
                answer_review(self.hub, ReviewId(review_id), Verdict("different", "two firms"), who="mara")
                answered += 1
        return answered

    def outcomes(self) -> int:
        with self.hub.engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM delivery_outcome")).scalar_one())

    def waiting(self) -> int:
        """Count lanes that will be told; those that wait for a steward's answer to a review will not."""
        waiting = (
            "SELECT count(*) FROM delivery_lane WHERE acknowledged < head"
            " AND NOT (state = 'waiting' AND failure_reason LIKE 'review %')"
        )
        with self.hub.engine.connect() as connection:
            return int(connection.execute(text(waiting)).scalar_one())

    def lanes_behind(self) -> list[dict[str, Any]]:
        """Give the lanes with something to tell as they are."""
        behind = "SELECT to_jsonb(l) FROM delivery_lane l WHERE acknowledged < head ORDER BY target_id, golden_id"
        with self.hub.engine.connect() as connection:
            return list(connection.execute(text(behind)).scalars())

    def active(self) -> Sequence[str]:
        with self.hub.engine.connect() as connection:
            return list(
                connection.execute(text("SELECT id FROM golden_record WHERE state = 'active' ORDER BY id")).scalars()
            )

    def differing(self, system: System) -> Mapping[str, Sequence[str]]:
        """Compare what a system truly holds with what it shall: by golden id, the fields that would be written."""
        ids = [GoldenId(one) for one in self.active()]
        lanes = [
            DueLane(system.declaration.id, id_, 1, 1, 0, None, self.now.now(), is_forced=False, token="") for id_ in ids
        ]
        sights, _ = look(self.hub.engine, system.declaration, self.hub.declared, ids)
        found = {}
        for lane in lanes:
            sight = sights[lane.golden_id]
            records = tuple(_as_it_is(system, one) for one in sight.records)
            plan = plan_records(
                system.declaration.records["customer"],
                self.hub.declared["customer"],
                replace(sight, records=records),
                lane,
            )
            if plan.intents:
                found[str(lane.golden_id)] = [f"{one.change.kind} {sorted(one.change.fields)}" for one in plan.intents]
        return found


def _delivery(system: System, one: RemoteRecord) -> Delivery:
    key = SourceKey(system.instance, one.object, one.scope, one.native_id)
    return Delivery(key, "customer", dict(one.fields), one.changed_at)


def _as_it_is(system: System, known: OwnRecord) -> OwnRecord:
    """Give a record with what it truly holds in place of what the hub believes."""
    record = system.fake.record(system.object, known.native_id, known.scope)
    salt = new_salt()
    fields = {rule.target_field: None for rule in system.declaration.records["customer"].fields}
    held = Held(
        known.object,
        known.scope,
        known.native_id,
        "active" if record.is_active else "deactivated",
        salt,
        hash_fields(salt, {**fields, **record.fields}),
        external_id="" if record.merged_into else record.external_id,
    )
    return replace(known, held=held)


@contextmanager
def firm(engine: Engine, folder: Path, seed: int) -> Iterator[Firm]:
    """Set the firm up."""
    customer = declared()["customer"]
    name = replace(customer.attributes["legal_name"], survivorship=SurvivorshipRule("most_recent"))
    changed = replace(customer, attributes={**customer.attributes, "legal_name": name})
    hub = replace(hub_on(engine), declared={**declared(), "customer": changed})
    register_instances(hub, "salesforce-us", "netsuite-us")
    now = Now()
    with ExitStack() as opened:
        systems = []
        for character, instance, object_, name_field, target in (
            (CRM, "salesforce-us", "Account", "Name", CRM_TARGET),
            (ERP, "netsuite-us", "customer", "companyName", ERP_TARGET),
        ):
            fake = opened.enter_context(running(Fake(character, clock=now, seed=seed)))
            api = RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
            opened.callback(api.close)
            declaration = declare(hub, folder, target.format(url=fake.url))
            relay = relay_to_records(hub, declaration, api, now=now)
            systems.append(System(instance, object_, name_field, fake, api, declaration, relay))
        heard = opened.enter_context(receiver())
        hook = declare(hub, folder, HOOK.format(url=heard.url))
        sink = connect(hook, Settings(outgoing_networks="127.0.0.0/8"))
        opened.callback(sink.close)
        crm, erp = systems
        yield Firm(hub, now, random.Random(seed), crm, erp, relay_to(hub, hook, sink, now=now), heard)


@pytest.mark.parametrize("steps", [75, pytest.param(1_800, marks=pytest.mark.soak)])
def test_systems_end_as_they_shall_echoes_are_no_news_and_a_quarrel_is_frozen(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, steps: int
) -> None:
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    engine = open_engine(fresh_database, 8)
    with firm(engine, tmp_path, seed) as world:
        for _ in range(steps):
            world.step()
        world.come_to_rest()
        assert {one.declaration.id: world.differing(one) for one in world.systems} == {"crm": {}, "erp": {}}
        for one in world.systems:
            drift = find_drift(world.hub, one.declaration, one.api, now=world.now)
            found = drift.tally.counts["customer"]
            assert (drift.findings, found["waiting"]) == ((), 0), (one.declaration.id, drift.tally)
            assert found["compared"] == len(one.fake.records.all(one.object)) > 0
        # Read from the beginning once more, all of it is known: what the hub wrote is no news.
        assert [one for system in world.systems for one in world.read(system, whole=True) if one != "unchanged"] == []
        quarrel(world)
        assert_sound(world.hub)
        told = [json.loads(one.body)["data"] for one in world.heard.attempts]
        assert {one["golden_id"] for one in told} >= set(world.active())
    engine.dispose()


def quarrel(world: Firm) -> None:
    """Let a rule in each system put its own name back: it ends, frozen, with a question to a steward."""
    pairs = both_systems(world)
    account, customer = pairs[0]
    for _ in range(8):
        for system, native_id, name in ((world.erp, customer, "Blue Ltd"), (world.crm, account, "Red Ltd")):
            system.fake.edit(system.object, native_id, {system.name_field: name}, by="rule")
            world.now.forward(30)
            world.read(system)
            world.crm.relay.drain()
            world.erp.relay.drain()
    with world.hub.engine.connect() as connection:
        # In a long day others may have quarrelled as well.
        frozen = connection.execute(
            text(
                "SELECT f.attribute, r.kind, r.state FROM attribute_freeze f JOIN review r ON r.id = f.review_id"
                " JOIN source_record s ON s.golden_id = f.golden_id AND s.instance_id = 'salesforce-us'"
                " AND s.native_id = :account"
            ),
            {"account": account},
        ).all()
    assert [tuple(row) for row in frozen] == [("legal_name", "flip_flop", "open")]


def both_systems(world: Firm) -> list[tuple[str, str]]:
    """Give the keys of firms that have one record in each system."""
    with world.hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT min(native_id) FILTER (WHERE instance_id = 'salesforce-us') AS account,"
                " min(native_id) FILTER (WHERE instance_id = 'netsuite-us') AS customer FROM source_record"
                " WHERE state = 'active' AND ended_because IS NULL GROUP BY golden_id HAVING count(*) = 2"
                " AND count(DISTINCT instance_id) = 2 ORDER BY 1"
            )
        )
        return [(row.account, row.customer) for row in rows]
