"""I17: an answer as of a settled instant is the same bytes for ever, and the one that was given live at that instant.

Two writers load, delete, decide, merge and take back at random while somebody asks over HTTP as of the safe horizon.
Between the rounds nobody writes: then every question is asked live and as of the horizon, and both must say the same.
At the end all is asked again.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm import clock
from mdm.access.service import create_key
from mdm.db.transaction import run, transaction
from mdm.decisions.model import Decision, Verdict
from mdm.errors import DecisionContradicts, Refused
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from mdm.stewardship.model import By, Merge, Undo
from mdm.stewardship.operations import perform
from tests.hubs import WIDGETS, assert_sound, delivery, golden_by_key, hub_on, register_instances
from tests.integration.api.conftest import serving

pytestmark = pytest.mark.db

KEYS = [f"crm-{place}/Account:{number}" for place in ("east", "west") for number in range(5)]
WRITES = 4  # of each of two writers in a round
QUESTIONS = 20  # of a round: half of them while others write, half between the rounds


class Writer:
    """Somebody who changes things at random, from a seed."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub, self.rnd = hub, random.Random(seed)
        self.made: list[Decision] = []
        self.done: list[EventId] = []
        self.failure: BaseException | None = None

    def write_some(self) -> None:
        try:
            for _ in range(WRITES):
                self.rnd.choice(
                    (self.load, self.load, self.load, self.delete, self.decide, self.revoke, self.publish)
                )()
        except BaseException as failure:  # noqa: BLE001 -- told by the thread that waits for this one
            self.failure = failure

    def acts(self) -> tuple[Callable[[], None], ...]:
        loading = self.load, self.load, self.load, self.load, self.delete
        return *loading, self.decide, self.revoke, self.publish, self.merge, self.undo

    def load(self) -> None:
        fields: dict[str, Any] = {
            "name": self.rnd.choice(["red", "green", "blue"]),
            "codes": self.rnd.sample(["aa1", "bb2", "cc3", "dd4"], self.rnd.randint(0, 2)),
            "batch": self.rnd.choice(["", "", "150483782", "804735132"]),
        }
        deliver(self.hub, [delivery(self.rnd.choice(KEYS), "widget_hold", **fields)], who="test")

    def delete(self) -> None:
        deliver(self.hub, [delivery(self.rnd.choice(KEYS), "widget_hold", deleted=True)], who="test")

    def decide(self) -> None:
        known = sorted(golden_by_key(self.hub))
        if len(known) < 2:
            return
        left, right = (SourceKey.parse(key) for key in self.rnd.sample(known, 2))
        verdict = Verdict(self.rnd.choice(["same", "same", "different"]), "because")
        with suppress(DecisionContradicts):
            self.made.append(stewardship.decide(self.hub, left, right, verdict, who="ann"))

    def revoke(self) -> None:
        if self.made:
            stewardship.revoke(self.hub, self.made.pop(self.rnd.randrange(len(self.made))).id, who="ann")

    def merge(self) -> None:
        ids = sorted(set(golden_by_key(self.hub).values()))
        if len(ids) < 2:
            return
        first, second = map(GoldenId, self.rnd.sample(ids, 2))
        with suppress(Refused):  # parted by a decision, or gone meanwhile: another writer was first
            self.done.append(perform(self.hub, Merge(first, second), By("ann", "seen")).event_id)

    def undo(self) -> None:
        if self.done:
            with suppress(Refused):  # a later event is in the way
                perform(self.hub, Undo(self.done.pop(self.rnd.randrange(len(self.done)))), By("ann", "seen"))

    def publish(self) -> None:
        ids = sorted(set(golden_by_key(self.hub).values()))
        if ids:
            chosen = [GoldenId(self.rnd.choice(ids))]
            run(self.hub.engine, lambda c: identity_store.mark_published(c, chosen, at=clock.now()))


