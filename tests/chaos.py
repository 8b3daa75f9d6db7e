"""A firm at work: people edit in a CRM and an ERP, stewards merge, part and take back, systems fail, time goes by.

Both systems are sources and targets of the hub, a receiver is told every version. Whatever is read and told is held
against what is promised as it happens: what the hub wrote comes back as no news, and nothing is asked for twice but
what was not answered.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdm.connectors.model import CallFailed, RemoteRecord
from mdm.delivery.relay import Relay
from mdm.demo.fakes.faults import MISBEHAVIOUR, Aim
from mdm.errors import Refused
from mdm.hub import Hub
from mdm.ids import EventId
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Merge, Move, Operation, Split, Undo, Unmerge
from mdm.stewardship.operations import perform
from tests.hubs import golden_by_key
from tests.quarrels import frozen_of
from tests.receivers import Receiver
from tests.systems import Now, System, both_systems, golden_of, members_of
from tests.tellings import versions_of

PASSING = ("throttled_for_7_s", "failing", "failing_done", "overloaded", "drop", "done_then_drop", "half_an_answer")
STEWARD = By("mara", "looked at")
TRIES_MAX = 20  # chosen: much of what stewards ask for at random is refused
CITIES = ("Leeds", "York", "Bath", "Ely", "Truro", "Wells")


@dataclass
class Rules:
    """Two rules, one in each system, that put a name of their own back so many times."""

    native_ids: Mapping[str, str]
    names: Mapping[str, str]
    left: int


@dataclass
class Firm:
    """The hub among its systems.

    done  how often each thing was done, by its name
    """

    hub: Hub
    now: Now
    rnd: random.Random
    crm: System
    erp: System
    hook: Relay
    heard: Receiver
    merges: list[str] = field(default_factory=list)
    partings: list[str] = field(default_factory=list)
    rules: list[Rules] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    firms: int = 0

    @property
    def systems(self) -> tuple[System, System]:
        return self.crm, self.erp

    def step(self) -> None:
        """Do one thing that may happen at any time, and let a minute or so go by."""
        acts = (self.found, self.found, self.edit, self.edit, self.merge, self.part, self.take_back, self.disagree)
        self.rnd.choice(acts)()
        if self.rnd.random() < 0.4:
            self.fail()
        for rules in self.rules:
            if rules.left > 0 and self.rnd.random() < 0.5:
                self.put_back(rules)
        for system in self.systems:
            if self.rnd.random() < 0.6:
                self.read(system)
            if self.rnd.random() < 0.6:
                system.tell()
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
            self.crm.enter({"Name": name, "CurrencyIsoCode": "GBP", **with_tax}, by="anna")
        if both:
            fields = {"companyName": f"{name} Ltd", "currency": "GBP", "vatRegNumber": tax, "phone": "+44 113 496 0001"}
            self.erp.enter(fields, by="otto")

    def edit(self) -> None:
        """Let a user change a record."""
        system = self.rnd.choice(self.systems)
        records = [one for one in system.fake.records.all(system.object) if not one.merged_into]
        if records:
            native_id = self.rnd.choice(records).native_id
            name = f"{system.name_of(native_id).split(' (')[0]} ({self.rnd.randrange(99)})"
            system.rename(native_id, name, by="anna")

    def merge(self) -> None:
        """Let a steward merge two golden records, whatever they are."""
        ids = list(members_of(self.hub))
        if len(ids) > 1:
            first, second = self.rnd.sample(ids, 2)
            self.merges += self.perform(Merge(first, second))

    def part(self) -> None:
        """Let a steward take a record out of its golden record, to stand alone or to belong to another one."""
        entered = {(system.instance, native_id) for system in self.systems for native_id in system.entered}
        members = members_of(self.hub)
        by_people = {
            id_: [key for key in keys if (key.instance, key.native_id) in entered] for id_, keys in members.items()
        }
        together = {id_: keys for id_, keys in by_people.items() if len(keys) > 1}
        if together:
            golden_id = self.rnd.choice(list(together))
            key = self.rnd.choice(together[golden_id])
            others = [one for one in members if one != golden_id]
            if others and self.rnd.random() < 0.5:
                self.partings += self.perform(Move(key, self.rnd.choice(others)))
            else:
                self.partings += self.perform(Split(golden_id, (frozenset({key}),)))

    def take_back(self) -> None:
        """Let a steward take a merge, a split or a move back."""
        events = self.rnd.choice((self.merges, self.partings))
        if events:
            event_id = EventId(events.pop(self.rnd.randrange(len(events))))
            self.perform(Unmerge(event_id) if events is self.merges else Undo(event_id))

    def perform(self, operation: Operation) -> list[str]:
        """Carry out what a steward asks for; give its event, if it was not refused."""
        try:
            effect = perform(self.hub, operation, STEWARD)
        except Refused as error:
            self.done[f"{type(operation).__name__}: {error.code}"] += 1
            return []
        self.done[type(operation).__name__] += 1
        return [str(effect.event_id)]

    def disagree(self) -> None:
        """Set up a rule in each system that puts a name of its own back, some times."""
        busy = {native_id for one in self.rules for native_id in one.native_ids.values()}
        pairs = [pair for pair in both_systems(self.hub) if not busy & set(pair)]
        if pairs:
            account, customer = self.rnd.choice(pairs)
            number = len(self.rules)
            self.rules.append(
                Rules(
                    {self.crm.instance: account, self.erp.instance: customer},
                    {self.crm.instance: f"Red {number} of Rye", self.erp.instance: f"Blue {number} of Rye"},
                    self.rnd.randrange(2, 12),
                )
            )

    def put_back(self, rules: Rules) -> None:
        """Let a rule put its name back where another one stands; a name that is frozen goes no further."""
        system = self.rnd.choice(self.systems)
        native_id, name = rules.native_ids[system.instance], rules.names[system.instance]
        if system.name_of(native_id) == name:
            return
        rules.left -= 1
        golden_ids = {golden_of(self.hub, instance, one) for instance, one in rules.native_ids.items()}
        is_frozen = len(golden_ids) == 1 and (*golden_ids, "legal_name") in frozen_of(self.hub)
        before = [one.names_written(rules.native_ids[one.instance]) for one in self.systems]
        system.rename(native_id, name, by="rule")
        self.done["put back"] += 1
        self.read(system)
        for other in self.systems:
            other.tell()
        if is_frozen:
            self.done["put back in vain"] += 1
            assert [one.names_written(rules.native_ids[one.instance]) for one in self.systems] == before

    def fail(self) -> None:
        """Let a system fail at its next writes, and perhaps when it is read, each kind of failure in its turn."""
        self.faults = self.faults or self.rnd.sample(PASSING, len(PASSING))
        system, fault = self.rnd.choice(self.systems), MISBEHAVIOUR[self.faults.pop()]
        for method in ("POST", "PATCH", "GET")[: self.rnd.randrange(2, 4)]:
            system.fake.faults.plan(fault, Aim(method=method), times=1)

    def make_up(self) -> None:
        """Do what chance has not brought until now, and let each kind of failure meet a write."""
        wanted = {
            "Merge": (self.merge,),
            "Split": (self.merge, self.part),
            # What a steward has merged is not taken apart by a move: records that the hub has put together are wanted.
            "Move": (self.found, self.step, self.part, self.part, self.part),
            "Unmerge": (self.merge, self.take_back),
            "Undo": (self.merge, self.part, self.take_back),
            "put back": (self.step, self.disagree),
        }
        for name, acts in wanted.items():
            for act in acts * TRIES_MAX:
                if not self.done[name]:
                    act()
        for name in PASSING * TRIES_MAX:
            if not any(one.struck[name] for one in self.systems):
                self.faults.append(name)
                self.fail()
                self.found()
                self.step()

    def read(self, system: System, *, whole: bool = False) -> list[str]:
        """Deliver what changed in a system; give what became of each record, the hub's own words first.

        A page that cannot be read is read another time.
        """
        after = "" if whole else system.cursor
        statuses: list[str] = []
        while True:
            try:
                page = system.api.changed(system.object, after=after, limit=100)
            except CallFailed:
                return statuses
            after = page.cursor
            echoes = [one for one in page.records if self.is_echo(system, one)]
            statuses += self.hear_echoes(system, echoes)
            statuses += self.hear(system, [one for one in page.records if one not in echoes])
            if page.is_last:
                break
        system.cursor = after
        system.touched.clear()
        return statuses

    def hear(self, system: System, records: Sequence[RemoteRecord]) -> list[str]:
        """Deliver records."""
        news = [_delivery(system, one) for one in records]
        outcomes = deliver(self.hub, news, who="reader", column_map={}) if news else ()
        assert {one.status for one in outcomes} <= {"created", "updated", "unchanged", "stale"}, outcomes
        return [one.status for one in outcomes]

    def is_echo(self, system: System, record: RemoteRecord) -> bool:
        """Tell whether only the hub changed a record since it was read.

        A record that the hub made without being answered is nothing that it knows of, until it asks again.
        """
        if record.native_id in system.touched:
            return False
        is_known = str(_key(system, record)) in golden_by_key(self.hub)
        assert is_known or system.excused & {record.native_id, record.external_id}, f"nobody made {record}"
        return is_known

    def hear_echoes(self, system: System, records: Sequence[RemoteRecord]) -> list[str]:
        """Deliver records that only the hub changed since they were read: nobody is told of another value."""
        before = versions_of(self.hub)
        statuses = self.hear(system, records)
        fresh = {place: shown for place, shown in versions_of(self.hub).items() if place not in before}
        changed = {
            (golden_id, version): [(name, earlier.get(name), shown.get(name)) for name in {*earlier, *shown}]
            for (golden_id, version), shown in fresh.items()
            if (earlier := before.get((golden_id, version - 1), {})) != shown
        }
        assert changed == {}, f"an echo is told on: {changed} by {statuses} {records}"
        self.done["echo"] += len(records)
        return statuses


def _delivery(system: System, one: RemoteRecord) -> Delivery:
    return Delivery(_key(system, one), "customer", dict(one.fields), one.changed_at)


def _key(system: System, one: RemoteRecord) -> SourceKey:
    return SourceKey(system.instance, one.object, one.scope, one.native_id)
