"""Overrides and relations over HTTP: set, cleared, listed, refused when the golden record moved, and done once."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.hubs import assert_sound, hub_on
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record

Header = dict[str, str]


@pytest.fixture
def golden_id(client: TestClient, admin: Header) -> str:
    (result,) = deliver(client, admin, record("salesforce-emea", "001A", **MUELLER))
    return str(result["golden_id"])


def put(client: TestClient, header: Header, golden_id: str, attribute: str = "legal_name", **body: Any) -> Any:
    query, headers = body.pop("query", {}), {**header, **body.pop("headers", {})}
    asked = {"value": "Müller AG", "reason": "register extract", **body}
    path = f"/v1/golden-records/{golden_id}/overrides/{attribute}"
    return client.put(path, headers=headers, params=query, json=asked)


def clear(client: TestClient, header: Header, golden_id: str, attribute: str = "legal_name", **more: Any) -> Any:
    path = f"/v1/golden-records/{golden_id}/overrides/{attribute}"
    return client.delete(path, headers={**header, **more.pop("headers", {})}, params=more)


def shown(client: TestClient, header: Header, golden_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/golden-records/{golden_id}", headers=header)
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "etag": answer.headers["etag"]}


def test_set_list_and_clear(client: TestClient, admin: Header, golden_id: str, engine: Engine) -> None:
    before = shown(client, admin, golden_id)

    made = put(client, admin, golden_id)

    told = made.json()
    assert made.status_code == 200, made.text
    assert (told["is_changed"], told["changed"], told["ended"]) == (True, ["legal_name"], [])
    assert "Müller" not in made.text
    after = shown(client, admin, golden_id)
    assert (after["values"]["legal_name"], after["version"]) == ("Müller AG", told["version"])
    assert made.headers["etag"] == after["etag"] != before["etag"]
    (row,) = client.get(f"/v1/golden-records/{golden_id}/overrides", headers=admin).json()["rows"]
    assert (row["id"], row["value"], row["state"], row["term"]) == (
        told["made"][0],
        "Müller AG",
        "in_force",
        "for_ever",
    )
    assert row["record_key"] == "salesforce-emea/account:001A"
    assert client.get("/v1/overrides", headers=admin).json()["rows"] == [row]

    cleared = clear(client, admin, golden_id).json()
    assert cleared["ended"] == told["made"]
    assert shown(client, admin, golden_id)["values"] == before["values"]
    assert not clear(client, admin, golden_id).json()["is_changed"]
    assert client.get("/v1/overrides", headers=admin).json() == {"rows": []}
    (ended,) = client.get("/v1/overrides?state=ended", headers=admin).json()["rows"]
    assert ended["ended_event_id"].startswith("evt_")
    assert_sound(hub_on(engine))


def test_a_stale_etag_is_refused_and_the_present_one_is_taken(
    client: TestClient, admin: Header, golden_id: str
) -> None:
    stale = {"If-Match": shown(client, admin, golden_id)["etag"]}
    put(client, admin, golden_id, "trading_names", value=["Müller"])

    refused = put(client, admin, golden_id, headers=stale)

    assert (refused.status_code, refused.json()["code"]) == (412, "version_outdated")
    assert clear(client, admin, golden_id, "trading_names", headers=stale).status_code == 412
    fresh = {"If-Match": shown(client, admin, golden_id)["etag"]}
    assert put(client, admin, golden_id, headers=fresh).status_code == 200
    assert put(client, admin, golden_id, value="X AG", headers={"If-Match": "*"}).status_code == 200
    assert put(client, admin, golden_id, headers={"If-Match": "7"}).status_code == 422


def test_the_tag_of_a_survivor_is_good_under_the_forwarded_id(
    client: TestClient, admin: Header, golden_id: str
) -> None:
    (other,) = deliver(client, admin, record("netsuite-us", "7", name="Northwind Ltd", country="GB"))
    decision = {"left": "salesforce-emea/account:001A", "right": "netsuite-us/account:7", "judgement": "same"}
    before = {id_: shown(client, admin, id_)["etag"] for id_ in (golden_id, other["golden_id"])}
    client.post("/v1/decisions", headers=admin, json={**decision, "reason": "bought"})
    survivor = shown(client, admin, golden_id)["id"]
    forwarded = ({golden_id, other["golden_id"]} - {survivor}).pop()

    assert put(client, admin, forwarded, headers={"If-Match": before[forwarded]}).status_code == 412
    tag = shown(client, admin, forwarded)["etag"]
    assert put(client, admin, forwarded, headers={"If-Match": tag}).json()["golden_id"] == survivor


def test_a_dry_run_tells_the_values_and_changes_nothing(client: TestClient, admin: Header, golden_id: str) -> None:
    before = shown(client, admin, golden_id)

    told = put(client, admin, golden_id, query={"dry_run": "true"}).json()

    assert told["before"] == {"legal_name": "Müller & Söhne GmbH"}
    assert told["after"] == {"legal_name": "Müller AG"}
    assert told["version"] == before["version"] + 1
    assert shown(client, admin, golden_id) == before
    blank = put(client, admin, golden_id, "city", value=None, query={"dry_run": "true"}).json()
    assert (blank["before"], blank["after"]) == ({"city": "Köln"}, {"city": None})
    put(client, admin, golden_id)
    assert clear(client, admin, golden_id, dry_run="true").json()["after"] == told["before"]
    assert shown(client, admin, golden_id)["values"]["legal_name"] == "Müller AG"


def test_a_repeat_under_the_same_key_gets_the_first_reply(client: TestClient, admin: Header, golden_id: str) -> None:
    once = {"Idempotency-Key": "one", "If-Match": shown(client, admin, golden_id)["etag"]}

    first, second = (put(client, admin, golden_id, headers=once) for _ in range(2))

    assert (second.status_code, second.content, second.headers["etag"]) == (200, first.content, first.headers["etag"])
    assert len(client.get("/v1/overrides", headers=admin).json()["rows"]) == 1


def test_newer_evidence_is_listed(client: TestClient, admin: Header, golden_id: str) -> None:
    put(client, admin, golden_id)
    assert client.get("/v1/overrides?state=masks_newer", headers=admin).json()["rows"] == []
    deliver(client, admin, record("salesforce-emea", "001A", **(MUELLER | {"name": "Müller Holding SE"})))

    (row,) = client.get("/v1/overrides?state=masks_newer&entity_type=customer", headers=admin).json()["rows"]

    assert (row["golden_id"], row["newer_record_keys"]) == (golden_id, ["salesforce-emea/account:001A"])


def test_a_malformed_override_is_refused_with_its_place(client: TestClient, admin: Header, golden_id: str) -> None:
    past, zoneless, yearless = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00", "9999-12-31T23:59:59-12:00"
    cases: list[tuple[str, dict[str, Any], tuple[int, str, str]]] = [
        ("country", {"value": "Deutschlnd"}, (422, "input_invalid", "value")),
        ("legal_name", {"term": "until"}, (422, "input_invalid", "until")),
        ("legal_name", {"term": "until", "until": past}, (422, "input_invalid", "until")),
        ("legal_name", {"term": "until", "until": zoneless}, (422, "request_invalid", "/until")),
        ("legal_name", {"term": "until", "until": yearless}, (422, "request_invalid", "/until")),
        ("legal_name", {"reason": ""}, (422, "request_invalid", "/reason")),
        ("legal_name", {"term": "sometimes"}, (422, "request_invalid", "/term")),
        ("parent", {"value": "salesforce-emea/account:002"}, (422, "input_invalid", "attribute")),
    ]
    for attribute, body, expected in cases:
        answer = put(client, admin, golden_id, attribute, **body)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["errors"][0]["place"]) == expected, problem
    unknown = put(client, admin, golden_id, "legal_nmae")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "attribute_unknown")
    assert unknown.json()["remedy"] == "did you mean legal_name?"
    assert client.get("/v1/overrides", headers=admin).json() == {"rows": []}


def test_what_a_key_may_not_do_is_refused(client: TestClient, admin: Header, golden_id: str, key_for: KeyFor) -> None:
    put(client, admin, golden_id)
    readers, projects = key_for("read"), key_for("steward:project")

    assert put(client, readers, golden_id).status_code == 403
    assert put(client, projects, golden_id).status_code == 403
    assert client.get(f"/v1/golden-records/{golden_id}/overrides", headers=projects).status_code == 404
    assert client.get("/v1/overrides", headers=projects).json() == {"rows": []}
    assert client.get("/v1/overrides?entity_type=customer", headers=projects).status_code == 403
    assert put(client, key_for("steward:customer"), golden_id, value="Other AG").status_code == 200
    assert put(client, admin, "cus_none").json()["code"] == "golden_record_unknown"


def test_relations_are_listed_from_both_sides_for_a_day(
    client: TestClient, admin: Header, golden_id: str, key_for: KeyFor
) -> None:
    (other,) = deliver(client, admin, record("netsuite-us", "7", name="Northwind Ltd", country="GB"))
    body = {
        "left": "salesforce-emea/account:001A",
        "right": "netsuite-us/account:7",
        "judgement": "related",
        "relation": "parent_of",
        "reason": "annual report",
        "valid_from": "2024-01-01",
    }
    made = client.post("/v1/decisions", headers=admin, json=body)
    assert made.status_code == 200, made.text

    def read(id_: str, **query: str) -> Any:
        return client.get(f"/v1/golden-records/{id_}/relations", headers=admin, params=query)

    (down,), (up,) = read(golden_id).json()["rows"], read(other["golden_id"]).json()["rows"]
    assert (down["relation"], down["golden_id"]) == ("parent_of", other["golden_id"])
    assert (up["relation"], up["golden_id"], up["own_key"]) == ("child_of", golden_id, "netsuite-us/account:7")
    assert (up["decision_id"], up["valid_from"], up["state"]) == (made.json()["id"], "2024-01-01", "in_force")
    assert len(read(golden_id, valid_at="2024-01-01").json()["rows"]) == 1
    assert read(golden_id, valid_at="2023-12-31").json()["rows"] == []
    assert read(golden_id, valid_at="soon").json()["errors"][0]["place"] == "query valid_at"
    assert read("cus_none").status_code == 404
    hidden = client.get(f"/v1/golden-records/{golden_id}/relations", headers=key_for("read:project"))
    assert hidden.status_code == 404

    back = {**body, "left": body["right"], "right": body["left"], "valid_from": "2025-01-01"}
    refused = client.post("/v1/decisions", headers=admin, json=back)
    assert (refused.status_code, refused.json()["code"]) == (409, "decision_contradicts")
