"""Calls that come while every writer is busy share the next transaction, and each gets what is its own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, text

from mdm.access.model import Reply
from mdm.access.replies import Answered
from mdm.failpoints import armed
from mdm.hub import UNBRACKETED, Bracket, Hub
from mdm.jobs import group_commit
from mdm.jobs.group_commit import WRITERS_MAX, GroupCommit
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on

pytestmark = pytest.mark.db

Calls = list[Future[tuple[Outcome, ...]]]
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody leave because the machine is slow."""
    monkeypatch.setattr(group_commit, "PATIENCE_S", PATIENCE_S)


def account(number: int, entity_type: str = "widget_hold", **fields: Any) -> Delivery:
    return delivery(f"crm-east/Account:{number}", entity_type, **{"codes": [f"c{number}"], **fields})


def send(
    hub: Hub,
    calls: Sequence[tuple[str, Sequence[Delivery]]],
    *,
    brackets: Sequence[Bracket[tuple[Outcome, ...]]] = (),
) -> tuple[Calls, Calls]:
    """Let every writer stand in its transaction, make calls meanwhile, then let all of them end.

    Gives the calls of the writers, then those that were made meanwhile; they came in their order.
    """
    together = GroupCommit()
    with ThreadPoolExecutor(WRITERS_MAX + len(calls)) as threads:
        with every_writer_busy() as is_busy:
            writing = [
                threads.submit(together.deliver, hub, [account(900 + number)], who="busy")
                for number in range(WRITERS_MAX)
            ]
            is_busy()
            waiting: Calls = []
            for place, (who, deliveries) in enumerate(calls):
                bracket = brackets[place] if brackets else UNBRACKETED
                waiting.append(threads.submit(together.deliver, hub, deliveries, who=who, bracket=bracket))
                until(lambda: len(together._waiting) == len(waiting))
        for call in (*writing, *waiting):
            call.exception(PATIENCE_S)
    assert (together._writers, len(together._waiting)) == (0, 0)
    return writing, waiting


@contextmanager
def every_writer_busy() -> Iterator[Callable[[], None]]:
    """Hold the first transactions of this process until the block ends; the function waits until all stand there."""
    stand, go = [Event() for _ in range(WRITERS_MAX)], Event()
    left = iter(stand)

    def hold() -> None:
        if own := next(left, None):
            own.set()
            assert go.wait(PATIENCE_S)

    with armed({"ingest.stored": hold}):
        try:
            yield lambda: None if all(one.wait(PATIENCE_S) for one in stand) else pytest.fail("no writer came")
        finally:
            go.set()


def until(holds: Callable[[], bool]) -> None:
    pause = Event()
    for _ in range(2_000):
        if holds():
            return
        pause.wait(0.01)
    pytest.fail("it never held")


