"""A deal all the way: reserved here, created in the fake ERP by publishing, ready to bill when its key came back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.activation import service
from mdm.activation.reservation_model import Wanted
from mdm.activation.reservations import abandon, confirm, require_reservation, resolve_or_reserve
from mdm.db.transaction import run
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from tests.deals import follow, prepare, standing, tell
from tests.erp import NETSUITE, books
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on
from tests.reservers import CLIENT, Erp

pytestmark = pytest.mark.db

OTHER: dict[str, Any] = {"name": "Beta Werke AG", "country": "DE", "vat number": "DE811569869", "currency": "EUR"}
IN_EUROS: dict[str, Any] = {**CLIENT, "currency": "EUR"}
NEW_ACCOUNT = SourceKey.parse("salesforce-us/Account:4711")
# An ERP that keeps contracts as well, each with its client and its first project.
WITH_CONTRACTS = f"""{NETSUITE.rstrip()}
      contract:
        object: contract
        creates: true
        fields:
          name: {{{{field: contractName}}}}
          currency: {{{{}}}}
          customer: {{{{}}}}
          projects: {{{{field: project, takes: first}}}}
"""


def test_publishing_creates_the_reserved_client_and_the_deal_can_be_billed(engine: Engine, tmp_path: Path) -> None:
    hub = hub_on(engine)
    with books(hub, tmp_path, declaration=WITH_CONTRACTS) as erp:
        prepare(hub)
        deal = follow(hub, tell(hub, legal_entity="usmf", currency="USD", country="US", vat_number=None))
        deal = follow(hub, service.approve(hub, deal.id, who="mara"))
        assert standing(deal) == ("approved", "waiting", "customer_in_erp", "key_of_customer")

        waited_for: list[str | None] = []
        while deal.progress.standing == "waiting" and len(waited_for) < 9:
            waited_for.append(deal.progress.step)
            erp.relay.turn()
            erp.clock.forward(minutes=2)
            deal = follow(hub, service.retry(hub, deal.id, who="mara"))

        assert standing(deal)[0] == "ready_to_bill"
        created = Erp(erp.fake.url).entities()
        key = f"netsuite-us/customer:{created[str(deal.ids.customer_id)]}"
        assert golden_by_key(hub)[key] == deal.ids.customer_id
        found = run(hub.engine, lambda c: require_reservation(c, str(deal.ids.reservation_id)))
        assert (found.state, str(found.source_key)) == ("confirmed", key)
        assert {"customer_in_erp", "project_in_erp"} <= set(waited_for)
        (project,), (contract,) = erp.fake.records.all("project"), erp.fake.records.all("contract")
        assert contract.fields["project"] == project.native_id
        assert golden_by_key(hub)[f"netsuite-us/contract:{contract.native_id}"] == contract.external_id
        assert project.fields["customer"] == contract.fields["customer"] == created[str(deal.ids.customer_id)]
        assert_sound(hub)


def test_publishing_leaves_the_creating_to_whoever_reserved_it(engine: Engine, tmp_path: Path) -> None:
    hub = hub_on(engine)
    with books(hub, tmp_path) as erp:
        wanted = Wanted("customer", "netsuite-us", IN_EUROS)
        answer = resolve_or_reserve(hub, wanted, who="sync")
        erp.relay.drain()
        other = Erp(erp.fake.url)
        assert other.entities() == {}  # the hub made none, though it makes clients there

        key = other.create(str(answer.golden_id))
        confirm(hub, str(answer.reservation and answer.reservation.id), key, who="sync")
        erp.clock.forward(minutes=2)
        erp.relay.drain()

        assert list(other.entities()) == [answer.golden_id]
        assert golden_by_key(hub)[str(key)] == answer.golden_id

        given_up = resolve_or_reserve(hub, Wanted("customer", "netsuite-us", OTHER), who="sync")
        deliver(hub, [delivery("salesforce-us/Account:1", "customer", **OTHER)], who="crm")
        erp.relay.drain()
        assert len(other.entities()) == 1
        abandon(hub, str(given_up.reservation and given_up.reservation.id), who="sync")
        erp.clock.forward(minutes=2)
        erp.relay.drain()

        assert set(other.entities()) == {answer.golden_id, given_up.golden_id}  # nobody else does it: the hub does
        assert_sound(hub)


def test_a_client_that_is_only_reserved_is_created_in_no_other_system_either(engine: Engine, tmp_path: Path) -> None:
    hub = hub_on(engine)
    with books(hub, tmp_path) as erp:
        other = Erp(erp.fake.url)

        def told() -> set[str]:
            erp.clock.forward(minutes=2)
            erp.relay.drain()
            return set(other.entities())

        elsewhere = Wanted("customer", "salesforce-us", OTHER)
        given_up = resolve_or_reserve(hub, elsewhere, who="sync")
        assert told() == set()
        abandon(hub, str(given_up.reservation and given_up.reservation.id), who="sync")
        assert told() == set()

        held = resolve_or_reserve(hub, elsewhere, who="sync")
        assert told() == set()
        confirm(hub, str(held.reservation and held.reservation.id), NEW_ACCOUNT, who="sync")
        assert told() == {held.golden_id}

        known = resolve_or_reserve(hub, Wanted("customer", "salesforce-us", IN_EUROS), who="sync")
        assert told() == {held.golden_id}
        deliver(hub, [delivery("kantata/client:7", "customer", **IN_EUROS)], who="psa")
        assert golden_by_key(hub)["kantata/client:7"] == known.golden_id
        assert told() == {held.golden_id, known.golden_id}  # the client is real, whatever becomes of the reservation
        assert_sound(hub)
