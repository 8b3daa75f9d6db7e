"""Every unsafe route of `/v1` happens once under its Idempotency-Key, also when the answer to COMMIT is lost (I25)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.access.model import Attempt
from mdm.access.replies import begin
from mdm.db.transaction import transaction
from mdm.entities.model import ReviewApproval
from mdm.settings import Settings
from mdm.sources.model import SourceKey
from tests.databases import reachable_folder
from tests.deals import ACCOUNT
from tests.erp import Books, books
from tests.hubs import hub_on, row_marks
from tests.integration.api.conftest import KeyFor, serving
from tests.integration.api.errands import ERRANDS, SOURCES, Asked, Desk, unsafe_routes
from tests.integration.api.records import deliver, record
from tests.swallower import Swallower, swallowing

ATTEMPTS_MAX, ATTEMPTS_ALIKE = 20, 2
OPEN: Final = "127.0.0.0/8"
# Counting what callers ask, and when a key was used, is no effect of what they asked.
UNCOUNTED: Final = ("rate_bucket", "api_key")
# Once answered, these do the steps that are due, as the worker would.
GO_ON_AFTERWARDS: Final = [("POST", f"/v1/deals/{{deal_id}}:{verb}") for verb in ("approve", "cancel", "retry")]


def test_every_unsafe_route_has_its_errand() -> None:
    """A new route needs one here, by which it shows that it happens once."""
    assert sorted(ERRANDS) == sorted(unsafe_routes())


def test_every_unsafe_route_declares_the_header(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    for method, path in unsafe_routes():
        parameters = {one["name"] for one in paths[path][method.lower()]["parameters"]}
        assert "idempotency-key" in parameters, (method, path)


def test_an_answer_that_was_heard_is_repeated_without_effect(desk: Desk, engine: Engine) -> None:
    for place in ERRANDS:
        asked, keyed = ERRANDS[place](desk), desk.admin | {"Idempotency-Key": f"heard {place}"}
        before = marks(engine)

        first = ask(desk, place, asked, keyed)
        after = marks(engine)
        second = ask(desk, place, asked, keyed)

        assert first.is_success, (place, first.text)
        assert after != before, f"{place} had no effect"
        assert marks(engine) == after, f"{place} had a second effect"
        assert (second.status_code, repeatable(second)) == (first.status_code, repeatable(first)), place


def test_while_the_first_runs_under_another_body_and_for_others(desk: Desk, engine: Engine) -> None:
    """Refuse a twin while the first request runs, and another body; the key binds one caller and one route."""
    who = desk.client.get("/v1/api-keys", headers=desk.admin).json()["rows"][0]["id"]
    for place in ERRANDS:
        asked, key = ERRANDS[place](desk), f"busy {place}"
        keyed = desk.admin | {"Idempotency-Key": key}
        before = marks(engine)

        with transaction(engine) as running:
            begin(running, Attempt(who, " ".join(place), key, b""))
            in_flight = ask(desk, place, asked, keyed)
        assert (in_flight.status_code, code(in_flight)) == (409, "idempotency_in_flight"), (place, in_flight.text)
        assert int(in_flight.headers["retry-after"]) > 0, place
        assert marks(engine) == before, place

        assert ask(desk, place, asked, keyed).is_success, place
        other = ask(desk, place, replace(asked, body=asked.other), keyed)
        assert (other.status_code, code(other)) == (422, "idempotency_mismatch"), (place, other.text)
        theirs = ask(desk, place, replace(asked, body=asked.other), desk.second | {"Idempotency-Key": key})
        assert not code(theirs).startswith("idempotency"), (place, theirs.text)
        elsewhere = ERRANDS["POST", "/v1/sources"](desk)
        if place[1] != "/v1/sources":
            assert ask(desk, ("POST", "/v1/sources"), elsewhere, keyed).status_code == 200, place


def test_an_answer_that_was_lost_is_given_again_and_the_effect_is_one(
    lossy_desk: Desk, swallower: Swallower, engine: Engine
) -> None:
    for place in ERRANDS:
        asked, key = ERRANDS[place](lossy_desk), f"lost {place}"
        keyed = lossy_desk.admin | {"Idempotency-Key": key}

        lose(lossy_desk, swallower, engine, place, asked, keyed)
        after = marks(engine)
        first = ask(lossy_desk, place, asked, keyed)
        assert marks(engine) == after or place in GO_ON_AFTERWARDS, f"{place} had a second effect"
        after = marks(engine)
        second = ask(lossy_desk, place, asked, keyed)

        assert first.is_success, (place, first.text)
        assert second.content == first.content, place
        assert marks(engine) == after, f"{place} had a second effect"


def lose(
    desk: Desk, swallower: Swallower, engine: Engine, place: tuple[str, str], asked: Asked, keyed: dict[str, str]
) -> None:
    """Send a request until the answer to the COMMIT of its effect is lost.

    Most have one transaction; what has several begins anew at each attempt, so that one more has to pass each time.
    Each number is tried twice, as the use of a key, noted by the minute, may be what was lost.
    """
    for number in range(ATTEMPTS_MAX):
        # A key that was just read is remembered: what is written next is the request's own.
        desk.client.get("/v1/sources", headers=desk.admin)
        swallowed = swallower.swallowed
        swallower.swallow_next(after=number // ATTEMPTS_ALIKE)
        answer = ask(desk, place, asked, keyed)
        swallower.disarm()
        assert answer.status_code == 503, (place, answer.text)
        assert swallower.swallowed == swallowed + 1, place
        if kept(engine, keyed["Idempotency-Key"]):
            return
    raise AssertionError(place)


def ask(desk: Desk, place: tuple[str, str], asked: Asked, header: dict[str, str]) -> Any:
    return desk.client.request(place[0], asked.path, headers=header, json=asked.body)


def code(answer: Any) -> str:
    return str(answer.json().get("code", ""))


def repeatable(answer: Any) -> Any:
    """Give a reply without the secret that is shown once."""
    told = answer.json()
    return answer.content if "token" not in told and "prefix" not in told else {**told, "token": None}


def marks(engine: Engine) -> dict[str, Any]:
    return {table: rows for table, rows in row_marks(hub_on(engine)).items() if table not in UNCOUNTED} | {
        "keys": [tuple(row) for row in _rows(engine, "SELECT id, expires_at, revoked_at FROM api_key ORDER BY id")]
    }


def kept(engine: Engine, key: str) -> bool:
    return bool(_rows(engine, "SELECT 1 FROM idempotency_record WHERE key = :key", key=key))


def _rows(engine: Engine, statement: str, **named: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), named))


def seated(client: TestClient, key_for: KeyFor, engine: Engine, seed: int) -> Desk:
    """Give a desk with two sources, at a hub where an answer to several questions waits for a second person."""
    opened = client.app.state.opened  # type: ignore[attr-defined]
    customer = opened.hub.declared["customer"]
    careful = replace(customer, reviews=replace(customer.reviews, approval=ReviewApproval(bulk=1)))
    client.app.state.opened = replace(  # type: ignore[attr-defined]
        opened, hub=replace(opened.hub, declared={**opened.hub.declared, "customer": careful})
    )
    desk = Desk(client, key_for("admin"), key_for("admin"), engine, random.Random(seed))
    for source in SOURCES:
        desk.post("/v1/sources", {"id": source, "system": source.partition("-")[0], "title": source})
    account = SourceKey.parse(ACCOUNT)
    sold_to = record(account.instance, account.native_id, name="Kranich Reederei AG", country="DE")
    deliver(client, desk.admin, sold_to | {"object": account.object})
    return desk


@pytest.fixture
def erp(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """Give a system that answers over HTTP, declared as a target and not matched yet."""
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "hub-key")
    monkeypatch.setenv("MDM_OUTGOING_NETWORKS", OPEN)
    with books(hub_on(engine), tmp_path, is_matched=False) as opened:
        yield opened


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, pool_size=4, outgoing_networks=OPEN)


@pytest.fixture
def desk(erp: Books, client: TestClient, key_for: KeyFor, engine: Engine, seed: int) -> Desk:
    return seated(client, key_for, engine, seed)


@pytest.fixture
def swallower(database_url: str) -> Iterator[Swallower]:
    with reachable_folder() as folder, swallowing(database_url, folder) as opened:
        yield opened


@pytest.fixture
def lossy_desk(erp: Books, swallower: Swallower, key_for: KeyFor, engine: Engine, seed: int) -> Iterator[Desk]:
    """Give a desk at an application whose database stands behind the proxy."""
    settings = Settings(database_url=swallower.url, pool_size=4, log_level="error", outgoing_networks=OPEN)
    with serving(settings) as client:
        yield seated(client, key_for, engine, seed)
