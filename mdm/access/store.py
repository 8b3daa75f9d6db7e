"""SQL of access: one function a question, frozen values back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from mdm.access.model import ApiKey, Attempt, Grant, Reply, Scope
from mdm.access.rates_model import parse_own_rates, print_own_rates
from mdm.access.tables import api_key, idempotency_record
from mdm.db.statement import text
from mdm.ids import ApiKeyId

_KEY_COLUMNS = [column for column in api_key.c if column.name != "key_hash"]
_ATTEMPT_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 7046029254386353131))")


def add_key(connection: Connection, key_id: ApiKeyId, *, name: str, key_hash: bytes, grant: Grant, who: str) -> ApiKey:
    """Add a key that does not expire yet."""
    scopes, rates = [str(scope) for scope in grant.scopes], print_own_rates(grant.rates) or None
    row = connection.execute(
        insert(api_key)
        .values(id=key_id, name=name, key_hash=key_hash, scopes=scopes, rates=rates, who=who)
        .returning(*_KEY_COLUMNS)
    ).one()
    return _key(row)


def key_by_id(connection: Connection, key_id: str) -> ApiKey | None:
    """Find a key, whatever its state."""
    row = connection.execute(select(*_KEY_COLUMNS).where(api_key.c.id == key_id)).one_or_none()
    return _key(row) if row else None


def live_key(connection: Connection, key_id: str) -> tuple[ApiKey, bytes] | None:
    """Find a key that is neither revoked nor expired by the database's clock, with its hash."""
    row = connection.execute(
        select(*_KEY_COLUMNS, api_key.c.key_hash).where(
            api_key.c.id == key_id,
            api_key.c.revoked_at.is_(None),
            or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > func.clock_timestamp()),
        )
    ).one_or_none()
    return (_key(row), bytes(row.key_hash)) if row else None


def keys(connection: Connection) -> tuple[ApiKey, ...]:
    """List every key, oldest first; ids sort by the time they were made."""
    return tuple(_key(row) for row in connection.execute(select(*_KEY_COLUMNS).order_by(api_key.c.id)))


def set_expiry(connection: Connection, key_id: str, expires_at: datetime) -> ApiKey:
    """Let a key expire; an earlier expiry stands."""
    row = connection.execute(
        update(api_key)
        .where(api_key.c.id == key_id)
        .values(expires_at=func.least(api_key.c.expires_at, expires_at))
        .returning(*_KEY_COLUMNS)
    ).one()
    return _key(row)


def set_expiry_in(connection: Connection, key_id: str, delay: timedelta) -> None:
    """Let a key expire after a delay by the database's clock; an earlier expiry stands."""
    expires_at = connection.execute(select(func.clock_timestamp() + delay)).scalar_one()
    set_expiry(connection, key_id, expires_at)


def revoke(connection: Connection, key_id: str, *, who: str) -> ApiKey | None:
    """End a key; the first revocation stands. None when there is no such key."""
    connection.execute(
        update(api_key)
        .where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp(), revoked_by=who)
    )
    return key_by_id(connection, key_id)


def touch(connection: Connection, key_id: str) -> None:
    """Note that a key is in use, at most once a minute so that a busy key costs no write load."""
    minute = func.date_trunc("minute", func.clock_timestamp())
    connection.execute(
        update(api_key)
        .where(api_key.c.id == key_id, or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < minute))
        .values(last_used_at=minute)
    )


def try_lock_attempt(connection: Connection, attempt: Attempt) -> bool:
    """Take the attempt's key until the transaction ends, without waiting; False when another transaction has it."""
    name = f"{attempt.who}\x1f{attempt.route}\x1f{attempt.key}"
    return bool(connection.execute(_ATTEMPT_LOCK, {"name": name}).scalar_one())


def reply_to(connection: Connection, attempt: Attempt) -> tuple[bytes, Reply] | None:
    """Find the fingerprint and reply stored under the attempt's key and part."""
    table = idempotency_record
    row = connection.execute(
        select(table.c.fingerprint, table.c.status, table.c.body).where(
            table.c.who == attempt.who,
            table.c.route == attempt.route,
            table.c.key == attempt.key,
            table.c.part == attempt.part,
        )
    ).one_or_none()
    return (bytes(row.fingerprint), Reply(row.status, bytes(row.body))) if row else None


def add_reply(connection: Connection, attempt: Attempt, reply: Reply) -> None:
    """Store the reply beside the effect, in the same transaction."""
    connection.execute(
        insert(idempotency_record).values(
            who=attempt.who,
            route=attempt.route,
            key=attempt.key,
            part=attempt.part,
            fingerprint=attempt.fingerprint,
            status=reply.status,
            body=reply.body,
        )
    )


def forget_replies(connection: Connection, *, older_than: timedelta) -> int:
    """Delete replies past their promised life; returns how many."""
    return connection.execute(
        delete(idempotency_record).where(idempotency_record.c.recorded_at < func.clock_timestamp() - older_than)
    ).rowcount


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.id),
        name=row.name,
        scopes=tuple(Scope.parse(scope) for scope in row.scopes),
        recorded_at=row.recorded_at,
        who=row.who,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        last_used_at=row.last_used_at,
        rates=parse_own_rates(row.rates or ()),
    )
