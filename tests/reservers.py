"""Callers who are all about to create the same client in an ERP at once, and never give up.

Each asks the hub first, creates only when it is told to, confirms, and otherwise asks again until the client has a key.
A request that got no answer is sent again under its Idempotency-Key. The ERP is the fake one, over HTTP. Its external
id is the reservation, so that a create that is repeated after a crash makes nothing new, and a second one is seen.
Run as a program, it is one process of callers that a test may kill.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.request import Request, urlopen
from uuid import uuid4

import orjson

from mdm.access import replies
from mdm.access.model import Attempt, Reply
from mdm.activation.reservation_model import Confirmed, Resolved, Wanted
from mdm.activation.reservations import confirm, resolve_or_reserve
from mdm.db.engine import open_engine
from mdm.errors import DatabaseUnavailable, IdempotencyInFlight
from mdm.failpoints import FailpointHit, arm_from_text, armed
from mdm.hub import Bracket, Hub
from mdm.sources.model import SourceKey
from tests.hubs import hub_on

ERP: Final = "netsuite-us"
CLIENT: Final = {"name": "Acme Logistik GmbH", "country": "DE", "vat number": "DE136695976", "city": "Hamburg"}
SPELLINGS: Final = (CLIENT, {**CLIENT, "name": "ACME LOGISTIK GMBH"}, {**CLIENT, "city": "Hamburg-Altona"})
POINTS: Final = ("ingest.stored", "reservation.stored", "reservation.ended", "transaction.committing")
LOST_REPLY: Final = "transaction.committed"  # the work is done, and the one who asked never hears it
UNTIL_S: Final = 300.0
REPEATS_MAX: Final = 200  # of one request: about a minute; a caller whose database is gone does not ask for ever

Result = TypeVar("Result")


@dataclass(frozen=True)
class Erp:
    """The fake ERP behind its address; its key is the one that a new fake gives the hub."""

    url: str

    def create(self, external_id: str) -> SourceKey:
        """Create a billing entity, or be given back the one with this external id."""
        body = {"external_id": external_id, "fields": {"companyName": CLIENT["name"], "currency": "EUR"}}
        return SourceKey(ERP, "customer", "", str(self._ask("POST", "/api/customer", body)["record"]["id"]))

    def entities(self) -> dict[str, str]:
        """Give the id of every billing entity by its external id."""
        found = self._ask("GET", "/api/customer?limit=200")
        return {record["external_id"]: str(record["id"]) for record in found["records"]}

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": "Bearer hub-key", "X-Request-Id": uuid4().hex, "Content-Type": "application/json"}
        sent = None if body is None else orjson.dumps(body)
        request = Request(self.url + path, data=sent, headers=headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return orjson.loads(answer.read())


@dataclass
class Told:
    """What all callers of one process came to know, and how often one had to send a request again."""

    keys: dict[int, str] = field(default_factory=dict)
    golden_ids: set[str] = field(default_factory=set)
    reservation_ids: set[str] = field(default_factory=set)
    repeats: int = 0


def rush(hub: Hub, erp: Erp, callers: range, *, seed: int, crash_share: float = 0.0) -> Told:
    """Let callers ask at once; each time a point is passed, a share of them crashes there."""
    told, failures = Told(), list[BaseException]()
    barrier = threading.Barrier(len(callers))

    def run(number: int) -> None:
        try:
            barrier.wait()
            told.keys[number] = _create(hub, erp, number, told)
        except BaseException as error:  # noqa: BLE001 -- the test tells it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in callers]
    with ExitStack() as stack:
        if crash_share:
            stack.enter_context(_crashing(random.Random(seed), crash_share))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]
    return told


def _create(hub: Hub, erp: Erp, number: int, told: Told) -> str:
    """Do what one caller does until the client has a key in the ERP, and return that key.

    Of three callers one has a reference of its own, one shares its reference with others of its name, one has none.
    """
    reference, who = ((f"opportunity {number}", f"sync {number}"), ("opportunity 7", "sync"), ("", "sync"))[number % 3]
    wanted = Wanted("customer", ERP, SPELLINGS[number % len(SPELLINGS)], reference)
    until = time.monotonic() + UNTIL_S
    for turn in range(10_000):
        assert time.monotonic() < until, f"caller {number} waits for ever"
        answer = _once(
            hub, f"{number}-{turn}", who, told, lambda b: resolve_or_reserve(hub, wanted, who=who, bracket=b), _tell
        )
        told.golden_ids.add(answer["golden_id"])
        if answer["status"] == "reserved":
            told.reservation_ids.add(answer["reservation"])
            key = erp.create(answer["reservation"])
            _once(
                hub,
                f"{number}-{turn}-confirm",
                who,
                told,
                lambda b: confirm(hub, answer["reservation"], key, who=who, bracket=b),  # noqa: B023 -- called at once
                _tell_confirmed,
            )
            return str(key)
        if answer["keys"]:
            return str(answer["keys"][0])
        time.sleep(0.05 + 0.01 * (number % 50))
    raise AssertionError


def _once(
    hub: Hub,
    key: str,
    who: str,
    told: Told,
    act: Callable[[Bracket[Result]], Result],
    tell: Callable[[Result], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Send one request under its Idempotency-Key until it is answered."""
    attempt = Attempt(who, "test", key, sha256(key.encode()).digest())
    bracket: Bracket[Result] = Bracket(
        lambda connection: replies.begin(connection, attempt),
        lambda connection, result: replies.keep(connection, attempt, Reply(200, orjson.dumps(tell(result)))),
    )
    for _ in range(REPEATS_MAX):
        try:
            return tell(act(bracket))
        except replies.Answered as repeated:
            answer: Mapping[str, Any] = orjson.loads(repeated.reply.body)
            return answer
        except (FailpointHit, DatabaseUnavailable, IdempotencyInFlight):
            told.repeats += 1
            time.sleep(0.05 + 0.005 * (len(key) * 7 % 40))
    raise AssertionError(f"request {key} is never answered")


def _tell(answer: Resolved) -> Mapping[str, Any]:
    return {
        "status": answer.status,
        "golden_id": str(answer.golden_id),
        "reservation": str(answer.reservation.id) if answer.reservation else None,
        "keys": [str(key) for key in answer.keys],
    }


def _tell_confirmed(confirmed: Confirmed) -> Mapping[str, Any]:
    return {"golden_id": str(confirmed.golden_id)}


@contextmanager
def _crashing(rnd: random.Random, share: float) -> Iterator[None]:
    lock = threading.Lock()

    def crash(name: str) -> None:
        with lock:
            strikes = rnd.random() < share
        if strikes:
            raise FailpointHit(name)

    with armed({name: (lambda name=name: crash(name)) for name in (*POINTS, LOST_REPLY)}):  # type: ignore[misc]
        yield


def main() -> None:
    """Be one process of callers: URL of the database, URL of the ERP, first caller, how many."""
    url, erp_url, first, count = sys.argv[1:5]
    arm_from_text(os.environ.get("MDM_TEST_FAILPOINTS", ""))
    engine = open_engine(url, 8)
    rush(hub_on(engine), Erp(erp_url), range(int(first), int(first) + int(count)), seed=0)
    engine.dispose()


if __name__ == "__main__":
    main()
