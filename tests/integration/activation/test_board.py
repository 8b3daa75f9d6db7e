"""What the board of deals shows: names, the oldest of each state, those that are late."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from mdm.activation.model import DealName
from mdm.activation.service import count_late, names_of, oldest_deals, recipe_of
from mdm.db.transaction import run
from tests.deals import prepare, tell
from tests.hubs import hub_on

pytestmark = pytest.mark.db


def test_an_incomplete_deal_is_named_by_what_was_told_and_the_late_are_counted(engine: Engine) -> None:
    hub = prepare(hub_on(engine))
    recipe = recipe_of(hub)
    incomplete, going = tell(hub, currency="JPY"), tell(hub, "salesforce-emea/Opportunity:8")
    allowed = recipe.time_allowed["sold"]
    age = {"age": allowed + timedelta(hours=1), "id": incomplete.id}
    with engine.begin() as connection:
        connection.execute(text("UPDATE deal SET entered_at = entered_at - CAST(:age AS interval) WHERE id = :id"), age)

    names = run(engine, lambda connection: names_of(connection, recipe, [incomplete, going]))
    oldest = run(engine, lambda connection: oldest_deals(connection, limit=5))
    late = run(engine, lambda connection: count_late(connection, recipe))

    assert names[incomplete.id] == DealName("Acme ERP rollout 2026", "Acme Logistik GmbH", "120000", "JPY")
    assert [deal.id for deal in oldest["sold"]] == [incomplete.id, going.id]
    assert late["sold"] == 1
