"""Deals over HTTP: told of once, seen with their steps, approved, cancelled, and counted in the metrics."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.deals import FACTS, OPPORTUNITY, bill, prepare
from tests.hubs import hub_on
from tests.integration.api.conftest import KeyFor

pytestmark = pytest.mark.db


@pytest.fixture
def firm(engine: Engine, client: TestClient, key_for: KeyFor) -> dict[str, str]:
    """Give a key for everything in a hub with the systems of the recipe."""
    prepare(hub_on(engine))
    return key_for("admin")


def tell(client: TestClient, header: dict[str, str], **changes: Any) -> Any:
    return client.post("/v1/deals", headers=header, json={"source_key": OPPORTUNITY, "fields": {**FACTS, **changes}})


def act(client: TestClient, header: dict[str, str], deal_id: str, verb: str) -> Any:
    return client.post(f"/v1/deals/{deal_id}:{verb}", headers=header)


def test_a_deal_is_seen_from_sold_to_ready_to_bill(client: TestClient, firm: dict[str, str], engine: Engine) -> None:
    told = tell(client, firm)
    assert (told.status_code, told.json()["state"], told.json()["step"]) == (200, "sold", "billing_entity")
    deal_id = told.json()["id"]
    assert tell(client, firm).json()["id"] == deal_id
    assert act(client, firm, deal_id, "approve").status_code == 409

    act(client, firm, deal_id, "retry")
    seen = client.get(f"/v1/deals/{deal_id}", headers=firm).json()
    assert (seen["state"], seen["standing"], seen["because"]) == ("activated", "waiting", "approval")
    assert [(one["name"], one["mark"]) for one in seen["steps"]][2:5] == [
        ("project", "done"),
        ("contract", "done"),
        ("approval", "at_hand"),
    ]
    assert seen["told"] == "waits until somebody approves the contract"

    bill(hub_on(engine))
    assert act(client, firm, deal_id, "approve").status_code == 200
    seen = client.get(f"/v1/deals/{deal_id}", headers=firm).json()
    assert seen["state"] == "ready_to_bill"
    assert set(seen["since"]) == {"sold", "activated", "approved", "ready_to_bill"}
    assert act(client, firm, deal_id, "cancel").status_code == 409
    assert 'mdm_deals{standing="on_its_way",state="ready_to_bill"} 1.0' in client.get("/metrics").text


def test_an_incomplete_deal_is_mended_where_other_exceptions_are(client: TestClient, firm: dict[str, str]) -> None:
    told = tell(client, firm, currency="JPY").json()
    assert told["standing"] == "incomplete"
    place = f"/v1/exceptions/{told['exception_id']}"
    waiting = client.get(place, headers=firm).json()
    assert (waiting["entity_type"], [one["code"] for one in waiting["reasons"]]) == ("deal", ["currency_not_billed"])
    listed = client.get("/v1/deals", headers=firm, params={"held_up": True}).json()["rows"]
    assert [one["id"] for one in listed] == [told["id"]]

    client.patch(place, headers=firm, json={"fields": {"currency": "EUR"}})
    assert client.post(f"{place}:replay", headers=firm).json()["status"] == "created"

    assert client.get(f"/v1/deals/{told['id']}", headers=firm).json()["standing"] == "going"


def test_a_cancelled_deal_leaves_the_lists(client: TestClient, firm: dict[str, str]) -> None:
    deal_id = tell(client, firm).json()["id"]

    act(client, firm, deal_id, "cancel")

    assert client.get(f"/v1/deals/{deal_id}", headers=firm).json()["state"] == "cancelled"
    assert client.get("/v1/deals", headers=firm).json()["rows"] == []
    assert len(client.get("/v1/deals", headers=firm, params={"state": "cancelled"}).json()["rows"]) == 1
    assert client.get("/v1/deals", headers=firm, params={"older_than_hours": 1}).json()["rows"] == []


def test_each_verb_asks_for_its_scope(client: TestClient, firm: dict[str, str], key_for: KeyFor) -> None:
    deal_id = tell(client, key_for("write:contract@salesforce-emea")).json()["id"]

    assert tell(client, key_for("write:contract@netsuite-us")).status_code == 403
    assert act(client, key_for("write"), deal_id, "approve").status_code == 403
    assert client.get(f"/v1/deals/{deal_id}", headers=key_for("read:contract@netsuite-us")).status_code == 404
    assert client.get("/v1/deals/dea_none", headers=firm).status_code == 404
