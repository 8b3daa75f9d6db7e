"""API keys in the database: good tokens are recognised, every other text is not, and memory is short."""

import time

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.access.service import CACHE_LIFE_S, KeyRing, create_key, list_keys, revoke_key, rotate_key, verify
from mdm.db.transaction import transaction
from mdm.errors import ApiKeyUnknown, Conflict


def test_a_token_tells_whose_it_is_and_notes_its_use(connection: Connection) -> None:
    new = create_key(connection, name=" sync ", scopes=["read", "read", "write:customer"], by="test")

    principal = verify(connection, new.token)

    assert principal is not None
    assert (principal.name, [str(scope) for scope in principal.scopes]) == ("sync", ["read", "write:customer"])
    (key,) = list_keys(connection)
    assert key.last_used_at is not None
    assert new.token.startswith(key.prefix)


@pytest.mark.parametrize("change", [str.upper, lambda token: token[:-1], lambda token: token + "x", lambda _: ""])
def test_any_other_text_is_nobody(connection: Connection, change: object) -> None:
    new = create_key(connection, name="sync", scopes=["read"], by="test")

    assert verify(connection, change(new.token)) is None  # type: ignore[operator]


def test_a_revoked_key_cannot_be_rotated_and_an_unknown_one_is_named(connection: Connection) -> None:
    new = create_key(connection, name="sync", scopes=["read"], by="test")
    revoke_key(connection, new.key.id, by="test")

    with pytest.raises(Conflict):
        rotate_key(connection, new.key.id, by="test")
    with pytest.raises(ApiKeyUnknown):
        revoke_key(connection, "key_nobody", by="test")


def test_a_ring_remembers_a_good_token_for_its_short_life_only(engine: Engine) -> None:
    with transaction(engine) as connection:
        new = create_key(connection, name="sync", scopes=["read"], by="test")
    ring = KeyRing(engine)

    assert ring.cached(new.token) is None
    assert ring.read(new.token) == ring.cached(new.token)
    time.sleep(CACHE_LIFE_S)
    assert ring.cached(new.token) is None


def test_a_busy_key_writes_its_use_once_a_minute(engine: Engine) -> None:
    with transaction(engine) as connection:
        new = create_key(connection, name="sync", scopes=["read"], by="test")

    with transaction(engine) as connection:
        connection.execute(text("UPDATE api_key SET last_used_at = clock_timestamp()"))
        before = connection.execute(text("SELECT ctid FROM api_key")).one()
        verify(connection, new.token)
        assert connection.execute(text("SELECT ctid FROM api_key")).one() == before
