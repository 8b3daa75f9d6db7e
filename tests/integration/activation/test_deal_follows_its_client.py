"""A deal whose client somebody else had reserved and gave up: project and contract follow, and it is billed.

The ERP is the fake one over HTTP, told by the real relay; it refuses projects and contracts without a client.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm import clock
from mdm.activation import service
from mdm.activation.model import STUCK, Deal, DealFilter
from mdm.activation.reservation_model import Reservation, Wanted
from mdm.activation.reservations import abandon, expire_due, resolve_or_reserve
from mdm.activation.words import HELD_UP, in_words
from mdm.db.transaction import run
from mdm.delivery import lanes
from mdm.delivery.orders import lane_lines, replay
from mdm.delivery.orders_model import Asked
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from tests.deals import follow, prepare, shown, standing, tell
from tests.erp import Books, books
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on
from tests.integration.activation.test_deal_to_erp import WITH_CONTRACTS
from tests.reservers import Erp

pytestmark = pytest.mark.db

RESERVED: dict[str, Any] = {"name": "ACME LOGISTIK GMBH", "country": "US", "currency": "USD", "city": "Hamburg"}


@dataclass
class Errand:
    """A deal on its way whose client somebody else reserved, in the system that bills."""

    hub: Hub
    erp: Books
    other: Reservation
    deal: Deal

    def relay(self) -> None:
        self.erp.clock.forward(minutes=12)
        self.erp.relay.drain()

    def look(self) -> Deal:
        self.deal = follow(self.hub, service.retry(self.hub, self.deal.id, who="mara"))
        return self.deal

    def approve(self) -> Deal:
        self.deal = follow(self.hub, service.approve(self.hub, self.deal.id, who="mara"))
        return self.deal

    def give_up(self) -> None:
        abandon(self.hub, self.other.id, who="somebody else")

    def run_out(self) -> None:
        with self.hub.engine.begin() as connection:
            past = {"at": clock.now() - timedelta(minutes=1), "id": self.other.id}
            connection.execute(text("UPDATE reservation SET expires_at = :at WHERE id = :id"), past)
        assert expire_due(self.hub) == 1

    def go_on(self) -> Deal:
        """Let relay and worker take turns until the deal is at its end, or for ever as far as anybody can tell."""
        for _ in range(9):
            self.relay()
            if self.look().progress.standing == "done":
                break
        return self.deal


@pytest.fixture
def errand(engine: Engine, tmp_path: Path) -> Iterator[Errand]:
    hub = hub_on(engine)
    with books(hub, tmp_path, declaration=WITH_CONTRACTS) as erp:
        prepare(hub)
        answer = resolve_or_reserve(hub, Wanted("customer", "netsuite-us", RESERVED), who="somebody else")
        assert answer.reservation is not None
        deal = follow(hub, tell(hub, legal_entity="usmf", currency="USD", country="US", vat_number=None))
        assert (standing(deal)[0], deal.ids) == ("activated", deal.ids)
        assert (deal.ids.customer_id, deal.ids.reservation_id) == (answer.golden_id, None)
        yield Errand(hub, erp, answer.reservation, deal)


def assert_billed_once(errand: Errand) -> None:
    """Find one billing entity in the ERP, and the project and the contract that point at it."""
    deal, records = errand.deal, errand.erp.fake.records
    assert standing(deal) == ("ready_to_bill", "done", None, "")
    ((external_id, native_id),) = Erp(errand.erp.fake.url).entities().items()
    assert external_id == deal.ids.customer_id
    (project,), (contract,) = records.all("project"), records.all("contract")
    assert project.fields["customer"] == contract.fields["customer"] == native_id
    assert contract.fields["project"] == project.native_id
    assert list(deal.since) == ["sold", "activated", "approved", "ready_to_bill"]
    assert_sound(errand.hub)


def parked(errand: Errand) -> set[str]:
    lines = run(errand.hub.engine, lambda c: lane_lines(c, ["netsuite"], state="dead"))
    return {one.entity_type for one in lines} - {"customer"}  # the account has no currency, and is refused


def held_up(errand: Errand) -> list[str]:
    return [one.id for one in run(errand.hub.engine, lambda c: service.list_deals(c, DealFilter(is_held_up=True)))]


def test_a_client_given_up_after_the_approval_is_reserved_anew_and_billed(errand: Errand) -> None:
    errand.relay()
    errand.approve()
    errand.give_up()
    errand.relay()
    assert parked(errand) == {"project"}  # it points at nobody now, and was refused

    errand.look()

    assert standing(errand.deal) == ("approved", "waiting", "customer_in_erp", "key_of_customer")
    assert errand.deal.ids.reservation_id is not None
    assert parked(errand) == set()
    done = [one.step for one in shown(errand.hub, errand.deal).turns if one.turn == "done"]
    assert done[-4:] == ["approval", "billing_entity", "project", "contract"]
    errand.go_on()
    assert_billed_once(errand)


def test_a_client_given_up_before_the_approval_is_reserved_anew_and_billed(errand: Errand) -> None:
    errand.give_up()
    errand.relay()
    assert parked(errand) == {"project"}

    errand.approve()
    errand.go_on()

    assert_billed_once(errand)


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_client_whose_reservation_ran_out_is_reserved_anew_and_billed(errand: Errand, *, is_approved: bool) -> None:
    if is_approved:
        errand.approve()
    errand.run_out()
    errand.relay()

    if not is_approved:
        errand.approve()
    errand.go_on()

    assert_billed_once(errand)


def test_a_deal_that_waits_for_its_approval_is_looked_at_and_its_project_follows(errand: Errand) -> None:
    assert errand.deal.next_at is not None
    errand.give_up()
    errand.relay()

    errand.look()  # as the worker does within ten minutes

    assert standing(errand.deal) == ("activated", "waiting", "approval", "approval")
    assert errand.deal.ids.customer_id != errand.other.golden_id
    errand.relay()
    errand.relay()
    (project,) = errand.erp.fake.records.all("project")
    assert list(Erp(errand.erp.fake.url).entities().values()) == [project.fields["customer"]]


def test_a_client_that_has_other_records_stays_and_is_pointed_at_by_one_of_them(errand: Errand) -> None:
    deliver(errand.hub, [delivery("salesforce-us/Account:9", "customer", **RESERVED)], who="crm")
    assert golden_by_key(errand.hub)["salesforce-us/Account:9"] == errand.deal.ids.customer_id
    errand.approve()
    errand.give_up()

    errand.go_on()

    assert errand.deal.ids.customer_id == errand.other.golden_id
    assert_billed_once(errand)


def test_a_deal_whose_client_stands_is_done_nothing_again(errand: Errand) -> None:
    errand.approve()
    before = shown(errand.hub, errand.deal).turns

    errand.look()
    errand.look()

    assert shown(errand.hub, errand.deal).turns == before


def test_a_deal_whose_project_is_refused_is_held_up_with_the_reason_until_it_is_mended(errand: Errand) -> None:
    errand.approve()
    errand.give_up()
    errand.look()
    project_id = GoldenId(golden_by_key(errand.hub)[f"hub/project:{errand.deal.id}"])
    with errand.hub.engine.begin() as connection:  # as when the ERP has a rule of its own against it
        connection.execute(
            text(
                "UPDATE delivery_lane SET state = 'dead', failure_kind = 'refused', failure_reason = '422 no'"
                " WHERE golden_id = :id"
            ),
            {"id": project_id},
        )
    for _ in range(3):
        errand.relay()
        errand.look()

    assert standing(errand.deal) == ("approved", "waiting", "project_in_erp", "refused_project")
    assert in_words(errand.deal) == "held up: the system that bills does not take the project"
    assert held_up(errand) == [errand.deal.id]
    (count,) = [one for one in run(errand.hub.engine, service.count_deals) if one.state == "approved"]
    assert (count.count, count.held_up) == (1, 1)
    (reason,) = shown(errand.hub, errand.deal).reasons
    assert (reason.code, reason.message) == (
        "refused_project",
        f"netsuite-us does not take the project {project_id}: 422 no",
    )
    assert reason.remedy.endswith(f"`mdm deliveries replay --target netsuite --golden {project_id} --reason …`")

    asked = Asked(golden_id=project_id)
    run(errand.hub.engine, lambda c: replay(c, "netsuite", asked, reason="mended", who="mara"))
    errand.go_on()

    assert held_up(errand) == []
    assert_billed_once(errand)


def test_a_deal_whose_target_is_stopped_is_held_up(errand: Errand) -> None:
    errand.approve()
    with errand.hub.engine.begin() as connection:
        connection.execute(text("UPDATE target_standing SET state = 'stopped', reason = 'it may not write'"))

    errand.look()

    assert standing(errand.deal)[3] == "target_stopped"
    assert [one.message for one in shown(errand.hub, errand.deal).reasons] == [
        "target netsuite is stopped, so that netsuite-us is told nothing: it may not write"
    ]


def test_what_is_mended_is_told_also_where_a_lease_could_park_it_again(errand: Errand) -> None:
    errand.give_up()
    project_id = GoldenId(golden_by_key(errand.hub)[f"hub/project:{errand.deal.id}"])
    with errand.hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE delivery_lane SET lease_token = 'one' WHERE golden_id = :id"), {"id": project_id}
        )

    run(errand.hub.engine, lambda c: lanes.tell_mended(c, [project_id]))

    with errand.hub.engine.connect() as connection:
        query = text("SELECT lease_token FROM delivery_lane WHERE golden_id = :id")
        assert connection.execute(query, {"id": project_id}).scalar_one() is None


def test_everything_that_holds_a_deal_up_has_words() -> None:
    assert set(HELD_UP) == set(STUCK)
