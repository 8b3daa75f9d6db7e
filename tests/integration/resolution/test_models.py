"""The match model that an edge names can always be looked up."""

import pytest
from sqlalchemy import text

from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, row_marks

pytestmark = pytest.mark.db


def test_an_edge_names_a_model_whose_definition_is_kept(hub: Hub) -> None:
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", codes=["x1"]) for n in (1, 2)], who="test")

    with hub.engine.connect() as connection:
        definition = connection.execute(
            text("SELECT m.definition FROM edge e JOIN match_model m ON m.version = e.model_version")
        ).scalar_one()
    assert definition["match_bits"] == 8
    assert [one["name"] for one in definition["comparisons"]] == ["code", "name"]
    assert definition["population"] == {"records_count": 0, "frequency": {}, "stop_keys": [], "generic": {}}


def test_a_model_is_kept_once(hub: Hub) -> None:
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", codes=["x1"]) for n in (1, 2)], who="test")
    before = row_marks(hub)["match_model"]

    deliver(hub, [delivery("crm-east/Account:3", "widget_hold", codes=["x1"])], who="test")

    assert row_marks(hub)["match_model"] == before
    assert len(before) == 1
