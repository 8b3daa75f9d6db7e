"""The audit log over HTTP: for administrators, page by page, in the order in which it was sealed."""

from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.history.service import seal
from tests.integration.api.conftest import KeyFor


def test_the_log_is_read_page_by_page_in_sealed_order(client: TestClient, key_for: KeyFor, engine: Engine) -> None:
    admin = key_for("admin")
    for name in ("crm-a", "crm-b"):
        added = client.post("/v1/sources", headers=admin, json={"id": name, "system": "crm", "title": name, "rank": 1})
        assert added.status_code < 300, added.text
    seal(engine)

    first = client.get("/v1/audit?limit=2", headers=admin).json()
    second = client.get("/v1/audit", headers=admin, params={"limit": 2, "after": first["next"]}).json()

    rows = [*first["rows"], *second["rows"]]
    assert [row["position"] for row in rows] == [1, 2, 3]
    assert [row["action"] for row in rows] == ["api_key.made", "source_instance.made", "source_instance.made"]
    assert [row["subject_id"] for row in rows[1:]] == ["crm-a", "crm-b"]
    assert [row["who"].split(" (")[0] for row in rows] == ["test", "test", "test"]
    assert second["next"] is None


def test_what_is_not_sealed_yet_is_told_as_such(client: TestClient, key_for: KeyFor, engine: Engine) -> None:
    admin = key_for("admin")
    seal(engine)
    steward = key_for("steward")

    (waiting,) = client.get("/v1/audit?state=unsealed", headers=admin).json()["rows"]

    assert (waiting["position"], waiting["action"]) == (None, "api_key.made")
    of_one = client.get(
        "/v1/audit", headers=admin, params={"state": "unsealed", "subject": waiting["subject_id"]}
    ).json()
    assert of_one["rows"] == [waiting]
    assert client.get("/v1/audit", headers=admin, params={"subject": waiting["subject_id"]}).json()["rows"] == []
    assert client.get("/v1/audit", headers=steward).status_code == 403


def test_a_rotation_says_who_cut_the_old_key_short(client: TestClient, key_for: KeyFor) -> None:
    admin = key_for("admin")
    made = client.post("/v1/api-keys", headers=admin, json={"name": "sync", "scopes": ["read"]}).json()
    client.post(f"/v1/api-keys/{made['id']}:rotate", headers=admin, json={"overlap_s": 60})

    told = client.get("/v1/audit", headers=admin, params={"state": "unsealed", "subject": made["id"]}).json()["rows"]

    assert [(row["action"], row["changed"]) for row in told] == [
        ("api_key.made", []),
        ("api_key.changed", ["expires_at"]),
    ]
    assert told[1]["who"] == told[0]["who"] != "role:mdm"
