"""A target that refuses merges is told all the same: the record is settled by the second choice of the declaration."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.connectors.record_api import RecordApi
from mdm.db.transaction import run
from mdm.delivery.orders import replay
from mdm.delivery.orders_model import Asked
from mdm.delivery.relay import relay_to_records
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import FAILING, SCHEMA_ERROR, Aim, Fault
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, NETSUITE, PATIENT, Books, books
from tests.hubs import assert_sound, delivery, golden_by_key, register_instances
from tests.targets import declare

pytestmark = pytest.mark.db

MARA = By("mara", "looked at")
FIRST, SECOND = "1001", "1002"
CRM_TARGET = """
    target: crm
    title: CRM
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: salesforce-us
    records:
      customer:
        object: Account
        creates: true
        on_merge: merge
        fields:
          legal_name: {{field: Name}}
"""
NO_MERGE = Fault("no_merge", "answer", status=405)
_REFUSALS = {NO_MERGE.name, SCHEMA_ERROR.name}


def policy(choice: str) -> str:
    return NETSUITE.replace("on_merge: deactivate", f"on_merge: merge\n        where_it_cannot: {choice}")


def tell_of(hub: Hub, number: int, *, at: int = 0, **fields: Any) -> None:
    firm: dict[str, Any] = {"currency": "EUR", "city": "Bonn", **fields}
    deliver(hub, [delivery(f"salesforce-us/Account:{number}", "customer", at=at, **firm)], who="t")


def spoken_to(fake: Fake) -> RecordApi:
    return RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)


def tell_again(hub: Hub, target_id: str, golden_id: GoldenId) -> None:
    asked, reason = Asked(golden_id), "they merge now"
    run(hub.engine, lambda connection: replay(connection, target_id, asked, reason=reason, who="mara"))


@dataclass
class Merged:
    """Two firms that the hub made in an ERP, and took for one since."""

    hub: Hub
    erp: Books
    event: EventId
    survivor: GoldenId

    def shown(self) -> dict[str, tuple[Any, bool, str]]:
        """Give by number the name, whether it is in use, and the id that it bears."""
        found = self.erp.fake.records.all("customer")
        return {one.native_id: (one.fields["companyName"], one.is_active, one.external_id) for one in found}

    def merges_asked(self) -> int:
        entries = self.erp.fake.journal.entries()
        return len([one for one in entries if one.status == HTTPStatus.CONFLICT or one.fault in _REFUSALS])

    def outcome(self) -> tuple[str, str]:
        with self.hub.engine.connect() as connection:
            newest = "SELECT outcome, reason FROM delivery_outcome WHERE golden_id = :id ORDER BY id DESC LIMIT 1"
            row = connection.execute(text(newest), {"id": self.survivor}).one()
            return row.outcome, row.reason

    def dead(self) -> int:
        with self.hub.engine.connect() as connection:
            dead = "SELECT count(*) FROM delivery_lane WHERE state = 'dead'"
            return int(connection.execute(text(dead)).scalar_one())


@contextmanager
def merged(hub: Hub, folder: Path, choice: str) -> Iterator[Merged]:
    with books(hub, folder, declaration=policy(choice)) as erp:
        for number, name in ((1, "Brightwater GmbH"), (2, "Quillon Ltd")):
            tell_of(hub, number, name=name)
            erp.relay.drain()
        first, second = (GoldenId(golden_by_key(hub)[f"salesforce-us/Account:{number}"]) for number in (1, 2))
        event = perform(hub, Merge(first, second, survivor=first), MARA).event_id
        yield Merged(hub, erp, EventId(event), first)


@pytest.mark.parametrize(
    ("choice", "name", "is_active", "words"),
    [
        ("link", "Brightwater GmbH", True, "linked"),
        ("deactivate", "Quillon Ltd", False, "deactivated"),
        ("leave", "Quillon Ltd", True, "left as it is"),
    ],
)
def test_what_cannot_be_merged_is_settled_in_the_same_delivery(
    hub: Hub, tmp_path: Path, choice: str, name: str, words: str, *, is_active: bool
) -> None:
    with merged(hub, tmp_path, choice) as world:
        world.erp.relay.drain()

        assert world.shown()[SECOND][:2] == (name, is_active)
        assert world.outcome()[1] == f"customer {SECOND} could not be merged there: {words} instead"
        assert (world.dead(), world.merges_asked()) == (0, 1)
        assert_sound(hub)


@pytest.mark.parametrize(("choice", "second_name"), [("link", "Brightwater SE"), ("deactivate", "Quillon Ltd")])
def test_the_next_version_is_told_and_the_merge_is_not_asked_for_again(
    hub: Hub, tmp_path: Path, choice: str, second_name: str
) -> None:
    with merged(hub, tmp_path, choice) as world:
        world.erp.relay.drain()
        tell_of(hub, 1, at=1, name="Brightwater SE")

        world.erp.relay.drain()

        shown = world.shown()
        assert (shown[FIRST][0], shown[SECOND][0]) == ("Brightwater SE", second_name)
        assert (world.dead(), world.merges_asked()) == (0, 1)
        assert "could not be merged there" in world.outcome()[1]


@pytest.mark.parametrize("choice", ["link", "deactivate", "leave"])
def test_an_unmerge_gives_back_both_records_as_they_were(hub: Hub, tmp_path: Path, choice: str) -> None:
    with merged(hub, tmp_path, choice) as world:
        before = world.shown()
        world.erp.relay.drain()
        perform(hub, Unmerge(world.event), MARA)

        world.erp.relay.drain()

        assert world.shown() == before
        assert {name for name, _, _ in before.values()} == {"Brightwater GmbH", "Quillon Ltd"}
        tell_of(hub, 2, at=1, name="Quillon plc")
        world.erp.relay.drain()
        assert [world.shown()[one][0] for one in (FIRST, SECOND)] == ["Brightwater GmbH", "Quillon plc"]
        assert (world.dead(), world.merges_asked()) == (0, 1)
        assert_sound(hub)


def test_another_policy_counts_with_the_next_version_and_a_replay_asks_anew(hub: Hub, tmp_path: Path) -> None:
    with merged(hub, tmp_path, "link") as world, closing(spoken_to(world.erp.fake)) as api:
        world.erp.relay.drain()
        declared = declare(hub, tmp_path, policy("deactivate").format(url=world.erp.fake.url), is_matched=False)
        relay = relay_to_records(hub, declared, api)
        tell_of(hub, 1, at=1, name="Brightwater SE")
        relay.drain()
        assert (world.shown()[SECOND][:2], world.merges_asked()) == (("Brightwater GmbH", False), 1)

        tell_again(hub, "netsuite", world.survivor)
        relay.drain()

        assert (world.dead(), world.merges_asked()) == (0, 2)
        assert "deactivated instead" in world.outcome()[1]


def test_a_target_that_merges_by_now_does_so_once_it_is_told_again(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "netsuite-us", "salesforce-us")
    with running(Fake(CRM)) as crm, closing(spoken_to(crm)) as api:
        relay = relay_to_records(hub, declare(hub, tmp_path, CRM_TARGET.format(url=crm.url)), api)
        for number, name in ((1, "Brightwater GmbH"), (2, "Quillon Ltd")):
            deliver(hub, [delivery(f"netsuite-us/customer:{number}", "customer", companyName=name)], who="t")
            relay.drain()
        first, second = (GoldenId(golden_by_key(hub)[f"netsuite-us/customer:{number}"]) for number in (1, 2))
        perform(hub, Merge(first, second, survivor=first), MARA)
        loser = next(one.native_id for one in crm.records.all("Account") if one.external_id == second)
        crm.faults.plan(NO_MERGE, Aim(method="POST", key=loser), times=1)
        relay.drain()
        assert crm.record("Account", loser).merged_into == ""

        tell_again(hub, "crm", first)
        relay.drain()

        assert crm.record("Account", crm.record("Account", loser).merged_into).external_id == first


def test_a_second_choice_that_the_target_does_not_answer_is_tried_again_without_the_merge(
    hub: Hub, tmp_path: Path
) -> None:
    with merged(hub, tmp_path, "deactivate") as world:
        world.erp.fake.faults.script(None, FAILING)  # the merge, then what is done instead
        world.erp.relay.drain()
        assert world.shown()[SECOND][1]
        world.erp.clock.forward(minutes=10)

        world.erp.relay.drain()

        assert not world.shown()[SECOND][1]
        assert (world.dead(), world.merges_asked()) == (0, 1)
        assert "deactivated instead" in world.outcome()[1]


@pytest.mark.parametrize(("fault", "dead"), [(NO_MERGE, 0), (SCHEMA_ERROR, 1)])
def test_an_answer_that_knows_no_merge_has_the_second_choice_and_another_refusal_parks(
    hub: Hub, tmp_path: Path, fault: Fault, dead: int
) -> None:
    with merged(hub, tmp_path, "link") as world:
        world.erp.fake.faults.plan(fault, Aim(method="POST", key=SECOND), times=1)

        world.erp.relay.drain()

        assert (world.dead(), world.merges_asked()) == (dead, 1)
        assert world.shown()[SECOND][0] == ("Quillon Ltd" if dead else "Brightwater GmbH")
