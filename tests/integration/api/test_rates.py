"""Nobody asks more than their rates, whichever process they ask, and what the headers say is what happens."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.access.rates import FORGOTTEN_AFTER, LEASE_S, forget_buckets
from mdm.access.service import create_key
from mdm.db.transaction import transaction
from mdm.settings import Settings
from tests.databases import execute
from tests.integration.api.conftest import serving
from tests.integration.api.records import MUELLER, record

READ = "/v1/sources"
GOLDEN = "/v1/golden-records/cus_nobody"  # a hot route; the id was never given out


def key_with(engine: Engine, *rates: str) -> dict[str, str]:
    with transaction(engine) as connection:
        made = create_key(connection, name="test", scopes=["admin"], by="test", rates=rates)
    return {"Authorization": f"Bearer {made.token}"}


def limits(answer: Any) -> dict[str, tuple[int, int]]:
    """Read the RateLimit header: of each rate what remains, and the seconds after which there is more."""
    found = re.findall(r'"(\w+)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert ", ".join(f'"{name}";r={rest};t={more}' for name, rest, more in found) == answer.headers["ratelimit"]
    return {name: (int(rest), int(more)) for name, rest, more in found}


@pytest.fixture
def processes(settings: Settings) -> Iterator[tuple[TestClient, TestClient]]:
    """Give two applications on one database that share nothing else, as two processes would."""
    with ExitStack() as running:
        yield running.enter_context(serving(settings)), running.enter_context(serving(settings))


def test_a_burst_ends_with_the_quota_and_every_answer_told_what_was_left(client: TestClient, engine: Engine) -> None:
    key = key_with(engine, "read=20/6000")

    answers = [client.get(READ, headers=key) for _ in range(22)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 2
    assert [limits(answer)["read"][0] for answer in answers] == [*range(19, -1, -1), 0, 0]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"read";q=20;w=6000'}
    assert all(0 < limits(answer)["read"][1] <= 300 for answer in answers)  # a token comes back every 300 seconds
    for refused in answers[20:]:
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.json()["code"], refused.json()["violated-policies"]) == ("rate_exceeded", ["read"])
        assert int(refused.headers["retry-after"]) == limits(refused)["read"][1]


def test_whoever_waits_as_told_is_served_again(client: TestClient, engine: Engine) -> None:
    key = key_with(engine, "read=4/4")
    asked = (client.get(READ, headers=key) for _ in range(100))
    refused = next(answer for answer in asked if answer.status_code == 429)

    time.sleep(int(refused.headers["retry-after"]))

    assert refused.headers["retry-after"] == "1"
    assert client.get(READ, headers=key).status_code == 200


def test_hot_reads_are_counted_as_any_other_and_refusals_too(client: TestClient, engine: Engine) -> None:
    key = key_with(engine, "read=6/6000")
    asked = [GOLDEN, "/v1/crosswalk?source=nobody&source_key=1", "/v1/crosswalk", READ, "/v1/reviews/rev_none", GOLDEN]

    answers = [client.get(place, headers=key) for place in asked]

    assert [answer.status_code for answer in answers] == [404, 404, 422, 200, 404, 404]
    assert [limits(answer)["read"][0] for answer in answers] == [5, 4, 3, 2, 1, 0]
    refused = client.get(GOLDEN, headers=key)
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")


def test_two_callers_have_a_bucket_each_and_reads_and_writes_too(client: TestClient, engine: Engine) -> None:
    first, second = key_with(engine, "read=3/6000", "write=2/6000"), key_with(engine, "read=3/6000")
    body = {"id": "netsuite-us", "system": "netsuite", "title": "NetSuite"}

    spent = [client.get(READ, headers=first).status_code for _ in range(4)]
    written = [client.post("/v1/sources", headers=first, json=body).status_code for _ in range(3)]
    other = [client.get(READ, headers=second).status_code for _ in range(3)]

    assert (spent, written, other) == ([200] * 3 + [429], [200] * 2 + [429], [200] * 3)


def test_a_bulk_request_costs_as_many_tokens_as_it_has_entries(client: TestClient, engine: Engine) -> None:
    key = key_with(engine, "bulk_read=100/6000", "bulk_write=50/6000", "read=10/6000")
    keys = [{"source": "netsuite-us", "source_key": str(number)} for number in range(60)]
    body = {"id": "netsuite-us", "system": "netsuite", "title": "NetSuite"}
    client.post("/v1/sources", headers=key, json=body)

    def resolve(count: int) -> Any:
        return client.post("/v1/crosswalk:resolve", headers=key, json={"keys": keys[:count]})

    first, beyond, within = resolve(60), resolve(41), resolve(40)
    records = {"records": [record("netsuite-us", str(number), **MUELLER) for number in range(51)]}
    too_many = client.post("/v1/source-records", headers=key, json=records)

    assert [answer.status_code for answer in (first, beyond, within, too_many)] == [200, 429, 200, 413]
    assert first.headers["ratelimit-policy"] == '"read";q=10;w=6000, "bulk_read";q=100;w=6000;mdm-unit="keys"'
    assert [limits(answer)["bulk_read"][0] for answer in (first, beyond, within)] == [40, 40, 0]
    assert [limits(answer)["read"][0] for answer in (first, beyond, within)] == [9, 8, 7]
    assert 0 < int(beyond.headers["retry-after"]) <= 60  # one token of 100 in 6,000 s
    assert beyond.json()["violated-policies"] == ["bulk_read"]
    assert "51 records in one request, and 50 in 6000 s are allowed" in too_many.json()["detail"]


def test_two_processes_together_give_no_more_than_the_quota(
    processes: tuple[TestClient, TestClient], engine: Engine
) -> None:
    warm = key_with(engine)
    for client in processes:  # FastAPI makes a route ready at its first request, which two threads must not do at once
        client.get(READ, headers=warm)
    key = key_with(engine, "read=200/6000")  # a token every thirty seconds

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda number: processes[number % 2].get(READ, headers=key), range(300)))
    told = Counter(answer.status_code for answer in answers)

    # What lies with a process that was not asked for it is given out, or given back, a second later.
    assert set(told) == {200, 429}
    assert told[200] <= 200
    time.sleep(LEASE_S)
    rest = [processes[number % 2].get(READ, headers=key).status_code for number in range(300 - told[200])]
    assert told[200] + rest.count(200) in {200, 201}


def test_what_one_process_gave_out_the_other_knows_within_a_second(
    processes: tuple[TestClient, TestClient], engine: Engine
) -> None:
    key = key_with(engine, "read=40/6000")
    first, second = processes
    assert limits(second.get(READ, headers=key))["read"][0] == 39

    spent = [first.get(READ, headers=key).status_code for _ in range(45)]
    time.sleep(LEASE_S)
    left = limits(second.get(READ, headers=key))["read"][0]

    assert spent.count(200) + left in {38, 39}  # one token at most lay with the second process, and came back


def test_buckets_are_filled_by_the_clock_of_the_database(
    processes: tuple[TestClient, TestClient], engine: Engine
) -> None:
    key = key_with(engine, "read=10/1000")
    assert [processes[0].get(READ, headers=key).status_code for _ in range(11)] == [200] * 10 + [429]

    with transaction(engine) as connection:  # as if 400 seconds had passed there: four tokens
        connection.execute(text("UPDATE rate_bucket SET recorded_at = recorded_at - interval '400 seconds'"))
    later = [processes[1].get(READ, headers=key).status_code for _ in range(6)]

    assert later.count(200) in {4, 5}
    assert later == sorted(later)


def test_a_clock_set_back_fills_nothing_and_takes_nothing(client: TestClient, engine: Engine) -> None:
    key = key_with(engine, "read=1000/600")
    client.get(READ, headers=key)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE rate_bucket SET recorded_at = recorded_at + interval '1 hour'"))

    time.sleep(LEASE_S)
    answer = client.get(READ, headers=key)

    assert (answer.status_code, limits(answer)["read"][0]) == (200, 998)


def test_where_nobody_can_count_changes_are_refused_and_reads_go_on(fresh_database: str) -> None:
    with serving(Settings(database_url=fresh_database, pool_size=4, rate_read="60/60", log_level="error")) as client:
        with transaction(client.app.state.opened.hub.engine) as connection:  # type: ignore[attr-defined]
            made = create_key(connection, name="test", scopes=["admin"], by="test")
        key = {"Authorization": f"Bearer {made.token}"}
        body = {"id": "netsuite-us", "system": "netsuite", "title": "NetSuite"}
        execute(fresh_database, "DROP TABLE rate_bucket")

        written = client.post("/v1/sources", headers=key, json=body)
        read = [client.get(READ, headers=key) for _ in range(20)]

    assert (written.status_code, written.json()["code"], written.headers["retry-after"]) == (
        503,
        "database_unavailable",
        "1",
    )
    # 60 in 60 s are one in a second, and that many each process lets through by itself.
    assert (read[0].status_code, read[0].json()) == (200, {"rows": []})  # and nothing was registered
    assert {answer.status_code for answer in read} == {200, 429}


def test_a_bucket_is_forgotten_once_it_is_full_for_sure(client: TestClient, engine: Engine) -> None:
    key, idle = key_with(engine), key_with(engine)
    client.get(READ, headers=idle)
    with transaction(engine) as connection:
        age = {"age": FORGOTTEN_AFTER}
        connection.execute(text("UPDATE rate_bucket SET recorded_at = recorded_at - CAST(:age AS interval)"), age)
    client.get(READ, headers=key)

    with transaction(engine) as connection:
        assert forget_buckets(connection) == 1
        assert connection.execute(text("SELECT count(*) FROM rate_bucket")).scalar_one() == 1


def test_a_key_keeps_its_own_rates_through_a_rotation_and_tells_them(client: TestClient, engine: Engine) -> None:
    admin = key_with(engine)
    body = {"name": "sync", "scopes": ["read"], "rates": ["bulk_read=10/1", "read=5/60"]}

    made = client.post("/v1/api-keys", headers=admin, json=body).json()
    rotated = client.post(f"/v1/api-keys/{made['id']}:rotate", headers=admin, json={}).json()
    refused = client.post("/v1/api-keys", headers=admin, json=body | {"rates": ["read=fast"]})

    assert made["rates"] == rotated["rates"] == ["read=5/60", "bulk_read=10/1"]
    asked = client.get(READ, headers={"Authorization": f"Bearer {rotated['token']}"})
    assert asked.headers["ratelimit-policy"] == '"read";q=5;w=60'
    assert (refused.status_code, refused.json()["errors"][0]["place"]) == (422, "rates")
