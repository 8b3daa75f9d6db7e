"""The match model that an edge names can always be looked up."""

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.resolution.service import keep_models
from mdm.settings import Settings
from tests.hubs import delivery, row_marks

pytestmark = pytest.mark.db


def test_opening_the_hub_keeps_the_model_of_every_entity_type(database_url: str) -> None:
    with open_hub(Settings(), database_url) as hub, hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT entity_type, version FROM match_model"))

        assert dict(tuple(row) for row in rows) == {name: one.model.version for name, one in hub.declared.items()}


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
    before = row_marks(hub)["match_model"]

    run(hub.engine, lambda connection: keep_models(connection, hub.declared.values(), who="test"))

    assert row_marks(hub)["match_model"] == before
