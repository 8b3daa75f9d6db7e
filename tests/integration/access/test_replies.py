"""Stored replies: one a part of a request, kept for a day."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from mdm.access.model import Attempt, Reply
from mdm.access.replies import LIFE, forget_replies, once
from mdm.errors import IdempotencyMismatch


def attempt(*, part: int = 0, fingerprint: bytes = b"f") -> Attempt:
    return Attempt("key_1", "POST /v1/things", "k", fingerprint, part)


def test_the_effect_happens_once_and_its_reply_is_repeated(connection: Connection) -> None:
    effects: list[int] = []

    def effect(_: Connection) -> Reply:
        effects.append(1)
        return Reply(201, b'{"n": 1}')

    replies = [once(connection, attempt(), effect) for _ in range(3)]

    assert effects == [1]
    assert {(reply.status, reply.body) for reply in replies} == {(201, b'{"n": 1}')}


def test_what_is_shown_once_is_not_kept(connection: Connection) -> None:
    first = once(connection, attempt(), lambda _: Reply(201, b"kept", b"secret"))
    second = once(connection, attempt(), lambda _: Reply(500, b"never"))

    assert (first.shown, second.shown, second.body) == (b"secret", None, b"kept")


def test_each_part_of_a_request_has_its_own_reply(connection: Connection) -> None:
    first = once(connection, attempt(part=0), lambda _: Reply(200, b"first"))
    second = once(connection, attempt(part=1), lambda _: Reply(200, b"second"))
    again = once(connection, attempt(part=0), lambda _: Reply(200, b"never"))

    assert (first.body, second.body, again.body) == (b"first", b"second", b"first")


def test_another_fingerprint_is_refused(connection: Connection) -> None:
    once(connection, attempt(), lambda _: Reply(200, b""))

    with pytest.raises(IdempotencyMismatch):
        once(connection, attempt(fingerprint=b"g"), lambda _: Reply(200, b""))


def test_without_an_attempt_the_effect_happens_each_time(connection: Connection) -> None:
    assert [once(connection, None, lambda _: Reply(200, b"x")).body for _ in range(2)] == [b"x", b"x"]


def test_replies_are_forgotten_after_their_life_and_not_before(connection: Connection) -> None:
    once(connection, attempt(), lambda _: Reply(200, b""))
    once(connection, attempt(part=1), lambda _: Reply(200, b""))
    age = LIFE + timedelta(minutes=1)
    connection.execute(
        text("UPDATE idempotency_record SET recorded_at = recorded_at - :age WHERE part = 1"), {"age": age}
    )

    assert forget_replies(connection) == 1
    assert connection.execute(text("SELECT part FROM idempotency_record")).scalars().all() == [0]
