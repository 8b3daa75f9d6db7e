"""A merge that is taken back: within the undo window nobody hears of it, after it each target is told to go back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.connectors.record_api import RecordApi
from mdm.delivery.relay import Relay, relay_to_records
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Merge, Split, Undo, Unmerge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, PATIENT, Clock
from tests.hubs import assert_sound, golden_by_key, register_instances
from tests.targets import declare

pytestmark = pytest.mark.db

MARA = By("mara", "looked at")
WINDOW_S = 600
TARGET = """
    target: {name}
    title: {name}
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: {instance}
    undo_window_s: 600
    records:
      customer:
        object: {object}
        creates: true
        on_merge: {on_merge}
        fields:
          legal_name: {{field: {field}}}
          currency: {{field: {currency}}}
{children}"""
CHILDREN = """\
      project:
        object: project
        creates: true
        fields:
          name: {field: projectName}
          customer: {}
"""


@dataclass
class Told:
    """One system: it runs, and is told by a relay whose clock is put forward by hand."""

    instance: str
    object: str
    name_field: str
    fake: Fake
    relay: Relay

    def shown(self) -> dict[str, tuple[Mapping[str, Any], bool, str]]:
        """Give what each record holds, whether it is in use, and the id that it bears."""
        found = self.fake.records.all(self.object)
        return {one.native_id: (one.fields, one.is_active, one.external_id) for one in found}

    def writes(self) -> int:
        """Count what changed anything there by the hub's hand."""
        return len(self.fake.journal.writes())


@dataclass
class Both:
    """A CRM that entered two firms, and an ERP that the hub tells of them."""

    hub: Hub
    clock: Clock
    crm: Told
    erp: Told

    def drain(self) -> None:
        for one in (self.crm, self.erp):
            one.relay.drain()

    def read(self) -> None:
        """Deliver what both systems hold."""
        for one in (self.crm, self.erp):
            news = [
                Delivery(SourceKey(one.instance, one.object, "", record.native_id), "customer", dict(record.fields))
                for record in one.fake.records.all(one.object)
            ]
            deliver(self.hub, news, who="reader")

    def shown(self) -> tuple[Any, Any]:
        return self.crm.shown(), self.erp.shown()

    def writes(self) -> tuple[int, int]:
        return self.crm.writes(), self.erp.writes()


@contextmanager
def both(hub: Hub, folder: Path) -> Iterator[Both]:
    """Run both systems with two firms that both know."""
    register_instances(hub, "salesforce-us", "netsuite-us")
    now = Clock()
    with running(Fake(CRM)) as crm, running(Fake(ERP)) as erp:
        told = []
        systems = []
        for fake, name, instance, object_, field, currency, on_merge, children in (
            (crm, "crm", "salesforce-us", "Account", "Name", "CurrencyIsoCode", "link", ""),
            (erp, "erp", "netsuite-us", "customer", "companyName", "currency", "deactivate", CHILDREN),
        ):
            written = TARGET.format(
                name=name,
                url=fake.url,
                instance=instance,
                object=object_,
                field=field,
                currency=currency,
                on_merge=on_merge,
                children=children,
            )
            declaration = declare(hub, folder, written)
            system = RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
            systems.append(system)
            told.append(Told(instance, object_, field, fake, relay_to_records(hub, declaration, system, now=now)))
        crm.enter("Account", {"Name": "Quillon Ltd", "CurrencyIsoCode": "EUR"}, by="anna")
        crm.enter("Account", {"Name": "Zebra Holdings", "CurrencyIsoCode": "GBP"}, by="anna")
        one = Both(hub, now, *told)
        one.read()
        one.drain()
        one.read()
        one.drain()
        try:
            yield one
        finally:
            for system in systems:
                system.close()


def merge(hub: Hub) -> EventId:
    """Let a steward take the two firms for one; returns the event."""
    first, second = sorted({GoldenId(one) for one in golden_by_key(hub).values() if one.startswith("cus_")})
    return EventId(perform(hub, Merge(first, second), MARA).event_id)


def test_a_merge_that_is_taken_back_within_the_window_writes_nothing(hub: Hub, tmp_path: Path) -> None:
    with both(hub, tmp_path) as world:
        before, writes = world.shown(), world.writes()
        event = merge(hub)
        world.drain()
        perform(hub, Unmerge(event), MARA)
        world.clock.forward(seconds=WINDOW_S + 1)
        world.drain()

        assert world.shown() == before
        assert world.writes() == writes


