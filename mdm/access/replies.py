"""One effect and one reply for each Idempotency-Key.

The reply is stored in the transaction of its effect, so a crash leaves both or neither, and a repeat after a lost
answer gets the same bytes. Replies carry ids, versions and reasons and are kept for LIFE; `forget_replies` ends them.
A key belongs to its principal and route: two callers may use the same text.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from mdm.access import store
from mdm.access.model import Attempt, Reply
from mdm.errors import IdempotencyInFlight, IdempotencyMismatch

# Chosen: one day, as callers know it from payment APIs.
LIFE: Final = timedelta(hours=24)


class Answered(Exception):
    """The request was answered before; not a fault, but the end of the attempt at hand, which must do nothing more."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("answered before")
        self.reply = reply


def once(connection: Connection, attempt: Attempt | None, effect: Callable[[Connection], Reply]) -> Reply:
    """Carry out the effect, or give the reply of the first time; without an attempt, carry it out.

    Raises IdempotencyInFlight while another transaction works on the same key, IdempotencyMismatch when the key was
    used for another request.
    """
    if attempt is None:
        return effect(connection)
    try:
        begin(connection, attempt)
    except Answered as repeated:
        return repeated.reply
    reply = effect(connection)
    keep(connection, attempt, reply)
    return reply


def begin(connection: Connection, attempt: Attempt) -> None:
    """Hold the key of an attempt until the transaction ends.

    Raises Answered when it has its reply already, IdempotencyInFlight and IdempotencyMismatch as `once` does.
    """
    if not store.try_lock_attempt(connection, attempt):
        raise IdempotencyInFlight(
            "a request with this Idempotency-Key is still running", remedy="send the same request again in a second"
        )
    found = store.reply_to(connection, attempt)
    if found is None:
        return
    fingerprint, reply = found
    if fingerprint != attempt.fingerprint:
        raise IdempotencyMismatch(
            "this Idempotency-Key was used before with another request",
            remedy="send a fresh key with every new request",
        )
    raise Answered(reply)


def keep(connection: Connection, attempt: Attempt, reply: Reply) -> None:
    """Store the reply of an attempt that `begin` let through."""
    store.add_reply(connection, attempt, reply)


def forget_replies(connection: Connection) -> int:
    """Delete the replies past LIFE; returns how many."""
    return store.forget_replies(connection, older_than=LIFE)
