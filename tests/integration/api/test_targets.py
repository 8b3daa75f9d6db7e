"""Targets over HTTP: declared, looked at, steered, and seen only by those who may see all that they are told of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.connectors.model import Failure
from mdm.db.transaction import run
from mdm.delivery.lanes import note_unopened
from mdm.delivery.relay import Relay, relay_to_records
from mdm.delivery.targets import end_backfill, require_declaration
from tests.hubs import hub_on
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import deliver, record
from tests.targets import Shelf

pytestmark = pytest.mark.db

BOOKS: dict[str, Any] = {
    "target": "books",
    "title": "The books",
    "kind": "records",
    "connection": {"connector": "record_api", "url": "http://127.0.0.1:1", "secret": "MDM_SECRET_BOOKS"},
    "instance": "netsuite-us",
    "records": {"customer": {"object": "customer", "creates": True, "fields": {"legal_name": {"field": "name"}}}},
}
Headers = dict[str, str]
Tell = Callable[..., None]


@pytest.fixture
def declared(client: TestClient, admin: Headers) -> Headers:
    """Declare a target that has yet to be told of three golden records."""
    deliver(client, admin, *(record("salesforce-emea", name, name=name) for name in ("Acme", "Bolt", "Cask")))
    assert client.put("/v1/targets/books", headers=admin, json=BOOKS).status_code == 200
    return admin


@pytest.fixture
def tell(engine: Engine) -> Tell:
    """Give a function that tells the target what is due, failing so many times first."""

    def act(*failures: Failure) -> None:
        declaration = run(engine, lambda connection: require_declaration(connection, "books"))
        run(engine, lambda connection: end_backfill(connection, "books", who="test"))
        relay: Relay = relay_to_records(hub_on(engine), declaration, Shelf(failing=list(failures)))
        relay.drain()

    return act


def test_a_declaration_is_looked_at_applied_once_and_read(client: TestClient, declared: Headers) -> None:
    changed = BOOKS | {"title": "The books of the US"}
    dry = client.put("/v1/targets/books?dry_run=true", headers=declared, json=changed).json()
    once = declared | {"Idempotency-Key": "one"}
    first = client.put("/v1/targets/books", headers=once, json=changed).json()
    second = client.put("/v1/targets/books", headers=once, json=changed).json()

    difference = {"place": "title", "before": "The books", "after": "The books of the US"}
    unset = "connection.secret: MDM_SECRET_BOOKS is not set in this environment; that of the worker has to hold it"
    assert dry == {"dry_run": True, "id": "books", "change": "changed", "queued": 0, "needs_backfill": False} | {
        "differences": [difference],
        "warnings": [unset],
    }
    assert first == second == dry | {"dry_run": False}
    told = client.get("/v1/targets/books", headers=declared).json()
    assert (told["title"], told["standing"]["state"]) == ("The books of the US", "backfill")
    assert told["depth"] == {"ready": 3, "failing": 0, "waiting": 0, "dead": 0}
    assert told["declaration"] == changed
    assert client.get("/v1/targets", headers=declared).json()["rows"] == [
        told
    ]  # what waits for its backfill is not late


def test_a_target_that_cannot_be_opened_says_so(client: TestClient, declared: Headers, engine: Engine) -> None:
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    assert "failure" not in client.get("/v1/targets/books", headers=declared).json()["standing"]

    run(engine, lambda c: note_unopened(c, require_declaration(c, "books"), "it cannot be opened: MDM_SECRET_BOOKS"))

    standing = client.get("/v1/targets/books", headers=declared).json()["standing"]
    assert (standing["state"], standing["failures"], standing["failure"]) == ("running", 1, "unopened")
    assert standing["failure_reason"] == "it cannot be opened: MDM_SECRET_BOOKS"
    metrics = client.get("/metrics").text
    assert 'mdm_target_failures{target="books"} 1.0' in metrics


def test_every_fault_of_a_declaration_is_told_with_its_place(client: TestClient, declared: Headers) -> None:
    faulty = BOOKS | {"kind": "webhok", "speed": 3, "instance": "Not An Id"}

    answer = client.put("/v1/targets/books", headers=declared, json=faulty)

    assert (answer.status_code, answer.json()["code"]) == (422, "target_declaration_invalid")
    assert {fault["place"] for fault in answer.json()["errors"]} == {"/kind", "/speed", "/instance"}
    unknown = BOOKS | {"records": {"customer": BOOKS["records"]["customer"] | {"fields": {"legal_nam": {}}}}}
    (fault,) = client.put("/v1/targets/books", headers=declared, json=unknown).json()["errors"]
    assert fault["place"] == "/records/customer/fields/legal_nam"
    assert "write legal_name" in fault["message"]


def test_the_body_is_of_the_target_in_the_path(client: TestClient, declared: Headers) -> None:
    answer = client.put("/v1/targets/ledger", headers=declared, json=BOOKS)

    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


def test_a_target_is_steered_with_a_reason(client: TestClient, declared: Headers, tell: Tell) -> None:
    tell()
    paused = client.post("/v1/targets/books:pause", headers=declared, json={"reason": "they restore a backup"})
    drained = client.post("/v1/targets/books:drain", headers=declared, json={"reason": "the last of it"})
    resumed = client.post("/v1/targets/books:resume", headers=declared, json={"reason": "restored"})

    assert [answer.json()["state"] for answer in (paused, drained, resumed)] == ["paused", "draining", "running"]
    assert paused.json()["reason"] == "they restore a backup"
    assert client.post("/v1/targets/books:pause", headers=declared, json={}).status_code == 422
    assert client.post("/v1/targets/nobody:pause", headers=declared, json={"reason": "x"}).status_code == 404


def test_what_waits_comes_page_by_page(client: TestClient, declared: Headers, tell: Tell) -> None:
    tell(*[Failure("refused", "422 Unprocessable Content")] * 3)
    url = "/v1/deliveries?state=dead&target=books&limit=2"
    first = client.get(url, headers=declared).json()
    second = client.get(f"{url}&after={first['next']}", headers=declared).json()

    rows = first["rows"] + second["rows"]
    assert (len(first["rows"]), len(second["rows"]), "next" in second) == (2, 1, False)
    assert len({row["golden_id"] for row in rows}) == 3
    assert {(row["failure"], row["reason"], row["version_told"]) for row in rows} == {
        ("refused", "422 Unprocessable Content", 0)
    }
    (one,) = client.get(f"/v1/deliveries?golden_id={rows[0]['golden_id']}", headers=declared).json()["rows"]
    assert one == rows[0]
    assert client.get(f"{url[:-1]}3&after={first['next'][:-2]}", headers=declared).status_code == 400


def test_the_past_comes_newest_first_page_by_page(client: TestClient, declared: Headers, tell: Tell) -> None:
    tell(Failure("refused", "no"))
    url = "/v1/deliveries/history?target=books"
    whole = client.get(url, headers=declared).json()["rows"]
    one_by_one = []
    after = ""
    for _ in whole:
        answer = client.get(f"{url}&limit=1{after}", headers=declared).json()
        one_by_one += answer["rows"]
        after = f"&after={answer.get('next')}"

    assert one_by_one == whole
    assert [row["recorded_at"] for row in whole] == sorted((row["recorded_at"] for row in whole), reverse=True)
    (dead,) = client.get(f"{url}&outcome=dead", headers=declared).json()["rows"]
    assert dead["golden_id"] in {row["golden_id"] for row in whole}


def test_an_order_reaches_what_its_preview_says_once(client: TestClient, declared: Headers, tell: Tell) -> None:
    tell(*[Failure("refused", "no")] * 2)
    first = client.get("/v1/deliveries?state=dead", headers=declared).json()["rows"][0]["golden_id"]
    skipped = {"target": "books", "golden_id": first, "reason": "a test record"}
    replayed = {"target": "books", "reason": "the field is longer now"}
    once = declared | {"Idempotency-Key": "skip"}

    dry = client.post("/v1/deliveries:skip?dry_run=true", headers=declared, json=skipped).json()
    orders = [client.post("/v1/deliveries:skip", headers=once, json=skipped).json() for _ in range(2)]
    assert dry == {"dry_run": True, "target": "books", "kind": "skip", "golden_records": 1}
    assert orders[0] == orders[1] == dry | {"dry_run": False, "id": orders[0]["id"]}
    assert client.post("/v1/deliveries:replay", headers=declared, json=replayed).json()["golden_records"] == 1
    tell()
    assert client.get("/v1/deliveries", headers=declared).json()["rows"] == []


def test_a_replayed_range_reaches_what_was_told_or_given_up_in_it_once(
    client: TestClient, declared: Headers, tell: Tell, engine: Engine
) -> None:
    tell(Failure("refused", "no"))
    # Told again before: its lane is parked, and it was told within the range too.
    with engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET state = 'dead', acknowledged = 0 WHERE acknowledged > 0"))
    ask = {"target": "books", "since": "2026-01-01T00:00:00Z", "reason": "a backup was restored there"}
    before = {"target": "books", "until": "2026-01-01T00:00:00Z", "reason": "a backup was restored there"}

    assert client.post("/v1/deliveries:replay", headers=declared, json=before).json()["golden_records"] == 0
    dry = client.post("/v1/deliveries:replay?dry_run=true", headers=declared, json=ask).json()
    done = client.post("/v1/deliveries:replay", headers=declared, json=ask).json()

    assert dry["golden_records"] == done["golden_records"] == 3


def test_a_target_is_unknown_to_those_who_may_not_see_all_it_is_told_of(
    client: TestClient, declared: Headers, key_for: KeyFor
) -> None:
    reader, stranger = key_for("read:customer"), key_for("steward:project", "lead:project")

    assert len(client.get("/v1/targets", headers=reader).json()["rows"]) == 1
    assert client.get("/v1/targets", headers=stranger).json()["rows"] == []
    assert client.get("/v1/deliveries", headers=stranger).json()["rows"] == []
    for method, path, body in [
        ("GET", "/v1/targets/books", None),
        ("GET", "/v1/deliveries?target=books", None),
        ("GET", "/v1/deliveries/history?target=books", None),
        ("POST", "/v1/targets/books:pause", {"reason": "x"}),
        ("POST", "/v1/deliveries:replay", {"target": "books", "reason": "x"}),
        ("POST", "/v1/deliveries:skip?dry_run=true", {"target": "books", "reason": "x"}),
    ]:
        answer = client.request(method, path, headers=stranger, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "target_unknown"), path
    assert client.post("/v1/targets/books:pause", headers=reader, json={"reason": "x"}).status_code == 403
    assert client.put("/v1/targets/books", headers=key_for("lead"), json=BOOKS).status_code == 403


def test_a_target_is_removed(client: TestClient, declared: Headers, tell: Tell) -> None:
    tell()
    assert client.delete("/v1/targets/books", headers=declared).json() == {"id": "books", "state": "removed"}
    assert client.get("/v1/targets/books", headers=declared).status_code == 404


def test_a_scrape_tells_how_each_target_stands(
    client: TestClient, declared: Headers, tell: Tell, engine: Engine, tmp_path: Path
) -> None:
    tell(Failure("refused", "no"))
    with engine.begin() as connection:
        # One parked an hour ago, one that waits for an undo; of the others one is ten minutes late.
        connection.execute(
            text("UPDATE delivery_lane SET recorded_at = now() - interval '1 hour' WHERE state = 'dead'")
        )
        connection.execute(text("UPDATE target_standing SET since = now() - interval '1 day'"))
        late = "SELECT golden_id FROM delivery_lane WHERE state = 'ready' ORDER BY 1 LIMIT 1"
        connection.execute(
            text(
                "UPDATE delivery_lane SET acknowledged = 0, recorded_at = now() - interval '10 min',"
                f" not_before = CASE WHEN golden_id <> ({late}) THEN now() + interval '1 hour' END"
                " WHERE state = 'ready'"
            )
        )

    families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}

    def of(name: str) -> dict[str, float]:
        return {
            one.labels.get("state", ""): one.value
            for one in families[name].samples
            if one.labels.get("target") == "books"
        }

    assert of("mdm_target_lanes") == {"ready": 2, "waiting": 0, "dead": 1}
    assert of("mdm_target_oldest_seconds")[""] == pytest.approx(600, abs=60)
    assert {state for state, value in of("mdm_target_standing").items() if value} == {"running"}
    assert of("mdm_target_failures") == {"": 0}
    assert any(one.labels["target"] == "books" for one in families["mdm_delivery_seconds"].samples)


def test_outside_of_its_hours_a_target_says_from_when_it_is_told_again(
    client: TestClient, declared: Headers, engine: Engine
) -> None:
    begins = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    schedule = {"hours": f"{begins:%H:%M}-{begins + timedelta(hours=1):%H:%M}", "timezone": "UTC"}
    client.put("/v1/targets/books", headers=declared, json=BOOKS | {"schedule": schedule})
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))

    told = client.get("/v1/targets/books", headers=declared).json()
    scraped = client.get("/metrics").text

    assert datetime.fromisoformat(told["told_again_at"]) == begins
    assert "oldest_s" not in told
    assert 'mdm_target_outside_hours{target="books"} 1.0' in scraped
    assert 'mdm_target_oldest_seconds{target="books"} 0.0' in scraped
    for place, faulty in (("/schedule/hours", {"hours": "8"}), ("/schedule/timezone", {"timezone": "Mars"})):
        answer = client.put("/v1/targets/books", headers=declared, json=BOOKS | {"schedule": schedule | faulty})
        assert [fault["place"] for fault in answer.json()["errors"]] == [place]
