"""Source instances over HTTP: the system is folded, told when strange, and can be corrected."""

from starlette.testclient import TestClient

from tests.integration.api.conftest import KeyFor


def test_a_system_is_folded_told_and_corrected(client: TestClient, key_for: KeyFor) -> None:
    header = key_for("admin")
    body = {"id": "x1", "system": "Salesforc", "title": "Ours"}

    first = client.post("/v1/sources", headers=header, json=body).json()
    second = client.post("/v1/sources", headers=header, json=body | {"system": " Salesforce"}).json()
    third = client.post("/v1/sources", headers=header, json=body | {"system": "salesforce"}).json()

    assert [one["system"] for one in (first, second, third)] == ["salesforc", "salesforce", "salesforce"]
    assert [warning["code"] for warning in first["warnings"]] == ["system_unnamed"]
    assert first["warnings"][0]["remedy"] == "did you mean salesforce?"
    assert [warning["code"] for warning in second["warnings"]] == ["system_corrected"]
    assert third["warnings"] == []
    assert [one["system"] for one in client.get("/v1/sources", headers=header).json()["rows"]] == ["salesforce"]
