"""Signing in: the right password opens a session, every other way is refused alike, and guessing is slowed down."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.access import people, sessions
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Chosen, NewSession, Person, PersonChange, Standing
from mdm.access.sessions import CACHE_LIFE_S, FREE, SESSIONS_MAX, SessionRing
from mdm.db.transaction import run, transaction
from mdm.errors import Conflict, InputInvalid, LinkUnusable, SignInRefused, SignInThrottled

QUICK = PasswordCost(memory_kib=8, passes=1)
PASSWORD = "seven green boats"
HOME = "192.0.2.1"


def add(engine: Engine, login: str, *, role: str = "steward", password: str | None = PASSWORD) -> Person:
    def work(connection: Connection) -> Person:
        person = people.add_person(connection, login, name="Anna", standing=Standing(role), by="test")  # type: ignore[arg-type]
        if password is not None:
            people.set_password(connection, person.id, password, by="test", cost=QUICK)
        return person

    return run(engine, work)


def sign_in(engine: Engine, login: str, password: str = PASSWORD, *, address: str = HOME) -> NewSession:
    return sessions.sign_in(engine, login, password, address=address, cost=QUICK)


def kinds(engine: Engine) -> list[str]:
    with transaction(engine) as connection:
        return [each.kind for each in reversed(sessions.list_attempts(connection, limit=100))]


def execute(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement))


def test_the_right_password_opens_a_session_with_a_token_of_its_own(engine: Engine) -> None:
    anna = add(engine, "anna@example.com")

    first, second = sign_in(engine, " ANNA@Example.com"), sign_in(engine, "anna@example.com")

    assert first.session.person.id == anna.id
    assert first.token != second.token
    assert first.session.csrf != second.session.csrf
    assert SessionRing(engine).read(first.token) == first.session
    assert first.session.is_own_csrf(first.session.csrf)
    assert not first.session.is_own_csrf(second.session.csrf)
    assert not first.session.is_own_csrf("\ud800")
    assert kinds(engine) == ["signed_in", "signed_in"]
