"""Use cases on API keys: create, verify, list, rotate, revoke.

A token is `mdm_<id>_<secret>`, the secret being 32 random bytes. Its SHA-256 is stored: a slow password hash protects
secrets that can be guessed, and 256 random bits cannot, so a plain hash loses nothing and costs a microsecond a
request instead of 100 ms. `KeyRing` remembers a verified token for CACHE_LIFE_S, so a revocation takes effect within
that in every process.
"""

import hmac
import re
import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, Engine

from mdm.access import store
from mdm.access.model import ApiKey, Grant, NewKey, Principal, parse_scopes
from mdm.access.rates_model import parse_own_rates, print_own_rates
from mdm.db.actor import name_actor
from mdm.db.transaction import transaction
from mdm.errors import ApiKeyUnknown, Conflict, InputInvalid
from mdm.ids import new_api_key_id

# Chosen: half of the promised second, so that the read itself and a slow scheduler fit into the other half.
CACHE_LIFE_S: Final = 0.5
# Chosen: more live tokens than any installation hands out; the ring is emptied when it is full.
_CACHE_SIZE_MAX: Final = 10_000
_NAME_LENGTH_MAX: Final = 120
_TOKEN: Final = re.compile(r"mdm_([0-9a-z]{26})_([A-Za-z0-9_-]{43})")


def create_key(
    connection: Connection,
    *,
    name: str,
    scopes: Sequence[str],
    by: str,
    expires_at: datetime | None = None,
    rates: Sequence[str] = (),
) -> NewKey:
    """Make a key; its token exists in the answer and nowhere else. Rates of its own hold in place of the settings'."""
    if not 0 < len(name.strip()) <= _NAME_LENGTH_MAX:
        raise InputInvalid(
            "a key needs a name of 1 to 120 characters", remedy="say who will use it, as in billing-sync", field="name"
        )
    grant = Grant(parse_scopes(scopes), parse_own_rates(rates))
    secret = secrets.token_urlsafe(32)
    key = store.add_key(connection, new_api_key_id(), name=name.strip(), key_hash=_hash(secret), grant=grant, who=by)
    if expires_at is not None:
        name_actor(connection, by)
        key = store.set_expiry(connection, key.id, expires_at)
    return NewKey(key, f"{key.prefix}_{secret}")


def verify(connection: Connection, token: str) -> Principal | None:
    """Tell whose token it is; None when it is not a token, unknown, expired or revoked (callers are not told which)."""
    found = _TOKEN.fullmatch(token)
    stored = store.live_key(connection, f"key_{found[1]}") if found else None
    if found is None or stored is None:
        return None
    key, key_hash = stored
    if not hmac.compare_digest(key_hash, _hash(found[2])):
        return None
    store.touch(connection, key.id)
    return Principal(key.id, key.name, key.scopes, key.rates)


def list_keys(connection: Connection) -> tuple[ApiKey, ...]:
    """List every key, live or not, oldest first."""
    return store.keys(connection)


def revoke_key(connection: Connection, key_id: str, *, by: str) -> ApiKey:
    """End a key for ever; ending it again changes nothing."""
    key = store.revoke(connection, key_id, who=by)
    if key is None:
        raise ApiKeyUnknown(key_id)
    return key


def rotate_key(connection: Connection, key_id: str, *, by: str, overlap: timedelta = timedelta(0)) -> NewKey:
    """Make a key of the same name, scopes and rates; the old one expires after the overlap."""
    key = store.key_by_id(connection, key_id)
    if key is None:
        raise ApiKeyUnknown(key_id)
    if key.revoked_at is not None:
        raise Conflict(f"API key {key_id} was revoked", remedy="create a new key")
    successor = create_key(
        connection,
        name=key.name,
        scopes=[str(scope) for scope in key.scopes],
        by=by,
        expires_at=key.expires_at,
        rates=print_own_rates(key.rates),
    )
    name_actor(connection, by)
    store.set_expiry_in(connection, key.id, overlap)
    return successor


class KeyRing:
    """Verified tokens of one process, each for CACHE_LIFE_S; what the hub knows of a token is never older."""

    def __init__(self, engine: Engine) -> None:
        """Read keys through this engine."""
        self._engine = engine
        self._principals: dict[bytes, tuple[Principal, float]] = {}

    def cached(self, token: str) -> Principal | None:
        """Answer from memory only; None means ask `read`, not that the token is refused."""
        entry = self._principals.get(_hash(token))
        return entry[0] if entry is not None and time.monotonic() < entry[1] else None

    def read(self, token: str) -> Principal | None:
        """Answer from the database and remember a good token, counting its life from before the question."""
        if not _TOKEN.fullmatch(token):
            return None
        asked_at = time.monotonic()
        with transaction(self._engine) as connection:
            principal = verify(connection, token)
        if principal is None:
            self._principals.pop(_hash(token), None)
            return None
        if len(self._principals) >= _CACHE_SIZE_MAX:
            self._principals.clear()
        self._principals[_hash(token)] = (principal, asked_at + CACHE_LIFE_S)
        return principal


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