class Asker:
    """Somebody who asks at random, and keeps every answer with its question."""

    def __init__(self, client: TestClient, header: dict[str, str], seed: int) -> None:
        self.client, self.header, self.rnd = client, header, random.Random(seed)
        self.seen_ids: set[str] = set()
        self.kept: list[tuple[str, str, bytes]] = []

    def question(self) -> str:
        """Choose what to ask about: an id that was ever seen, or a key."""
        if self.seen_ids and self.rnd.random() < 0.7:
            golden_id = self.rnd.choice(sorted(self.seen_ids))
            return self.rnd.choice(
                [
                    f"/v1/golden-records/{golden_id}?",
                    f"/v1/golden-records/{golden_id}/members?",
                    f"/v1/golden-records/{golden_id}/names?",
                    f"/v1/crosswalk?golden_id={golden_id}&",
                ]
            )
        key = SourceKey.parse(self.rnd.choice(KEYS))
        asked = {"source": key.instance, "object": key.object, "source_key": key.native_id}
        if self.rnd.random() < 0.5:
            asked["to"] = self.rnd.choice(["crm-east", "crm-west"])
        return f"/v1/crosswalk?{urlencode(asked)}&"

    def answer(self, question: str, as_of: datetime | None) -> tuple[int, bytes]:
        """Ask now, or as of an instant."""
        path = question.rstrip("?&") if as_of is None else question + urlencode({"as_of": as_of.isoformat()})
        reply = self.client.get(path, headers=self.header)
        assert reply.status_code in {200, 404, 409}, reply.text
        return reply.status_code, reply.content

    def ask_and_keep(self, as_of: datetime) -> bool:
        """Ask as of an instant and keep the answer; one that a writer's early start holds up is not counted."""
        question = self.question()
        status, content = self.answer(question, as_of)
        if status != 409:
            self.kept.append((question, as_of.isoformat(), f"{status} ".encode() + _plain(status, content)))
        return status != 409

    def ask_live(self, as_of: datetime) -> None:
        """Ask the same of the present and of this instant, while nobody writes, and keep the answer."""
        question = self.question()
        live, then = self.answer(question, None), self.answer(question, as_of)
        assert live[0] == then[0], (question, live, then)
        if live[0] == 200:
            assert _without_instant(live[1]) == _without_instant(then[1]), question
        self.kept.append((question, as_of.isoformat(), f"{then[0]} ".encode() + _plain(*then)))

    def ask_again(self) -> None:
        """Ask everything once more."""
        for question, as_of, kept in self.kept:
            status, content = self.answer(question, datetime.fromisoformat(as_of))
            assert f"{status} ".encode() + _plain(status, content) == kept, (question, as_of)


def _plain(status: int, content: bytes) -> bytes:
    """Give an answer as it is compared: a refusal by its status, since it tells the id of its own request."""
    return content if status == 200 else b""


def _without_instant(content: bytes) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(content)
    return {name: value for name, value in document.items() if name != "as_of" and value is not None}


def settled(hub: Hub) -> datetime:
    instant = run(hub.engine, clock.horizon)
    time.sleep(0.001)
    return instant


def play(hub: Hub, asker: Asker, seed: int, *, rounds: int) -> None:
    writers = [Writer(hub, seed + number) for number in range(2)]
    for _ in range(rounds):
        threads = [threading.Thread(target=writer.write_some) for writer in writers]
        for thread in threads:
            thread.start()
        wanted = QUESTIONS // 2
        while wanted:
            wanted -= asker.ask_and_keep(run(hub.engine, clock.horizon))
        for thread in threads:
            thread.join()
        assert [writer.failure for writer in writers] == [None, None]
        asker.seen_ids.update(golden_by_key(hub).values())
        quiet = settled(hub)
        for _ in range(QUESTIONS - QUESTIONS // 2):
            asker.ask_live(quiet)
    asker.ask_again()
    assert_sound(hub)


@pytest.fixture
def asker(engine: Engine, database_url: str, seed: int) -> Iterator[Asker]:
    with serving(Settings(database_url=database_url, pool_size=4, entities=(WIDGETS,))) as client:
        with transaction(engine) as connection:
            token = create_key(connection, name="test", scopes=("read",), by="test").token
        yield Asker(client, {"Authorization": f"Bearer {token}"}, seed)


@pytest.fixture
def hub(engine: Engine) -> Hub:
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    return opened


@pytest.mark.timeout(300)
def test_five_hundred_answers_asked_again_are_the_same(hub: Hub, asker: Asker, seed: int) -> None:
    play(hub, asker, seed, rounds=25)

    assert len(asker.kept) == 500
    statuses = [kept.partition(b" ")[0] for _, _, kept in asker.kept]
    assert statuses.count(b"200") > 250, "most questions have an answer that could change"


@pytest.mark.soak
def test_ten_thousand_answers_asked_again_are_the_same(hub: Hub, asker: Asker, seed: int) -> None:
    play(hub, asker, seed, rounds=500)

    assert len(asker.kept) == 10_000