@pytest.mark.parametrize("is_read", [True, False])
def test_a_merge_that_is_taken_back_after_the_window_is_told_and_each_target_ends_as_before(
    hub: Hub, tmp_path: Path, *, is_read: bool
) -> None:
    with both(hub, tmp_path) as world:
        before, writes = world.shown(), world.writes()
        goldens = golden_by_key(hub)
        assert [len(many) for many in before] == [2, 2]

        event = merge(hub)
        world.clock.forward(seconds=WINDOW_S + 1)
        world.drain()
        merged, told = world.shown(), world.writes()
        assert {fields["Name"] for fields, _, _ in merged[0].values()} == {"Quillon Ltd"}
        assert sorted(is_active for _, is_active, _ in merged[1].values()) == [False, True]
        assert all(after > earlier for after, earlier in zip(told, writes, strict=True))
        if is_read:
            world.read()
            world.drain()

        perform(hub, Unmerge(event), MARA)
        world.clock.forward(seconds=WINDOW_S + 1)
        world.drain()

        assert all(after > earlier for after, earlier in zip(world.writes(), told, strict=True))
        assert golden_by_key(hub) == goldens
        assert_as_before(world, before)
        world.read()
        world.drain()
        assert_as_before(world, before)
        assert_sound(hub)


def assert_as_before(world: Both, before: tuple[Any, Any]) -> None:
    """Hold what both systems show against what they showed: all is as it was, each record with the id of its own.

    A record that was taken out of use says that it is in use; what people entered bears its id since it was written.
    """
    goldens = golden_by_key(world.hub)
    for one, earlier in zip((world.crm, world.erp), before, strict=True):
        shown = one.shown()
        assert shown.keys() == earlier.keys()
        for native_id, (fields, is_active, external_id) in shown.items():
            values = {name: value for name, value in fields.items() if name != "isInactive"}
            assert (values, is_active) == earlier[native_id][:2]
            assert external_id in {earlier[native_id][2], goldens[f"{one.instance}/{one.object}:{native_id}"]}


@pytest.fixture
def with_projects(hub: Hub, tmp_path: Path) -> Iterator[Both]:
    """Give both systems, where each of the firms has a project that the ERP was told of."""
    with both(hub, tmp_path) as world:
        keys = [key for key in golden_by_key(hub) if key.startswith("salesforce-us/Account:")]
        for key in sorted(keys):
            native_id = key.rpartition(":")[2]
            fields = {"Name": f"Rollout {native_id}", "AccountId": native_id}
            deliver(
                hub, [Delivery(SourceKey("salesforce-us", "Opportunity", "", native_id), "project", fields)], who="t"
            )
        for _ in range(3):
            world.drain()
        clients = {one.fields["customer"] for one in world.erp.fake.records.all("project")}
        assert clients == world.erp.shown().keys()
        yield world


def pointed_at(world: Both) -> dict[str, Any]:
    return {one.native_id: one.fields["customer"] for one in world.erp.fake.records.all("project")}


def test_projects_of_merged_clients_wait_for_an_undo_with_them(hub: Hub, with_projects: Both) -> None:
    before, writes = pointed_at(with_projects), with_projects.writes()

    event = merge(hub)
    with_projects.drain()
    perform(hub, Unmerge(event), MARA)
    with_projects.clock.forward(seconds=WINDOW_S + 1)
    with_projects.drain()

    assert with_projects.writes() == writes
    assert pointed_at(with_projects) == before


def test_projects_wait_for_their_client_until_it_is_in_use_again(hub: Hub, with_projects: Both) -> None:
    """An ERP refuses what points at a client that is out of use; nothing may be parked for that."""
    before = pointed_at(with_projects)
    event = merge(hub)
    with_projects.clock.forward(seconds=WINDOW_S + 1)
    for _ in range(3):
        with_projects.drain()
    assert len(set(pointed_at(with_projects).values())) == 1

    perform(hub, Unmerge(event), MARA)
    with_projects.clock.forward(seconds=WINDOW_S + 1)
    for _ in range(3):
        with_projects.drain()

    assert pointed_at(with_projects) == before
    assert all(is_active for _, is_active, _ in with_projects.erp.shown().values())
    assert not outcomes(hub, "dead")
    assert_sound(hub)


def test_the_parts_of_a_split_wait_as_what_they_came_from_does(hub: Hub, tmp_path: Path) -> None:
    with both(hub, tmp_path) as world:
        apart = golden_by_key(hub)
        merge(hub)
        world.clock.forward(seconds=WINDOW_S + 1)
        world.drain()
        world.clock.forward(seconds=-WINDOW_S - 1)
        before, writes = world.shown(), world.writes()
        (golden_id,) = set(golden_by_key(hub).values())
        part = frozenset(SourceKey.parse(key) for key, id_ in apart.items() if id_ != golden_id)

        parted = perform(hub, Split(GoldenId(golden_id), (part,)), MARA)
        world.drain()
        perform(hub, Undo(EventId(parted.event_id)), MARA)
        world.clock.forward(seconds=WINDOW_S + 1)
        world.drain()

        assert world.shown() == before
        assert world.writes() == writes


def outcomes(hub: Hub, outcome: str) -> list[Any]:
    with hub.engine.connect() as connection:
        query = "SELECT golden_id, reason FROM delivery_outcome WHERE outcome = :outcome"
        return list(connection.execute(text(query), {"outcome": outcome}))
