"""Typed identifiers, made here and nowhere else.

An id is 48 bits of milliseconds and 80 random bits in Crockford base 32: 26 lower-case characters that sort by the time
they were made; those of one process rise strictly. Golden ids carry the prefix that their entity type declares
(`cus_…`), the hub's own ids a fixed one, so that an id in a log tells what it names. Ids are never parsed for meaning
and never reused.
"""

import re
import secrets
import threading
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 26
_PATTERN: Final = re.compile(rf"[a-z]{{2,8}}_[{_ALPHABET}]{{{_LENGTH}}}")

_latest = 0
_lock = threading.Lock()


class GoldenId(str):
    """Names a golden record for ever: active, forwarded or retired."""

    __slots__ = ()


class RecordId(str):
    """Names a source record inside the hub; the outside world uses its source key."""

    __slots__ = ()


class EventId(str):
    """Names one change of identity or values."""

    __slots__ = ()


class DecisionId(str):
    """Names a steward's decision."""

    __slots__ = ()


class OverrideId(str):
    """Names a steward's own value for one attribute."""

    __slots__ = ()


class ReviewId(str):
    """Names a question put to a steward."""

    __slots__ = ()


class AnswerId(str):
    """Names an answer that somebody gave to a review."""

    __slots__ = ()


class ExceptionId(str):
    """Names a delivered record, or a part of one, that the hub could not take as it was."""

    __slots__ = ()


class SourceEventId(str):
    """Names one thing that happened to a record inside its source."""

    __slots__ = ()


class ReservationId(str):
    """Names an idempotent create that waits for its source key."""

    __slots__ = ()


class DealId(str):
    """Names a deal on its way to be billed."""

    __slots__ = ()


class ApiKeyId(str):
    """Names an API key; the secret is no part of it."""

    __slots__ = ()


class PersonId(str):
    """Names a person who signs in; the login may be told to everybody, this id stands in the audit log."""

    __slots__ = ()


class SessionId(str):
    """Names a session of the console; the token is no part of it."""

    __slots__ = ()


def new_golden_id(prefix: str) -> GoldenId:
    """Mint a golden id with the prefix that the entity type declares."""
    return GoldenId(f"{prefix}_{_sortable()}")


def new_record_id() -> RecordId:
    """Make the id of a source record."""
    return RecordId(f"rec_{_sortable()}")


def new_event_id() -> EventId:
    """Make the id of an event."""
    return EventId(f"evt_{_sortable()}")


def new_decision_id() -> DecisionId:
    """Make the id of a decision."""
    return DecisionId(f"dec_{_sortable()}")


def new_override_id() -> OverrideId:
    """Make the id of an override."""
    return OverrideId(f"ovr_{_sortable()}")


def new_review_id() -> ReviewId:
    """Make the id of a review."""
    return ReviewId(f"rev_{_sortable()}")


def new_answer_id() -> AnswerId:
    """Make the id of an answer to a review."""
    return AnswerId(f"ans_{_sortable()}")


def new_bulk_id() -> str:
    """Make the id of answers given together."""
    return f"blk_{_sortable()}"


def new_band_id() -> str:
    """Make the id of a band: reviews that get one answer."""
    return f"bnd_{_sortable()}"


def new_queue_id() -> str:
    """Make the id of a queue that somebody keeps."""
    return f"que_{_sortable()}"


def new_comment_id() -> str:
    """Make the id of a comment."""
    return f"cmt_{_sortable()}"


def new_exception_id() -> ExceptionId:
    """Make the id of an exception."""
    return ExceptionId(f"exc_{_sortable()}")


def new_source_event_id() -> SourceEventId:
    """Make the id of a source event."""
    return SourceEventId(f"sev_{_sortable()}")


def new_target_report_id() -> str:
    """Make the id of a report on what a target holds."""
    return f"trp_{_sortable()}"


def new_delivery_order_id() -> str:
    """Make the id of what somebody ordered about deliveries."""
    return f"ord_{_sortable()}"


def new_freeze_id() -> str:
    """Make the id of a freeze of an attribute."""
    return f"frz_{_sortable()}"


def new_reservation_id() -> ReservationId:
    """Make the id of a reservation."""
    return ReservationId(f"rsv_{_sortable()}")


def new_deal_id() -> DealId:
    """Make the id of a deal."""
    return DealId(f"dea_{_sortable()}")


def new_api_key_id() -> ApiKeyId:
    """Make the id of an API key."""
    return ApiKeyId(f"key_{_sortable()}")


def new_person_id() -> PersonId:
    """Make the id of a person."""
    return PersonId(f"per_{_sortable()}")


def new_session_id() -> SessionId:
    """Make the id of a session."""
    return SessionId(f"ses_{_sortable()}")


def new_link_id() -> str:
    """Make the id of a one-time link."""
    return f"lnk_{_sortable()}"


def new_sign_in_id() -> str:
    """Make the id of an attempt to sign in."""
    return f"sgn_{_sortable()}"


def is_well_formed(text: str) -> bool:
    """Tell whether a text has the shape of an id of ours; it need not exist."""
    return _PATTERN.fullmatch(text) is not None


def _sortable() -> str:
    global _latest  # noqa: PLW0603 -- ids of one process rise strictly, also within a millisecond
    with _lock:
        _latest = max((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80), _latest + 1 + secrets.randbits(40))
        number = _latest
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def new_proposal_id() -> str:
    """Make the id of a change of rules that waits for a second person."""
    return f"rul_{_sortable()}"


def new_rematch_id() -> str:
    """Make the id of the work that brings records to other rules."""
    return f"rem_{_sortable()}"


def new_activation_id() -> str:
    """Make the id of an activation of rules."""
    return f"act_{_sortable()}"
