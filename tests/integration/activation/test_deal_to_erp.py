"""A deal all the way: reserved here, created in the fake ERP by publishing, ready to bill when its key came back."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.activation import service
from mdm.activation.reservations import require_reservation
from mdm.db.transaction import run
from tests.deals import follow, prepare, standing, tell
from tests.erp import books
from tests.hubs import assert_sound, golden_by_key, hub_on
from tests.reservers import Erp

pytestmark = pytest.mark.db


def test_publishing_creates_the_reserved_client_and_the_deal_can_be_billed(engine: Engine, tmp_path: Path) -> None:
    hub = hub_on(engine)
    with books(hub, tmp_path) as erp:
        prepare(hub)
        deal = follow(hub, tell(hub, legal_entity="usmf", currency="USD", country="US", vat_number=None))
        deal = follow(hub, service.approve(hub, deal.id, who="mara"))
        assert standing(deal) == ("approved", "waiting", "customer_in_erp", "key_of_customer")

        erp.relay.drain()
        deal = follow(hub, service.retry(hub, deal.id, who="mara"))

        assert standing(deal)[0] == "ready_to_bill"
        created = Erp(erp.fake.url).entities()
        key = f"netsuite-us/customer:{created[str(deal.ids.customer_id)]}"
        assert golden_by_key(hub)[key] == deal.ids.customer_id
        found = run(hub.engine, lambda c: require_reservation(c, str(deal.ids.reservation_id)))
        assert (found.state, str(found.source_key)) == ("confirmed", key)
        assert_sound(hub)