def transactions(hub: Hub) -> list[set[str]]:
    """Give the keys that were stored together, transaction by transaction."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT array_agg(native_id) FROM source_record GROUP BY xmin ORDER BY min(recorded_at), min(id)")
        )
        return [set(keys) for (keys,) in rows]


def test_who_comes_while_all_write_is_written_in_one_transaction(hub: Hub) -> None:
    _, waiting = send(hub, [("ann", [account(number)]) for number in range(5)])

    outcomes = [one.result() for one in waiting]
    assert [(str(one.key), one.status, one.outcome) for (one,) in outcomes] == [
        (f"crm-east/Account:{number}", "created", "created") for number in range(5)
    ]
    assert [one.golden_id for (one,) in outcomes] == [
        golden_by_key(hub)[f"crm-east/Account:{number}"] for number in range(5)
    ]
    assert {"0", "1", "2", "3", "4"} in transactions(hub)
    assert_sound(hub)


def test_records_of_several_calls_meet_each_other(hub: Hub) -> None:
    _, waiting = send(hub, [("ann", [account(number, codes=["same"])]) for number in range(3)])

    assert [call.result()[0].outcome for call in waiting] == ["created", "attached", "attached"]
    assert len({call.result()[0].golden_id for call in waiting}) == 1


def test_another_name_another_type_and_the_same_record_have_transactions_of_their_own(hub: Hub) -> None:
    calls = [
        ("ann", [account(1)]),
        ("bob", [account(2)]),
        ("ann", [account(3, "gizmo", codes=None, name="cog", grade="a")]),
        ("ann", [account(1, name="red")]),
    ]

    _, waiting = send(hub, calls)

    assert [call.result()[0].status for call in waiting] == ["created", "created", "created", "updated"]
    parted = [{key for key in keys if int(key) < 900} for keys in transactions(hub)]
    assert sorted(map(sorted, filter(None, parted))) == [["1"], ["2"], ["3"]]
    with hub.engine.connect() as connection:
        told = connection.execute(text("SELECT who FROM source_record WHERE native_id = '2'")).scalars().all()
    assert told == ["bob"]


def test_no_more_go_together_than_a_chunk_holds(hub: Hub) -> None:
    small = hub_on(hub.engine, chunk_records=3)

    _, waiting = send(small, [("ann", [account(2 * one), account(2 * one + 1)]) for one in range(4)])

    assert [len(call.result()) for call in waiting] == [2, 2, 2, 2]
    assert max(map(len, transactions(hub))) == 2


def test_a_refused_record_hinders_nobody_it_goes_with(hub: Hub) -> None:
    unknown = delivery("crm-nowhere/Account:1", "widget_hold", name="red")

    _, waiting = send(hub, [("ann", [account(1)]), ("ann", [unknown]), ("ann", [account(2)])])

    assert [call.result()[0].status for call in waiting] == ["created", "rejected", "created"]


def test_an_error_reaches_only_who_caused_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = account(2)

    def failing(hub: Hub, deliveries: Sequence[Delivery], **known: Any) -> tuple[Outcome, ...]:
        if poison in deliveries:
            raise ZeroDivisionError
        return deliver(hub, deliveries, **known)

    monkeypatch.setattr(group_commit, "deliver", failing)

    _, waiting = send(hub, [("ann", [account(1)]), ("ann", [poison]), ("ann", [account(3)])])

    assert isinstance(waiting[1].exception(), ZeroDivisionError)
    assert [waiting[place].result()[0].status for place in (0, 2)] == ["created", "created"]


def test_what_each_wants_done_in_the_transaction_is_done_with_its_own_outcome(hub: Hub) -> None:
    seen: list[str] = []

    def noting(name: str) -> Bracket[tuple[Outcome, ...]]:
        return Bracket(
            lambda _: seen.append(f"{name} begins"),
            lambda _, outcomes: seen.append(f"{name} has {[one.key.native_id for one in outcomes]}"),
        )

    brackets = {name: noting(name) for name in ("first", "second")}
    send(hub, [("ann", [account(1), account(2)]), ("ann", [account(3)])], brackets=[*brackets.values()])

    assert seen == ["first begins", "second begins", "first has ['1', '2']", "second has ['3']"]


def test_a_request_that_was_answered_before_sends_its_companions_on_their_own_way(hub: Hub) -> None:
    def repeated(_: Connection) -> None:
        raise Answered(Reply(200, b"as before"))

    _, waiting = send(
        hub,
        [("ann", [account(1)]), ("ann", [account(2)]), ("ann", [account(3)])],
        brackets=[UNBRACKETED, Bracket(repeated), UNBRACKETED],
    )

    assert isinstance(waiting[1].exception(), Answered)
    assert [waiting[place].result()[0].status for place in (0, 2)] == ["created", "created"]
    assert "crm-east/Account:2" not in golden_by_key(hub)


def test_who_waits_too_long_writes_by_itself(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "PATIENCE_S", 0.01)
    together = GroupCommit()

    with ThreadPoolExecutor(WRITERS_MAX + 1) as threads, every_writer_busy() as is_busy:
        for number in range(WRITERS_MAX):
            threads.submit(together.deliver, hub, [account(900 + number)], who="busy")
        is_busy()
        alone = threads.submit(together.deliver, hub, [account(1)], who="ann")

        assert alone.result(PATIENCE_S)[0].status == "created"  # while all writers stand


def test_many_threads_end_as_one_after_the_other_would(hub: Hub) -> None:
    together = GroupCommit()
    share = [[account(20 * thread + place, codes=[f"g{place}"]) for place in range(20)] for thread in range(8)]

    def all_of(own: Sequence[Delivery]) -> list[tuple[str, str]]:
        found = [together.deliver(hub, [one], who="ann") for one in own]
        return [(str(outcome.key), outcome.status) for (outcome,) in found]

    with ThreadPoolExecutor(8) as threads:
        told = [one for some in threads.map(all_of, share) for one in some]

    assert told == [(str(one.key), "created") for own in share for one in own]
    goldens = golden_by_key(hub)
    assert len(goldens) == 160
    assert len(set(goldens.values())) == 20
    assert_sound(hub)
