"""Signing in: the right password opens a session, every other way is refused alike, and guessing is slowed down."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import log2
from statistics import median
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.access import people, sessions
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import NewSession, Person, PersonChange, Standing
from mdm.access.sessions import CACHE_LIFE_S, FREE, SESSIONS_MAX, SessionRing
from mdm.db.transaction import run, transaction
from mdm.errors import InputInvalid, SignInRefused, SignInThrottled

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
    assert SessionRing(engine).read(second.token) == second.session
    assert first.token != second.token
    assert first.session.csrf != second.session.csrf
    assert first.session.is_own_csrf(first.session.csrf)
    assert not first.session.is_own_csrf(second.session.csrf)
    assert not first.session.is_own_csrf("\ud800")
    assert kinds(engine) == ["signed_in", "signed_in"]


def test_neither_token_nor_password_stands_in_the_database(engine: Engine) -> None:
    add(engine, "anna")

    token = sign_in(engine, "anna").token

    for table in ("person", "console_session", "person_link", "sign_in_attempt", "sign_in_throttle", "audit_entry"):
        with transaction(engine) as connection:
            stored = str([tuple(row) for row in connection.execute(text(f"SELECT t.*, t::text FROM {table} AS t"))])
        assert token not in stored
        assert token.encode().hex() not in stored
        assert PASSWORD not in stored


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("anna", "seven green boat"),
        ("anna", ""),
        ("anna", "x" * 10_000),
        ("anna", PASSWORD + "\0"),
        ("anna", "\ud800" * 12),
        ("bert", PASSWORD),
        ("", PASSWORD),
        ("anna\0", PASSWORD),
        ("a" * 10_000, PASSWORD),
        ("\ud800", PASSWORD),
        ("аnna", PASSWORD),  # with a Cyrillic first letter
        ("' OR 1=1 --", PASSWORD),
        ("invited", PASSWORD),
        ("disabled", PASSWORD),
    ],
)
def test_everything_else_is_refused_in_the_same_words(engine: Engine, login: str, password: str) -> None:
    add(engine, "anna")
    add(engine, "invited", password=None)
    gone = add(engine, "disabled")
    run(engine, lambda c: people.change_person(c, gone.id, PersonChange(is_disabled=True), by="test"))

    with pytest.raises(SignInRefused) as refused:
        sign_in(engine, login, password)

    assert refused.value.message == "login and password do not belong together"
    assert kinds(engine) == ["refused"]


def test_an_unknown_login_takes_as_long_as_a_known_one(engine: Engine) -> None:
    """Without the decoy, an unknown login would cost about a hundredth of the processor time of a known one."""
    dear = PasswordCost(memory_kib=8_192, passes=2)
    anna = add(engine, "anna")
    run(engine, lambda c: people.set_password(c, anna.id, PASSWORD, by="test", cost=dear))

    def seconds(login: str, number: int) -> float:
        began = time.thread_time()
        with pytest.raises(SignInRefused):
            sessions.sign_in(engine, login, "wrong", address=f"192.0.2.{number}", cost=dear)
        return time.thread_time() - began

    seconds("nobody", 0)  # makes the decoy
    known = median(seconds("anna", number) for number in range(1, 4))
    unknown = median(seconds(f"nobody-{number}", number) for number in range(4, 7))

    assert 0.5 < unknown / known < 2


def test_a_hash_of_older_parameters_is_replaced_once_the_password_is_proven(engine: Engine) -> None:
    add(engine, "anna")
    newer = PasswordCost(memory_kib=16, passes=1)

    with pytest.raises(SignInRefused):
        sessions.sign_in(engine, "anna", "wrong", address=HOME, cost=newer)
    assert "m=8,t=1" in stored_hash(engine)
    sessions.sign_in(engine, "anna", PASSWORD, address=HOME, cost=newer)
    assert "m=16,t=1" in stored_hash(engine)

    assert sign_in(engine, "anna").session.person.login == "anna"


def stored_hash(engine: Engine) -> str:
    with transaction(engine) as connection:
        return str(connection.execute(text("SELECT password_hash FROM person")).scalar_one())


def hold(engine: Engine) -> None:
    """Put the last failure a minute ahead, so that the next wait outlasts the slowest machine."""
    execute(engine, "UPDATE sign_in_throttle SET failed_at = clock_timestamp() + interval '1 minute'")


def test_the_sixth_attempt_at_a_login_waits_and_the_right_password_waits_too(engine: Engine) -> None:
    add(engine, "anna")
    for _ in range(FREE["login"]):
        with pytest.raises(SignInRefused):
            sign_in(engine, "anna", "wrong")
    hold(engine)

    with pytest.raises(SignInThrottled) as throttled:
        sign_in(engine, "anna", address="198.51.100.7")

    assert 50 < throttled.value.retry_after_s <= 61
    execute(engine, "UPDATE sign_in_throttle SET failed_at = failed_at - interval '61 seconds'")
    assert sign_in(engine, "anna").session.person.login == "anna"
    assert kinds(engine) == ["refused"] * 5 + ["throttled", "signed_in"]


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    waits = [sessions.wait_s(failures, 5, 0.0) for failures in (0, 4, 5, 6, 7, 8, 14, 15, 1_000)]

    assert waits == [0, 0, 1, 2, 4, 8, 512, 900, 900]
    assert sessions.wait_s(7, 5, 3.2) == 1
    assert sessions.wait_s(1_000, 5, 86_400.0) == 0


def test_success_forgets_the_failures_of_the_login_but_not_those_of_the_address(engine: Engine) -> None:
    add(engine, "anna")
    for _ in range(4):
        with pytest.raises(SignInRefused):
            sign_in(engine, "anna", "wrong")

    sign_in(engine, "anna")

    with transaction(engine) as connection:
        assert list(connection.execute(text("SELECT failures FROM sign_in_throttle")).scalars()) == [4]


def test_many_logins_from_one_address_are_slowed_down_and_other_addresses_are_not(engine: Engine) -> None:
    add(engine, "anna")
    for number in range(FREE["address"]):
        with pytest.raises(SignInRefused):
            sign_in(engine, f"guess-{number}", address="2001:db8::1")
    hold(engine)

    with pytest.raises(SignInThrottled):
        sign_in(engine, "anna", address="2001:db8::ffff")  # the same network of 64 bits
    assert sign_in(engine, "anna", address="2001:db8:0:1::1").session.person.login == "anna"


def test_twenty_wrong_passwords_at_once_are_counted_each(engine: Engine) -> None:
    add(engine, "anna")
    start = Barrier(20)

    def attempt(_: int) -> str:
        start.wait()
        try:
            sign_in(engine, "anna", "wrong")
        except SignInRefused:
            return "refused"
        except SignInThrottled:
            return "throttled"
        return "signed in"

    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(attempt, range(20)))
    seconds = time.monotonic() - began

    assert told.count("refused") + told.count("throttled") == 20
    # Five at once; on a slow machine one more after 1 s, another one after 1 + 2 s, and so on.
    assert 5 <= told.count("refused") <= 5 + int(log2(seconds + 1))
    with transaction(engine) as connection:
        failures = connection.execute(text("SELECT failures FROM sign_in_throttle")).scalars()
        assert set(failures) == {told.count("refused")}


def test_a_flood_of_throttled_attempts_is_one_entry_a_minute(engine: Engine) -> None:
    add(engine, "anna")
    for _ in range(FREE["login"]):
        with pytest.raises(SignInRefused):
            sign_in(engine, "anna", "wrong")
    hold(engine)

    for _ in range(10):
        with pytest.raises(SignInThrottled):
            sign_in(engine, "anna", "wrong")

    assert kinds(engine).count("throttled") == 1


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" ::ffff:192.0.2.7 ", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        ("192.0.2.7, 10.0.0.1", "unknown"),
        ("x" * 10_000 + "\0", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_counts_as_its_place(given: str, place: str) -> None:
    assert sessions.address_place(given) == place


def test_what_ends_a_session_ends_it_everywhere_within_a_second(engine: Engine) -> None:
    anna = add(engine, "anna")
    ways: list[Callable[[NewSession], object]] = [
        lambda new: sessions.sign_out(engine, new.session, address=HOME),
        lambda _: sessions.sign_out_everywhere(engine, anna.id, by="test"),
        lambda _: run(engine, lambda c: people.set_password(c, anna.id, PASSWORD, by="test", cost=QUICK)),
        lambda _: run(engine, lambda c: people.change_person(c, anna.id, PersonChange(is_disabled=True), by="test")),
    ]
    for end in ways:
        new, ring = sign_in(engine, "anna"), SessionRing(engine)
        assert ring.read(new.token) is not None

        end(new)

        time.sleep(CACHE_LIFE_S)
        assert ring.read(new.token) is None


def test_a_ring_answers_from_memory_for_its_short_life_and_forgets_at_once_when_told(engine: Engine) -> None:
    add(engine, "anna")
    new, ring = sign_in(engine, "anna"), SessionRing(engine)
    ring.read(new.token)
    execute(engine, "UPDATE console_session SET ended_at = clock_timestamp(), ended_by = 'test'")

    assert ring.cached(new.token) == new.session
    ring.forget(new.token)
    assert ring.read(new.token) is None


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 10_000, "\0" * 43, "\ud800" * 43, "é" * 43])
def test_any_other_text_is_nobodys_session(engine: Engine, token: str) -> None:
    assert SessionRing(engine).read(token) is None


@pytest.mark.parametrize(
    ("moved", "is_live"),
    [
        ("seen_at = seen_at - interval '11 hours 59 minutes'", True),
        ("seen_at = seen_at - interval '12 hours'", False),
        ("expires_at = expires_at - interval '6 days 23 hours'", True),
        ("expires_at = expires_at - interval '7 days'", False),
    ],
)
def test_a_session_ends_when_idle_for_twelve_hours_or_a_week_old(engine: Engine, moved: str, is_live: bool) -> None:
    add(engine, "anna")
    new = sign_in(engine, "anna")

    execute(engine, f"UPDATE console_session SET {moved}")

    assert (SessionRing(engine).read(new.token) is not None) == is_live


def test_use_renews_a_session_at_most_once_a_minute(engine: Engine) -> None:
    add(engine, "anna")
    new = sign_in(engine, "anna")
    execute(engine, "UPDATE console_session SET seen_at = seen_at - interval '11 hours'")

    first, second = SessionRing(engine).read(new.token), SessionRing(engine).read(new.token)
    with transaction(engine) as connection:
        before = connection.execute(text("SELECT ctid FROM console_session")).one()
    SessionRing(engine).read(new.token)

    assert first is not None
    assert second is not None
    assert second.expires_at - first.expires_at > timedelta(hours=10, minutes=59)
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT ctid FROM console_session")).one() == before


def test_a_changed_role_reaches_open_sessions(engine: Engine) -> None:
    anna = add(engine, "anna", role="steward")
    new = sign_in(engine, "anna")

    run(engine, lambda c: people.change_person(c, anna.id, PersonChange(role="viewer"), by="test"))

    session = SessionRing(engine).read(new.token)
    assert session is not None
    assert not session.person.principal.holds("steward")


def test_the_oldest_sessions_end_past_the_bound(engine: Engine) -> None:
    add(engine, "anna")

    opened = [sign_in(engine, "anna") for _ in range(SESSIONS_MAX + 2)]

    live = [SessionRing(engine).read(each.token) is not None for each in opened]
    assert live == [False, False] + [True] * SESSIONS_MAX


def test_signing_out_twice_is_recorded_once(engine: Engine) -> None:
    add(engine, "anna")
    new = sign_in(engine, "anna")

    for _ in range(2):
        sessions.sign_out(engine, new.session, address=HOME)

    assert kinds(engine) == ["signed_in", "signed_out"]


def test_an_own_password_is_changed_by_proving_the_old_one(engine: Engine) -> None:
    add(engine, "anna")
    new = sign_in(engine, "anna")

    with pytest.raises(SignInRefused):
        sessions.change_own_password(engine, new.session, "wrong", "nine blue mountains", cost=QUICK)
    with pytest.raises(InputInvalid):
        sessions.change_own_password(engine, new.session, PASSWORD, "short", cost=QUICK)
    sessions.change_own_password(engine, new.session, PASSWORD, "nine blue mountains", cost=QUICK)

    assert SessionRing(engine).read(new.token) is None
    with pytest.raises(SignInRefused):
        sign_in(engine, "anna")
    assert sign_in(engine, "anna", "nine blue mountains").session.person.login == "anna"


def test_old_addresses_are_blanked_and_what_is_over_is_forgotten(engine: Engine) -> None:
    add(engine, "anna")
    sign_in(engine, "anna")
    sessions.sign_out(engine, sign_in(engine, "anna").session, address=HOME)
    execute(
        engine, "UPDATE sign_in_attempt SET recorded_at = recorded_at - interval '91 days' WHERE kind = 'signed_in'"
    )
    execute(engine, "UPDATE console_session SET ended_at = ended_at - interval '31 days' WHERE ended_at IS NOT NULL")
    execute(engine, "UPDATE sign_in_throttle SET failed_at = failed_at - interval '25 hours'")

    run(engine, sessions.forget_sign_ins)

    with transaction(engine) as connection:
        addresses = {each.kind: each.address for each in sessions.list_attempts(connection, limit=10)}
        left = connection.execute(
            text("SELECT (SELECT count(*) FROM console_session), (SELECT count(*) FROM sign_in_throttle)")
        ).one()
    assert addresses == {"signed_in": None, "signed_out": HOME}
    assert tuple(left) == (1, 0)


@pytest.mark.parametrize("meanwhile", ["password_hash = 'another'", "disabled_at = now(), disabled_by = 'ada'"])
def test_a_password_that_stopped_being_right_while_it_was_checked_opens_nothing(engine: Engine, meanwhile: str) -> None:
    add(engine, "anna")
    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.execute(text(f"UPDATE person SET {meanwhile}"))
        signing_in = pool.submit(sign_in, engine, "anna")
        time.sleep(0.3)  # it has seen the old row, and waits for this one; slower, it sees the new one
        connection.commit()

        with pytest.raises(SignInRefused):
            signing_in.result()

    assert kinds(engine) == ["refused"]
