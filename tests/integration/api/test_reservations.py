"""Idempotent create over HTTP: who is told what, who may end a reservation, what is repeated."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.api.conftest import KeyFor

pytestmark = pytest.mark.db

ASKED = {
    "entity_type": "customer",
    "source": "netsuite-us",
    "fields": {"name": "Acme Logistik GmbH", "country": "DE", "vat number": "DE136695976"},
}


def ask(client: TestClient, header: dict[str, str], **more: Any) -> Any:
    return client.post("/v1/resolve-or-reserve", headers=header, json={**ASKED, **more})


def test_one_is_told_to_create_and_the_others_to_wait(
    client: TestClient, admin: dict[str, str], key_for: KeyFor
) -> None:
    first = ask(client, key_for("write:customer@netsuite-us", "read"))
    second = ask(client, key_for("write:customer@netsuite-us", "read"))

    told, others = first.json(), second.json()
    assert (first.status_code, told["status"], told["is_new"]) == (200, "reserved", True)
    assert "retry-after" not in first.headers
    assert (others["status"], others["golden_id"], others["keys"]) == ("existing", told["golden_id"], [])
    assert others["reservation"]["id"] == told["reservation"]["id"]
    assert second.headers["retry-after"] == "5"
    assert others["candidates"][0]["evidence"]


def test_a_repeat_of_the_same_key_gets_the_same_bytes(client: TestClient, admin: dict[str, str]) -> None:
    header = {**admin, "Idempotency-Key": "one"}

    assert ask(client, header).content == ask(client, header).content
    assert ask(client, admin).json()["status"] == "existing"


def test_confirmed_it_exists_with_its_key(client: TestClient, admin: dict[str, str]) -> None:
    told = ask(client, admin).json()
    path = f"/v1/reservations/{told['reservation']['id']}"

    confirmed = client.post(f"{path}:confirm", headers=admin, json={"source_key": "netsuite-us/customer:4711"})

    assert confirmed.json()["golden_id"] == told["golden_id"]
    assert client.get(path, headers=admin).json()["state"] == "confirmed"
    later = ask(client, admin).json()
    assert (later["status"], later["keys"]) == ("existing", ["netsuite-us/customer:4711"])
    found = client.get("/v1/crosswalk", headers=admin, params={"golden_id": told["golden_id"], "to": "netsuite-us"})
    assert "4711" in found.text
    assert client.post(f"{path}:abandon", headers=admin).status_code == 409


def test_only_its_holder_or_a_steward_ends_it(client: TestClient, admin: dict[str, str], key_for: KeyFor) -> None:
    holder = key_for("write:customer@netsuite-us")
    path = f"/v1/reservations/{ask(client, holder).json()['reservation']['id']}:abandon"

    assert client.post(path, headers=key_for("write:customer@netsuite-us")).status_code == 403
    assert client.post(path, headers=key_for("write:customer@salesforce-emea")).status_code == 404
    assert client.post(path, headers=holder).json()["state"] == "abandoned"
    again = ask(client, holder).json()["reservation"]["id"]
    steward = key_for("write", "steward")
    assert client.post(f"/v1/reservations/{again}:abandon", headers=steward).json()["state"] == "abandoned"
    listed = client.get("/v1/reservations", headers=admin, params={"state": "abandoned"}).json()["rows"]
    assert len(listed) == 2


def test_evidence_is_kept_from_those_who_may_not_read(
    client: TestClient, admin: dict[str, str], key_for: KeyFor
) -> None:
    ask(client, admin)

    told = ask(client, key_for("write:customer@netsuite-us")).json()

    assert (told["status"], told["candidates"]) == ("existing", [])


def test_every_fault_of_the_fields_is_told_at_its_place(client: TestClient, admin: dict[str, str]) -> None:
    refused = ask(client, admin, fields={"country": "DE"})

    assert (refused.status_code, refused.json()["code"]) == (422, "fields_rejected")
    assert [fault["code"] for fault in refused.json()["errors"]] == ["legal_name_missing"]
    assert ask(client, admin, source="hub").status_code == 422
    assert ask(client, admin, source="sap-one").status_code == 404
