"""SQL of sessions, of attempts to sign in and of sign-ins under way elsewhere: one function a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from mdm.access.people_model import OidcRequest, SignIn, SignInAttempt, StoredSession
from mdm.access.people_store import PERSON_COLUMNS, read_person
from mdm.access.tables import console_session, oidc_request, person, sign_in_attempt, sign_in_throttle
from mdm.db.statement import text
from mdm.ids import PersonId, SessionId, new_session_id, new_sign_in_id

_CLAIM: Final = """
    WITH asked AS (SELECT name, sha256(uuid_send((SELECT hub_id FROM audit_state))
                                       || convert_to(name, 'UTF8')) AS subject
                     FROM unnest(CAST(:names AS text[])) AS name),
         held AS (INSERT INTO sign_in_throttle AS t (subject, failures, failed_at)
                  SELECT subject, 0, clock_timestamp() FROM asked ORDER BY subject
                      ON CONFLICT (subject) DO UPDATE SET failures = t.failures
                  RETURNING subject, failures,
                            CAST(extract(epoch FROM clock_timestamp() - failed_at) AS double precision) AS age_s)
    SELECT asked.name, held.* FROM asked JOIN held USING (subject)"""
_ADD_ONCE_A_MINUTE: Final = """
    INSERT INTO sign_in_attempt (id, kind, origin, person_id, address, who)
    SELECT :id, :kind, :origin, :person_id, :address, :who
     WHERE NOT EXISTS (SELECT FROM sign_in_attempt AS a
                        WHERE a.recorded_at > clock_timestamp() - interval '1 minute' AND a.address = :address
                          AND a.kind = :kind AND a.origin = :origin
                          AND a.person_id IS NOT DISTINCT FROM CAST(:person_id AS text))"""


@dataclass(frozen=True, slots=True)
class Failures:
    """How often signing in has failed for a login or from an address, and how many seconds ago the last time."""

    subject: bytes
    count: int
    age_s: float


def open_session(connection: Connection, person_id: str, token_hash: bytes, *, life: timedelta) -> SessionId:
    """Add a session of a person."""
    session_id = new_session_id()
    connection.execute(
        insert(console_session).values(
            id=session_id,
            person_id=person_id,
            token_hash=token_hash,
            seen_at=func.clock_timestamp(),
            expires_at=func.clock_timestamp() + life,
        )
    )
    return session_id


def live_session(connection: Connection, token_hash: bytes, *, idle: timedelta) -> StoredSession | None:
    """Find a session that was not ended, is not too old nor idle for too long, of a person who may sign in."""
    now = func.clock_timestamp()
    row = connection.execute(
        select(
            *PERSON_COLUMNS,
            console_session.c.id.label("session_id"),
            console_session.c.recorded_at.label("opened_at"),
            func.least(console_session.c.expires_at, console_session.c.seen_at + idle).label("expires_at"),
            (console_session.c.seen_at < now - timedelta(minutes=1)).label("is_stale"),
        )
        .join(person, person.c.id == console_session.c.person_id)
        .where(
            console_session.c.token_hash == token_hash,
            console_session.c.ended_at.is_(None),
            console_session.c.expires_at > now,
            console_session.c.seen_at > now - idle,
            person.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return StoredSession(SessionId(row.session_id), read_person(row), row.opened_at, row.expires_at, row.is_stale)


def touch_session(connection: Connection, session_id: str) -> None:
    """Note that a session is in use, unless that was noted within the minute."""
    now = func.clock_timestamp()
    connection.execute(
        update(console_session)
        .where(console_session.c.id == session_id, console_session.c.seen_at < now - timedelta(minutes=1))
        .values(seen_at=now)
    )


def end_session(connection: Connection, session_id: str, *, who: str) -> bool:
    """End one session; False when it had ended."""
    ended = connection.execute(
        update(console_session)
        .where(console_session.c.id == session_id, console_session.c.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_by=who)
    )
    return ended.rowcount == 1


def end_sessions(connection: Connection, person_id: str, *, who: str, kept: int = 0) -> int:
    """End the sessions of a person but the newest `kept`; returns how many."""
    newest = (
        select(console_session.c.id)
        .where(console_session.c.person_id == person_id, console_session.c.ended_at.is_(None))
        .order_by(console_session.c.id.desc())
        .offset(kept)
    )
    ended = connection.execute(
        update(console_session)
        .where(console_session.c.id.in_(newest))
        .values(ended_at=func.clock_timestamp(), ended_by=who)
    )
    return ended.rowcount


def add_attempt(connection: Connection, sign_in: SignIn) -> None:
    """Add an entry to the record of sign-ins."""
    connection.execute(
        insert(sign_in_attempt).values(
            id=new_sign_in_id(),
            kind=sign_in.kind,
            origin=sign_in.origin,
            person_id=sign_in.person_id,
            session_id=sign_in.session_id,
            address=sign_in.address,
            who=sign_in.who,
        )
    )


def add_attempt_once_a_minute(connection: Connection, sign_in: SignIn) -> None:
    """Add an entry, unless its like stands there for this minute: what costs a stranger nothing fills no disk."""
    connection.execute(
        text(_ADD_ONCE_A_MINUTE),
        {
            "id": new_sign_in_id(),
            "kind": sign_in.kind,
            "origin": sign_in.origin,
            "person_id": sign_in.person_id,
            "address": sign_in.address,
            "who": sign_in.who,
        },
    )


def attempts(connection: Connection, *, person_id: str | None, limit: int) -> tuple[SignInAttempt, ...]:
    """List the record of sign-ins, of one person or of all, newest first."""
    query = select(sign_in_attempt).order_by(sign_in_attempt.c.id.desc()).limit(limit)
    if person_id is not None:
        query = query.where(sign_in_attempt.c.person_id == person_id)
    return tuple(_attempt(row) for row in connection.execute(query))


def hold_failures(connection: Connection, names: Sequence[str]) -> Mapping[str, Failures]:
    """Count the failures of these names, and keep others from counting them until the transaction ends."""
    rows = connection.execute(text(_CLAIM), {"names": sorted(names)})
    return {row.name: Failures(bytes(row.subject), row.failures, row.age_s) for row in rows}


def set_failures(connection: Connection, count_by_subject: Mapping[bytes, int]) -> None:
    """Count one more failure, at this moment."""
    for subject, count in sorted(count_by_subject.items()):
        connection.execute(
            update(sign_in_throttle)
            .where(sign_in_throttle.c.subject == subject)
            .values(failures=count, failed_at=func.clock_timestamp())
        )


def forgive(connection: Connection, *, login: bytes, address: bytes | None) -> None:
    """Forget the failures of a login, and give an address back the attempt that turned out well."""
    connection.execute(
        update(sign_in_throttle)
        .where(sign_in_throttle.c.subject == address)
        .values(failures=func.greatest(sign_in_throttle.c.failures - 1, 0))
    )
    connection.execute(delete(sign_in_throttle).where(sign_in_throttle.c.subject == login))


def add_oidc_request(connection: Connection, request: OidcRequest, *, life: timedelta) -> None:
    """Keep what the answer of the identity provider will be checked against."""
    connection.execute(
        insert(oidc_request).values(
            state_hash=request.state_hash,
            binding_hash=request.binding_hash,
            issuer=request.issuer,
            nonce=request.nonce,
            verifier=request.verifier,
            redirect_uri=request.redirect_uri,
            return_to=request.return_to,
            expires_at=func.clock_timestamp() + life,
        )
    )


def drop_oldest_oidc_requests(connection: Connection, *, kept: int) -> None:
    """Drop the sign-ins under way that have expired, and all but the newest ones."""
    newest = select(oidc_request.c.state_hash).order_by(oidc_request.c.expires_at.desc()).offset(kept)
    connection.execute(
        delete(oidc_request).where(
            or_(oidc_request.c.expires_at < func.clock_timestamp(), oidc_request.c.state_hash.in_(newest))
        )
    )


def take_oidc_request(connection: Connection, state_hash: bytes) -> OidcRequest | None:
    """Take a sign-in under way, which nobody can take again; None when there is none or it has expired."""
    row = connection.execute(
        delete(oidc_request)
        .where(oidc_request.c.state_hash == state_hash)
        .returning(oidc_request, (oidc_request.c.expires_at > func.clock_timestamp()).label("is_live"))
    ).one_or_none()
    if row is None or not row.is_live:
        return None
    return OidcRequest(
        state_hash=bytes(row.state_hash),
        binding_hash=bytes(row.binding_hash),
        issuer=row.issuer,
        nonce=row.nonce,
        verifier=row.verifier,
        redirect_uri=row.redirect_uri,
        return_to=row.return_to,
    )


def forget(connection: Connection, *, sessions: timedelta, addresses: timedelta, failures: timedelta) -> int:
    """Delete what is over: old sessions, failures, sign-ins under way; blank old addresses. Returns how many rows."""
    now = func.clock_timestamp()
    old_session = func.coalesce(console_session.c.ended_at, console_session.c.expires_at) < now - sessions
    return sum(
        connection.execute(statement).rowcount
        for statement in (
            delete(console_session).where(old_session),
            delete(sign_in_throttle).where(sign_in_throttle.c.failed_at < now - failures),
            delete(oidc_request).where(oidc_request.c.expires_at < now),
            update(sign_in_attempt)
            .where(sign_in_attempt.c.address.is_not(None), sign_in_attempt.c.recorded_at < now - addresses)
            .values(address=None),
        )
    )


def _attempt(row: Any) -> SignInAttempt:
    return SignInAttempt(
        id=row.id,
        kind=row.kind,
        origin=row.origin,
        person_id=PersonId(row.person_id) if row.person_id else None,
        session_id=SessionId(row.session_id) if row.session_id else None,
        address=row.address,
        recorded_at=row.recorded_at,
    )
