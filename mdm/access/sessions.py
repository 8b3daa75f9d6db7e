"""Use cases on sessions: sign in, redeem a link, sign out, and tell whose session a cookie is.

A token is 32 random bytes, stored as its SHA-256; signing in always makes a new one. A session ends after IDLE without
use, and after LIFE however busy. `SessionRing` remembers a good token for CACHE_LIFE_S: what ends a session, or changes
its person, takes effect within a second in every process.

Guessing is slowed down: every attempt is counted for its login and its address before the password is looked at, so
that many at once are many. Past FREE attempts the next one waits 1, 2, 4 … seconds, WAIT_S_MAX at most. Whoever is
refused is not told whether the login exists, neither in words nor by the time it takes.
"""

import hmac
import ipaddress
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Final

from sqlalchemy import Connection, Engine

from mdm.access import people, people_store
from mdm.access import sessions_store as store
from mdm.access.passwords import STANDARD_COST, PasswordCost, check_password, hash_password, verify_password
from mdm.access.people_model import (
    Chosen,
    LinkOffer,
    NewSession,
    Origin,
    Person,
    Session,
    SignIn,
    SignInAttempt,
    SignInKind,
    Standing,
    StoredSession,
    normal_login,
    normal_name,
)
from mdm.access.sessions_store import Failures
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run
from mdm.errors import InputInvalid, LinkUnusable, SignInRefused, SignInThrottled

IDLE: Final = timedelta(hours=12)  # chosen: a long day; a session left open in the evening is over in the morning
LIFE: Final = timedelta(days=7)  # chosen: a password, or the identity provider, is asked every week
SESSIONS_MAX: Final = 20  # chosen: more devices than anybody uses; the oldest sessions of a person end
# Chosen as for API keys: half of the promised second.
CACHE_LIFE_S: Final = 0.5
_CACHE_SIZE_MAX: Final = 10_000
_TOKEN_LENGTH: Final = 43

# Chosen: what a person who mistypes needs, and what an office behind one address needs.
FREE: Final[Mapping[str, int]] = {"login": 5, "address": 20}
# Chosen: 96 guesses a day at one login after the first dozen, while its owner waits a quarter of an hour at most; a
# link of an administrator lets the owner in at once.
WAIT_S_MAX: Final = 900
FAILURES_LIFE: Final = timedelta(days=1)  # chosen: yesterday's slips are forgotten
# Chosen: an attack is looked into within weeks; an address tells where a person was, so it is blanked then.
ADDRESS_LIFE: Final = timedelta(days=90)
ENDED_LIFE: Final = timedelta(days=30)  # chosen: long enough to ask which sessions there were


def sign_in(
    engine: Engine, login: str, password: str, *, address: str, cost: PasswordCost = STANDARD_COST
) -> NewSession:
    """Open a session for whoever knows the password; raises SignInRefused or SignInThrottled."""
    place, known = address_place(address), _known_form(login)
    claim = run(engine, lambda connection: _claim(connection, known, place))
    if isinstance(claim, int):
        raise SignInThrottled(claim)
    with reading(engine) as connection:
        found = people_store.password_of(connection, known or "")
    stored = found[1] if found else None
    verdict = verify_password(stored, password, cost)
    renewed = hash_password(password, cost) if verdict.is_right and verdict.is_outdated else stored

    def conclude(connection: Connection) -> NewSession | None:
        person = _proven(connection, found[0], stored) if found and verdict.is_right else None
        if person is None:
            store.add_attempt(connection, SignIn("refused", "local", place, found[0] if found else None))
            return None
        if renewed != stored:
            name_actor(connection, person.login)
            people_store.change(connection, person.id, {"password_hash": renewed})
        store.forgive(connection, login=claim["login"], address=claim["address"])
        return open_session(connection, person, kind="signed_in", origin="local", address=place)

    opened = run(engine, conclude)
    if opened is None:
        raise SignInRefused(
            "login and password do not belong together", remedy="check both, or ask an administrator for a link"
        )
    return opened


def look_at_link(engine: Engine, token: str) -> LinkOffer:
    """Tell what a link leads to, without redeeming it: mail programs open links too. Raises LinkUnusable."""
    with reading(engine) as connection:
        return _offer(connection, token)


