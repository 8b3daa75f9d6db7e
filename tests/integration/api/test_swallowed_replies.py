"""The answer to COMMIT is lost on the way, again and again: asked again under its key, each request has one effect."""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.settings import Settings
from tests.databases import reachable_folder
from tests.hubs import assert_sound, golden_by_key, hub_on
from tests.integration.api.conftest import KeyFor, serving
from tests.integration.api.records import deliver, record
from tests.swallower import Swallower, swallowing

pytestmark = pytest.mark.timeout(14_400)

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Iris", "Juniper", "Larch", "Maple")
COMPANIES = len(NAMES)
ATTEMPTS_MAX = 20
LOST = 503


@dataclass(frozen=True, slots=True)
class Request:
    """One unsafe request, and the words by which its effect is known."""

    kind: str
    place: str
    body: dict[str, Any]
    mark: str


@dataclass
class Clerk:
    """Somebody who delivers news, merges and undoes, decides and revokes, by turns at random."""

    engine: Engine
    rnd: random.Random
    done: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)

    def choose(self, mark: str) -> Request:
        """Choose the next request; what was merged or decided is taken back before there is more of it."""
        kind = self.rnd.choice(["deliver", "merge", "decide"])
        first, second = self.rnd.sample(range(COMPANIES), 2)
        if kind == "deliver":
            return Request(kind, "/v1/source-records", {"records": [company(first, mark)]}, mark)
        if kind == "merge" and self.done:
            return Request("undo", f"/v1/events/{self.done.pop()}:undo", {"reason": mark}, mark)
        if kind == "merge":
            golden = golden_by_key(hub_on(self.engine))
            one, other = golden[key_of(first)], golden[key_of(second)]
            return Request(kind, f"/v1/golden-records/{one}:merge", {"other": other, "reason": mark}, mark)
        if self.decided:
            made = self.decided.pop()
            return Request("revoke", f"/v1/decisions/{made}:revoke", {}, f"{made} revoked")
        body = {"left": key_of(first), "right": key_of(second), "judgement": "same", "reason": mark}
        return Request(kind, "/v1/decisions", body, mark)

    def hear(self, request: Request, told: dict[str, Any]) -> None:
        """Remember what can be taken back."""
        if request.kind == "merge":
            self.done.append(told["event_id"])
        elif request.kind == "decide":
            self.decided.append(told["id"])


@pytest.mark.parametrize("replies_count", [20, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_lost_answer_to_commit_leaves_one_effect(
    swallower: Swallower, client: TestClient, key_for: KeyFor, engine: Engine, seed: int, replies_count: int
) -> None:
    header = key_for("admin")
    register(client, header)
    clerk, told = Clerk(engine, random.Random(seed)), Counter[str]()

    for number in count():
        if swallower.swallowed >= replies_count:
            break
        request = clerk.choose(f"request {number}")
        keyed = header | {"Idempotency-Key": f"{seed} {number}"}
        swallowed_before = swallower.swallowed
        swallower.swallow_next()
        first = client.post(request.place, headers=keyed, json=request.body)
        swallower.disarm()
        is_lost = swallower.swallowed > swallowed_before
        assert (first.status_code == LOST) is is_lost, first.text
        final = insist(client, request, keyed)
        if final.status_code in {409, 422}:
            # What was lost then may be the note of when the key was last used, a transaction of its own.
            assert effects(engine, request.mark) == 0
            told[final.json()["code"]] += 1
            continue
        assert final.status_code == 200, final.text
        assert client.post(request.place, headers=keyed, json=request.body).content == final.content
        assert effects(engine, request.mark) == 1
        clerk.hear(request, final.json())
        told[f"{request.kind} {'lost' if is_lost else 'heard'}"] += 1

    assert_sound(hub_on(engine))
    sys.stdout.write(f"{swallower.swallowed} replies swallowed: {dict(sorted(told.items()))}\n")


def insist(client: TestClient, request: Request, header: dict[str, str]) -> Any:
    """Ask again until there is another answer than that the world failed, or that the first is still running."""
    for _ in range(ATTEMPTS_MAX):
        answer = client.post(request.place, headers=header, json=request.body)
        if answer.status_code != LOST and answer.json().get("code") != "idempotency_in_flight":
            return answer
        time.sleep(0.01)
    raise AssertionError(answer.text)


def register(client: TestClient, header: dict[str, str]) -> None:
    """Register a source and deliver companies that nothing joins."""
    body = {"id": "netsuite-us", "system": "netsuite", "title": "NetSuite"}
    assert client.post("/v1/sources", headers=header, json=body).status_code == 200
    results = deliver(client, header, *(company(number, "as it was") for number in range(COMPANIES)))
    assert [one["status"] for one in results] == ["created"] * COMPANIES


def company(number: int, city: str) -> dict[str, Any]:
    return record("netsuite-us", str(number), name=f"{NAMES[number]} AG", country="CH", city=city)


def key_of(number: int) -> str:
    return f"netsuite-us/account:{number}"


def effects(engine: Engine, mark: str) -> int:
    """Count what stands under the words of a request: root events, and versions of source records."""
    with engine.connect() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT (SELECT count(*) FROM identity_event WHERE cause = :mark AND root_id IS NULL)"
                    " + (SELECT count(*) FROM source_record_version WHERE fields ->> 'city' = :mark)"
                ),
                {"mark": mark},
            ).scalar_one()
        )


@pytest.fixture
def swallower(database_url: str) -> Iterator[Swallower]:
    with reachable_folder() as folder, swallowing(database_url, folder) as opened:
        yield opened


@pytest.fixture
def client(swallower: Swallower) -> Iterator[TestClient]:
    """Give an application whose database stands behind the proxy."""
    with serving(Settings(database_url=swallower.url, pool_size=4, log_level="error")) as opened:
        yield opened
