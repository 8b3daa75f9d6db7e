"""Records to deliver over HTTP, and how tests deliver them."""

from typing import Any

from starlette.testclient import TestClient

MUELLER = {"name": "Müller & Söhne GmbH", "country": "DE", "vat_id": "DE136695976", "city": "Köln"}


def record(source: str, key: str, **fields: object) -> dict[str, Any]:
    return {"entity_type": "customer", "source": source, "object": "account", "source_key": key, "fields": fields}


def deliver(client: TestClient, header: dict[str, str], *records: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/v1/source-records", headers=header, json={"records": records})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results
