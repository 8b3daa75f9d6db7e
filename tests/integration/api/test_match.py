"""Search before create: what is found is what storing would find, the evidence adds up, and nothing is written."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.hubs import hub_on, row_marks
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record


def ask(client: TestClient, header: dict[str, str], **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/match", headers=header, json={"entity_type": "customer"} | asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
def golden_id(client: TestClient, admin: dict[str, str]) -> str:
    """Deliver one customer from two systems, and another one."""
    first, *_ = deliver(
        client,
        admin,
        record("salesforce-emea", "001A", **MUELLER),
        record("netsuite-us", "10482", **MUELLER),
        record("netsuite-us", "10483", name="Zweigwerk Ludwigshafen AG", country="DE", city="Ludwigshafen"),
    )
    return str(first["golden_id"])


def test_a_customer_that_exists_is_found_once_with_evidence_that_adds_up(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    told = ask(client, admin, fields={"name": "Mueller und Soehne", "country": "DE", "vat_id": "DE136695976"})

    (candidate,) = told["candidates"]
    evidence = sum(step["bits"] + step["frequency_bits"] for step in candidate["evidence"])
    assert (candidate["golden_id"], candidate["verdict"], candidate["is_vetoed"]) == (golden_id, "match", False)
    assert candidate["prior_bits"] + evidence == pytest.approx(candidate["bits"])
    assert told["is_complete"]


def test_a_search_writes_nothing(client: TestClient, admin: dict[str, str], golden_id: str, engine: Engine) -> None:
    ask(client, admin, fields=MUELLER)  # the key's last use is noted once a minute
    before = row_marks(hub_on(engine))

    ask(client, admin, fields=MUELLER)

    assert row_marks(hub_on(engine)) == before


def test_what_storing_would_join_is_what_the_search_calls_a_match(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    (candidate,) = ask(client, admin, fields=MUELLER)["candidates"]

    (stored,) = deliver(client, admin, record("salesforce-emea", "new", **MUELLER))

    assert candidate["verdict"] == "match"
    assert stored["golden_id"] == candidate["golden_id"]


def test_a_contradicting_tax_id_stands_as_a_veto(client: TestClient, admin: dict[str, str], golden_id: str) -> None:
    told = ask(client, admin, fields=MUELLER | {"vat_id": "DE129273398"})

    assert all(candidate["is_vetoed"] for candidate in told["candidates"])
    (stored,) = deliver(client, admin, record("netsuite-us", "new", **(MUELLER | {"vat_id": "DE129273398"})))
    assert stored["golden_id"] != golden_id


def test_a_key_of_one_source_sees_the_records_of_that_source_alone(
    client: TestClient, admin: dict[str, str], golden_id: str, key_for: KeyFor
) -> None:
    (netsuite,) = ask(client, key_for("read@netsuite-us"), fields=MUELLER)["candidates"]
    nobody = ask(client, key_for("read:customer@kantata-us"), fields=MUELLER)
    refused = client.post("/v1/match", headers=key_for("read:project"), json={"entity_type": "customer", "fields": {}})
    elsewhere = client.post(
        "/v1/match", headers=key_for("read:project"), json={"entity_type": "customer", "fields": MUELLER}
    )

    assert netsuite["source_key"] == "netsuite-us/account:10482"
    assert nobody["candidates"] == []
    assert (refused.status_code, elsewhere.status_code) == (422, 403)


def test_a_project_is_sought_inside_its_customer(client: TestClient, admin: dict[str, str], golden_id: str) -> None:
    project = {"entity_type": "project", "source": "netsuite-us", "object": "job", "source_key": "P1"}
    fields = {"name": "Phase 2 Rollout", "customer": "10482"}
    (stored,) = deliver(client, admin, project | {"fields": fields})

    by_id = ask(client, admin, entity_type="project", fields=fields | {"customer": golden_id})
    by_key = ask(client, admin, entity_type="project", fields=fields | {"customer": "netsuite-us/account:10482"})
    by_own = ask(client, admin, entity_type="project", source="netsuite-us", fields=fields)
    alone = ask(client, admin, entity_type="project", fields={"name": "Phase 2 Rollout"})

    found = [[candidate["golden_id"] for candidate in told["candidates"]] for told in (by_id, by_key, by_own, alone)]
    assert found == [[stored["golden_id"]]] * 3 + [[]]


def test_fields_that_say_nothing_are_refused_and_unknown_ones_named(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    nothing = client.post("/v1/match", headers=admin, json={"entity_type": "customer", "fields": {"colour": "red"}})
    partly = ask(client, admin, fields=MUELLER | {"colour": "red"})

    assert (nothing.status_code, nothing.json()["errors"][0]["place"]) == (422, "fields")
    assert partly["undeclared"] == ["colour"]
    unknown = client.post("/v1/match", headers=admin, json={"entity_type": "vendr", "fields": MUELLER})
    assert unknown.json()["code"] == "entity_type_unknown"
