"""An unsafe request under an Idempotency-Key has one effect and one reply, whatever happens on the way."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import orjson
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.access.model import Attempt, Reply
from mdm.access.replies import once
from mdm.db.transaction import transaction
from mdm.failpoints import FailpointHit, armed
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, record

BODY = {"name": "sync", "scopes": ["read"]}


def keys_count(engine: Engine) -> int:
    with transaction(engine) as connection:
        return int(connection.execute(text("SELECT count(*) FROM api_key WHERE name = 'sync'")).scalar_one())


def test_a_repeat_gets_the_first_reply_without_the_secret_and_has_no_effect(
    client: TestClient, key_for: KeyFor, engine: Engine
) -> None:
    headers = key_for("admin") | {"Idempotency-Key": "one"}

    first = client.post("/v1/api-keys", headers=headers, json=BODY)
    second = client.post("/v1/api-keys", headers=headers, json=BODY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == {name: value for name, value in first.json().items() if name != "token"}
    assert keys_count(engine) == 1


def test_fifty_at_once_have_one_effect(client: TestClient, key_for: KeyFor, engine: Engine) -> None:
    headers = key_for("admin") | {"Idempotency-Key": "fifty"}

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: client.post("/v1/api-keys", headers=headers, json=BODY), range(50)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert keys_count(engine) == 1


def test_another_body_under_the_same_key_is_refused(client: TestClient, key_for: KeyFor) -> None:
    headers = key_for("admin") | {"Idempotency-Key": "two"}
    client.post("/v1/api-keys", headers=headers, json=BODY)

    answer = client.post("/v1/api-keys", headers=headers, json=BODY | {"scopes": ["write"]})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")


def test_the_same_key_of_another_caller_or_route_is_another_request(
    client: TestClient, key_for: KeyFor, engine: Engine
) -> None:
    first, second = key_for("admin"), key_for("admin")
    made = client.post("/v1/api-keys", headers=first | {"Idempotency-Key": "three"}, json=BODY).json()

    by_another = client.post("/v1/api-keys", headers=second | {"Idempotency-Key": "three"}, json=BODY)
    elsewhere = client.delete(f"/v1/api-keys/{made['id']}", headers=first | {"Idempotency-Key": "three"})

    assert (by_another.status_code, elsewhere.status_code) == (201, 200)
    assert keys_count(engine) == 2


def test_while_the_first_request_runs_a_second_is_told_to_wait(
    client: TestClient, key_for: KeyFor, engine: Engine
) -> None:
    admin = key_for("admin")
    who = client.get("/v1/api-keys", headers=admin).json()["rows"][0]["id"]
    attempt = Attempt(who, "POST /v1/api-keys", "four", b"")

    with transaction(engine) as running:
        once(running, attempt, lambda _: Reply(201, b"{}"))
        answer = client.post("/v1/api-keys", headers=admin | {"Idempotency-Key": "four"}, json=BODY)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
    assert answer.headers["retry-after"] == "1"


def test_a_refused_request_leaves_no_reply_behind(client: TestClient, key_for: KeyFor) -> None:
    headers = key_for("admin") | {"Idempotency-Key": "five"}

    refused = client.post("/v1/api-keys", headers=headers, json=BODY | {"scopes": ["reads"]})
    mended = client.post("/v1/api-keys", headers=headers, json=BODY)

    assert (refused.status_code, mended.status_code) == (422, 201)


def test_a_malformed_key_is_refused(client: TestClient, key_for: KeyFor) -> None:
    headers = key_for("admin") | {"Idempotency-Key": "x" * 256}

    answer = client.post("/v1/api-keys", headers=headers, json=BODY)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")


def test_the_reply_of_a_delivery_commits_with_its_last_chunk_or_not_at_all(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    headers = admin | {"Idempotency-Key": "six"}
    records = [record("netsuite-us", str(key), **MUELLER) for key in range(90)]  # three transactions of 40, 40 and 10
    hits = count()

    def fail_at_the_third() -> None:
        if next(hits) == 2:
            raise FailpointHit

    with armed({"survive.stored": fail_at_the_third}):
        crashed = client.post("/v1/source-records", headers=headers, json={"records": records})
    finished = client.post("/v1/source-records", headers=headers, json={"records": records})
    again = client.post("/v1/source-records", headers=headers, json={"records": records})

    assert crashed.status_code == 500
    assert [result["status"] for result in finished.json()["results"]] == ["unchanged"] * 80 + ["created"] * 10
    assert again.content == finished.content


def test_twins_of_a_delivery_have_one_effect_and_one_reply(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    headers = admin | {"Idempotency-Key": "seven"}
    body = {"records": [record("netsuite-us", "1", **MUELLER)]}

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: client.post("/v1/source-records", headers=headers, json=body), range(24)))

    replies = {answer.content for answer in answers if answer.status_code == 200}
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len(replies) == 1
    assert orjson.loads(replies.pop())["results"][0]["status"] == "created"


def test_a_repeated_decision_and_revocation_get_their_first_reply(client: TestClient, admin: dict[str, str]) -> None:
    client.post(
        "/v1/source-records",
        headers=admin,
        json={"records": [record("netsuite-us", key, name=f"Company {key}", country="DE") for key in ("1", "2")]},
    )
    body = {"left": "netsuite-us/account:1", "right": "netsuite-us/account:2", "judgement": "same", "reason": "test"}

    made = [client.post("/v1/decisions", headers=admin | {"Idempotency-Key": "a"}, json=body) for _ in range(2)]
    place = f"/v1/decisions/{made[0].json()['id']}:revoke"
    taken = [client.post(place, headers=admin | {"Idempotency-Key": "b"}) for _ in range(2)]

    assert [answer.status_code for answer in (*made, *taken)] == [200] * 4
    assert made[0].content == made[1].content
    assert taken[0].content == taken[1].content