def redeem_link(
    engine: Engine, token: str, chosen: Chosen, *, address: str, cost: PasswordCost = STANDARD_COST
) -> NewSession:
    """Take what somebody chose behind a link, and open a session; of two who try at once, one succeeds.

    Raises LinkUnusable, or InputInvalid after which the link still holds.
    """
    with reading(engine) as connection:
        offer = _offer(connection, token)
    login = normal_login(chosen.login or "") if offer.person is None else offer.person.login
    name = normal_name(chosen.name)
    check_password(chosen.password, login=login)
    password_hash = hash_password(chosen.password, cost)

    def redeem(connection: Connection) -> NewSession:
        if not people_store.take_link(connection, people.hash_token(token)):
            raise _unusable()
        person = _first_admin(connection, login, name) if offer.person is None else _named(connection, offer, name)
        people.store_password(connection, person, password_hash, by=person.login)
        return open_session(connection, person, kind="link_redeemed", origin="local", address=address_place(address))

    return run(engine, redeem)


def change_own_password(
    engine: Engine, session: Session, old: str, new: str, *, cost: PasswordCost = STANDARD_COST
) -> None:
    """Replace the password of somebody who proves the old one; all sessions end, so sign in again.

    Raises SignInRefused, SignInThrottled, InputInvalid, Conflict.
    """
    person = session.person
    people.check_local(person)
    check_password(new, login=person.login)
    claim = run(engine, lambda connection: _claim_login(connection, person.login))
    if isinstance(claim, int):
        raise SignInThrottled(claim)
    with reading(engine) as connection:
        found = people_store.password_of(connection, person.login)
    stored = found[1] if found else None
    if not verify_password(stored, old, cost).is_right:
        raise SignInRefused("the old password is not right", remedy="type it again, or ask an administrator for a link")
    password_hash = hash_password(new, cost)

    def replace(connection: Connection) -> None:
        if _proven(connection, person.id, stored) is None:
            raise SignInRefused("the password was changed meanwhile", remedy="sign in again")
        store.forgive(connection, login=claim["login"], address=None)
        people.store_password(connection, person, password_hash, by=person.login)

    run(engine, replace)


def sign_out(engine: Engine, session: Session, *, address: str) -> None:
    """End a session; ending it again changes nothing."""
    person, place = session.person, address_place(address)

    def end(connection: Connection) -> None:
        if store.end_session(connection, session.token_id, who=person.login):
            store.add_attempt(connection, SignIn("signed_out", person.origin, place, person.id, session.token_id))

    run(engine, end)


def sign_out_everywhere(engine: Engine, person_id: str, *, by: str) -> int:
    """End every session of a person; returns how many there were."""
    return run(engine, lambda connection: store.end_sessions(connection, person_id, who=by))


def list_attempts(connection: Connection, *, person_id: str | None = None, limit: int) -> tuple[SignInAttempt, ...]:
    """List the record of sign-ins, of one person or of all, newest first."""
    return store.attempts(connection, person_id=person_id, limit=limit)


def forget_sign_ins(connection: Connection) -> int:
    """Delete ended sessions, old failures and sign-ins that nobody finished; blank old addresses."""
    return store.forget(connection, sessions=ENDED_LIFE, addresses=ADDRESS_LIFE, failures=FAILURES_LIFE)


class SessionRing:
    """Sessions of one process, each for CACHE_LIFE_S; what the hub knows of a token is never older."""

    def __init__(self, engine: Engine) -> None:
        """Read sessions through this engine."""
        self._engine = engine
        self._sessions: dict[bytes, tuple[Session, float]] = {}

    def cached(self, token: str) -> Session | None:
        """Answer from memory only; None means ask `read`, not that there is no session."""
        entry = self._sessions.get(people.hash_token(token)) if len(token) == _TOKEN_LENGTH else None
        return entry[0] if entry is not None and time.monotonic() < entry[1] else None

    def read(self, token: str) -> Session | None:
        """Tell whose session a token is, from memory or the database; None when it is nobody's (any more)."""
        remembered = self.cached(token)
        if remembered is not None or len(token) != _TOKEN_LENGTH:
            return remembered
        asked_at, token_hash = time.monotonic(), people.hash_token(token)
        with reading(self._engine) as connection:
            found = store.live_session(connection, token_hash, idle=IDLE)
        if found is None:
            self._sessions.pop(token_hash, None)
            return None
        if found.is_stale:
            run(self._engine, lambda connection: store.touch_session(connection, found.id))
        if len(self._sessions) >= _CACHE_SIZE_MAX:
            self._sessions.clear()
        session = _session(found, token)
        self._sessions[token_hash] = (session, asked_at + CACHE_LIFE_S)
        return session

    def forget(self, token: str) -> None:
        """Forget a token at once, as after signing out in this process."""
        self._sessions.pop(people.hash_token(token), None)


