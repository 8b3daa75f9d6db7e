"""Deals over HTTP: told of once, seen with their steps, approved, cancelled, and counted in the metrics."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text
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

    told_of = client.get("/metrics").text
    assert 'mdm_deals{standing="held_up",state="sold"} 1.0' in told_of
    assert 'mdm_deals_at_step{standing="incomplete",state="sold",step="validate"} 1.0' in told_of

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


def test_the_step_that_fails_is_in_the_metrics_with_age_and_lateness(
    client: TestClient, engine: Engine, firm: dict[str, str]
) -> None:
    deal_id = tell(client, firm).json()["id"]
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE deal SET state = 'activated', step = 'approval', standing = 'failing',"
                " entered_at = entered_at - interval '80 hours', since = since || jsonb_build_object('activated',"
                " entered_at - interval '80 hours') WHERE id = :id"
            ),
            {"id": deal_id},
        )

    families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}

    def of(name: str, *labels: str) -> dict[tuple[str, ...], float]:
        return {tuple(one.labels[label] for label in labels): one.value for one in families[name].samples}

    assert of("mdm_deals_at_step", "state", "step", "standing") == {("activated", "approval", "failing"): 1}
    assert of("mdm_deals", "state", "standing")["activated", "held_up"] == 1
    assert of("mdm_deals_oldest_seconds", "state")["activated",] == pytest.approx(80 * 3_600, abs=60)
    assert of("mdm_deals_late", "state") == {
        ("sold",): 0,
        ("activated",): 1,  # for longer than 72 hours
        ("approved",): 0,
        ("ready_to_bill",): 0,
    }

    act(client, firm, deal_id, "cancel")
    assert 'standing="failing"' not in client.get("/metrics").text
