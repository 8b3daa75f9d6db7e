"""API keys over HTTP: shown once, hashed, scoped, rotated, and revoked within a second everywhere."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.db.transaction import transaction
from mdm.settings import Settings
from tests.integration.api.conftest import KeyFor, serving


def make(client: TestClient, admin: dict[str, str], **body: object) -> dict[str, str]:
    answer = client.post("/v1/api-keys", headers=admin, json={"name": "sync", "scopes": ["read"]} | body)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_is_shown_once_and_stands_in_no_table(client: TestClient, key_for: KeyFor, engine: Engine) -> None:
    admin = key_for("admin")

    made = make(client, admin)

    secret = made["token"].split("_", 2)[2]
    listed = client.get("/v1/api-keys", headers=admin)
    assert secret not in listed.text
    assert made["id"] in listed.text
    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT api_key::text FROM api_key")).scalars().all()
        kept = connection.execute(text("SELECT idempotency_record::text FROM idempotency_record")).scalars().all()
    assert not any(secret in row or secret.encode().hex() in row for row in (*rows, *kept))


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Basic bWRt"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer mdm_x_y"},
        {"Authorization": "Bearer " + "mdm_" + "0" * 26 + "_" + "a" * 43},
        {"Authorization": "Bearer ' OR 1=1 --"},
    ],
)
def test_without_a_good_key_nothing_is_told(client: TestClient, header: dict[str, str]) -> None:
    answer = client.get("/v1/api-keys", headers=header)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


def test_a_secret_of_another_key_does_not_open_this_one(client: TestClient, key_for: KeyFor) -> None:
    first, second = key_for("admin")["Authorization"].split("_", 2), key_for("admin")["Authorization"].split("_", 2)

    answer = client.get("/v1/api-keys", headers={"Authorization": "_".join([*first[:2], second[2]])})

    assert answer.status_code == 401


def test_a_key_without_the_scope_is_told_which_one_is_missing(client: TestClient, key_for: KeyFor) -> None:
    answer = client.get("/v1/api-keys", headers=key_for("read", "write", "steward"))

    assert answer.status_code == 403
    assert "admin" in answer.json()["detail"]


def test_an_expired_key_is_refused(client: TestClient, key_for: KeyFor) -> None:
    made = make(client, key_for("admin"), scopes=["admin"], expires_at="2020-01-01T00:00:00Z")

    assert client.get("/v1/api-keys", headers=bearer(made["token"])).status_code == 401


def test_revoking_a_key_takes_effect_in_another_process_within_a_second(
    client: TestClient, settings: Settings, key_for: KeyFor
) -> None:
    admin = key_for("admin")
    made = make(client, admin, scopes=["admin"])
    with serving(settings) as elsewhere:
        assert elsewhere.get("/v1/api-keys", headers=bearer(made["token"])).status_code == 200

        assert client.delete(f"/v1/api-keys/{made['id']}", headers=admin).json()["revoked_by"]

        revoked_at = time.monotonic()
        while elsewhere.get("/v1/api-keys", headers=bearer(made["token"])).status_code == 200:
            assert time.monotonic() - revoked_at < 2
            time.sleep(0.02)
        assert time.monotonic() - revoked_at < 1


def test_requests_that_miss_a_key_together_read_it_once(client: TestClient, key_for: KeyFor, engine: Engine) -> None:
    """Else every open connection asks for the same key each half second."""
    reader = key_for("read")
    look_up = "/v1/crosswalk?source=nowhere&source_key=1"
    waiting = text("SELECT count(*) FROM pg_locks WHERE relation = 'api_key'::regclass AND NOT granted")

    with ThreadPoolExecutor(4) as threads:
        with transaction(engine) as connection:
            connection.execute(text("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE"))
            asked = [threads.submit(client.get, look_up, headers=reader) for _ in range(4)]
            while connection.execute(waiting).scalar_one() == 0:
                time.sleep(0.01)
            time.sleep(0.1)
            assert connection.execute(waiting).scalar_one() == 1

        assert [one.result().json()["code"] for one in asked] == ["source_unknown"] * 4


def test_revoking_again_changes_nothing_and_an_unknown_key_is_not_found(client: TestClient, key_for: KeyFor) -> None:
    admin = key_for("admin")
    made = make(client, admin)

    first = client.delete(f"/v1/api-keys/{made['id']}", headers=admin)
    second = client.delete(f"/v1/api-keys/{made['id']}", headers=admin)

    assert first.json() == second.json()
    assert client.delete("/v1/api-keys/key_unknown", headers=admin).json()["code"] == "api_key_unknown"


def test_rotation_makes_a_successor_with_the_same_scopes_and_ends_the_old_key(
    client: TestClient, key_for: KeyFor
) -> None:
    admin = key_for("admin")
    old = make(client, admin, scopes=["admin"])

    at_once = client.post(f"/v1/api-keys/{old['id']}:rotate", headers=admin, json={}).json()
    later = client.post(f"/v1/api-keys/{at_once['id']}:rotate", headers=admin, json={"overlap_s": 60}).json()

    statuses = [client.get("/v1/api-keys", headers=bearer(key["token"])).status_code for key in (old, at_once, later)]
    assert statuses == [401, 200, 200]
    assert later["scopes"] == ["admin"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": ["reads"]}, "scopes"),
        ({"name": "x", "scopes": ["admin:customer"]}, "scopes"),
        ({"name": " ", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2026-01-01T00:00:00"}, "/expires_at"),
        ({"name": "x", "scopes": ["read"], "colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_request_names_the_place(
    client: TestClient, key_for: KeyFor, body: dict[str, object], place: str
) -> None:
    answer = client.post("/v1/api-keys", headers=key_for("admin"), json=body)

    assert answer.status_code == 422
    assert [fault["place"] for fault in answer.json()["errors"]] == [place]