def open_session(
    connection: Connection, person: Person, *, kind: SignInKind, origin: Origin, address: str
) -> NewSession:
    """Open a session for a person who has proved to be it, and record that."""
    token = secrets.token_urlsafe(32)
    token_hash = people.hash_token(token)
    session_id = store.open_session(connection, person.id, token_hash, life=LIFE)
    store.end_sessions(connection, person.id, who="hub", kept=SESSIONS_MAX)
    people_store.note_sign_in(connection, person.id)
    store.add_attempt(connection, SignIn(kind, origin, address, person.id, session_id))
    found = store.live_session(connection, token_hash, idle=IDLE)
    assert found is not None
    return NewSession(_session(found, token), token)


def address_place(address: str) -> str:
    """Write the address of a caller as the place whose attempts count together: of IPv6 the network of 64 bits.

    Text that is no address, as a proxy might forward it, is one place: unknown.
    """
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def wait_s(failures: int, free: int, age_s: float) -> int:
    """Work out how many whole seconds the next attempt waits after so many failures, the last so long ago."""
    if failures < free or age_s >= FAILURES_LIFE.total_seconds():
        return 0
    pause_s = min(WAIT_S_MAX, 1 << min(failures - free, 30))
    return max(0, ceil(pause_s - age_s))


def _claim(connection: Connection, login: str | None, place: str) -> Mapping[str, bytes] | int:
    """Count an attempt before it is made; gives what was counted, or the seconds to wait, which are not counted."""
    names = {"address": f"address {place}"} | ({"login": f"login {login}"} if login else {})
    found = store.hold_failures(connection, list(names.values()))
    held = {kind: found[name] for kind, name in names.items()}
    pause_s = max(wait_s(each.count, FREE[kind], each.age_s) for kind, each in held.items())
    if pause_s:
        owner = people_store.password_of(connection, login or "")
        store.add_attempt_once_a_minute(connection, SignIn("throttled", "local", place, owner[0] if owner else None))
        return pause_s
    return _count(connection, held)


def _claim_login(connection: Connection, login: str) -> Mapping[str, bytes] | int:
    """Count an attempt of somebody who is signed in: at the login alone."""
    held = {"login": store.hold_failures(connection, [f"login {login}"])[f"login {login}"]}
    pause_s = wait_s(held["login"].count, FREE["login"], held["login"].age_s)
    return pause_s or _count(connection, held)


def _count(connection: Connection, held: Mapping[str, Failures]) -> Mapping[str, bytes]:
    life_s = FAILURES_LIFE.total_seconds()
    store.set_failures(
        connection, {each.subject: each.count + 1 if each.age_s < life_s else 1 for each in held.values()}
    )
    return {kind: each.subject for kind, each in held.items()}


def _proven(connection: Connection, person_id: str, stored: str | None) -> Person | None:
    """Give the person whose password was right, unless it was changed, or the person disabled, meanwhile."""
    found = people_store.locked_person(connection, person_id)
    if found is None or found[0].is_disabled or found[1] != stored:
        return None
    return found[0]


def _offer(connection: Connection, token: str) -> LinkOffer:
    found = people_store.open_link(connection, people.hash_token(token))
    if found is None:
        raise _unusable()
    person_id, expires_at = found
    if person_id is None:
        if people_store.is_anybody(connection):
            raise _unusable()
        return LinkOffer(None, expires_at)
    person = people_store.person_by_id(connection, person_id)
    if person is None or person.is_disabled:
        raise _unusable()
    return LinkOffer(person, expires_at)


def _first_admin(connection: Connection, login: str, name: str) -> Person:
    people_store.lock_first_admin(connection)
    if people_store.is_anybody(connection):
        raise _unusable()
    return people.add_person(connection, login, name=name, standing=Standing("admin"), by="first-admin-link")


def _named(connection: Connection, offer: LinkOffer, name: str) -> Person:
    assert offer.person is not None
    found = people_store.locked_person(connection, offer.person.id)
    if found is None or found[0].is_disabled:
        raise _unusable()
    name_actor(connection, found[0].login)
    return people_store.change(connection, found[0].id, {"name": name})


def _unusable() -> LinkUnusable:
    return LinkUnusable(
        "this link was used before, has expired, or was replaced by a newer one",
        remedy="ask an administrator for another one; `mdm serve` prints the first one anew",
    )


def _known_form(login: str) -> str | None:
    try:
        return normal_login(login)
    except InputInvalid:
        return None


def _session(stored: StoredSession, token: str) -> Session:
    """Make a session from what is stored and its token, from which the token of its forms follows."""
    csrf = urlsafe_b64encode(hmac.digest(token.encode(), b"mdm csrf", "sha256")).rstrip(b"=").decode()
    return Session(stored.id, stored.person, csrf, stored.opened_at, stored.expires_at)
