"""Rules over HTTP: seen and tried by stewards, activated and taken back by leads, each with its limits."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.modelling.editing import with_lines
from mdm.modelling.model import Provenance
from mdm.modelling.service import keep_model
from tests.hubs import hub_on
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import deliver, record

pytestmark = pytest.mark.db

Header = dict[str, str]


@pytest.fixture
def version(client: TestClient, admin: Header, engine: Engine) -> str:
    """Keep a model whose match line lies at 1 bit, which two clients of one short name in one town have."""
    for source in ("salesforce-emea", "netsuite-us"):
        deliver(client, admin, record(source, "1", legal_name="Kestrel", city="Hull"))
    hub = hub_on(engine)
    customer = hub.entity_type("customer")
    made = with_lines(customer, customer.model.review_bits, 1)
    return keep_model(hub, made, Provenance("edited", "names and towns"), who="ann").version


def read(client: TestClient, header: Header, path: str, **query: Any) -> Any:
    return client.get(f"/v1/match-models{path}", headers=header, params=query)


def send(client: TestClient, header: Header, path: str, **body: Any) -> Any:
    return client.post(f"/v1/match-models{path}", headers=header, json=body)


def test_rules_are_read_compared_and_tried(client: TestClient, version: str, key_for: KeyFor) -> None:
    steward = key_for("steward")

    listed = read(client, steward, "", entity_type="customer").json()
    shown = read(client, steward, f"/{version[:8]}").json()
    differs = read(client, steward, ":diff", entity_type="customer", before="declared", after=version).json()
    tried = send(client, steward, ":try", entity_type="customer", model=version).json()

    assert listed["holds"] == {}
    assert [one["version"] for one in listed["models"] if one["origin"] == "edited"] == [version]
    assert (shown["version"], shown["match_bits"], shown["kept"]["reason"]) == (version, 1, "names and towns")
    assert "match_bits: 1" in shown["yaml"]
    assert differs["lines"] == {"match_bits": [4, 1]}
    assert (tried["before"]["joined"], tried["after"]["joined"], tried["after"]["golden_records"]) == (0, 1, 1)
    assert tried["after"]["joins"][0]["names"] == ["Kestrel"] * 2
    assert tried["reasons_against"] == []


def test_a_lead_activates_and_takes_back(client: TestClient, version: str, key_for: KeyFor) -> None:
    lead, steward = key_for("lead"), key_for("steward")
    body = {"entity_type": "customer", "model": version, "reason": "enough"}

    assert send(client, steward, ":activate", **body).status_code == 403
    done = send(client, lead, ":activate", **body).json()
    again = send(client, lead, ":activate", **body)
    back = send(client, lead, ":rollback", entity_type="customer", reason="not enough").json()

    assert (done["activation"]["number"], done["activation"]["rules"]) == (1, {"model": version})
    assert (done["rematch"]["state"], done["rematch"]["total"]) == ("running", 2)
    assert (again.status_code, again.json()["code"]) == (409, "rules_unchanged")
    assert back["activation"]["rules"] == {}
    assert read(client, steward, "", entity_type="customer").json()["holds"] == {}


def test_rules_of_other_entity_types_are_unknown(client: TestClient, version: str, key_for: KeyFor) -> None:
    projects = key_for("steward:project")

    assert read(client, projects, "", entity_type="customer").status_code == 403
    assert (found := read(client, projects, f"/{version}")).status_code == 404
    assert found.json()["code"] == "match_model_unknown"
    assert send(client, projects, ":try", entity_type="customer", model=version).status_code == 403
    assert read(client, key_for("read"), "", entity_type="customer").status_code == 403
