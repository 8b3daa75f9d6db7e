"""Opaque page cursors.

A cursor holds the position after the last row of a page and a checksum bound to the list and its filters. Altered, cut
or used for another list, it is refused with 400. It is no secret and no permission: every page asks for scope again.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import Query

from api.schemas.shape import Page, Told
from mdm.errors import CursorInvalid

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 500
_CHECKSUM_LENGTH: Final = 8

Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX, description="Rows a page.")]
After = Annotated[
    str | None, Query(max_length=2000, description="The `next` of the page before; nothing for the first page.")
]

EntityTypeName = Annotated[str | None, Query(max_length=100, description="Entity type; all when left out.")]

Position = Sequence[str | float]
Row = TypeVar("Row", bound=Told)


def page(rows: list[Row], limit: int, of: str, position_of: Callable[[Row], Position]) -> Page[Row]:
    """Make a page of at most `limit` rows; one row more than that says that another page follows."""
    shown = rows[:limit]
    following = write_cursor(position_of(shown[-1]), of=of) if len(rows) > limit else None
    return Page(rows=shown, next=following)


def write_cursor(position: Position, *, of: str) -> str:
    """Write the cursor after a position; `of` names the list with its filters."""
    payload = orjson.dumps(list(position))
    return urlsafe_b64encode(_checksum(payload, of) + payload).rstrip(b"=").decode()


def read_cursor(cursor: str | None, *, of: str) -> tuple[str | float, ...] | None:
    """Read a cursor of this list, None being the beginning; raises CursorInvalid."""
    if cursor is None:
        return None
    try:
        decoded = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (NotBase64, ValueError) as error:
        raise CursorInvalid from error
    checksum, payload = decoded[:_CHECKSUM_LENGTH], decoded[_CHECKSUM_LENGTH:]
    if checksum != _checksum(payload, of) or urlsafe_b64encode(decoded).rstrip(b"=").decode() != cursor:
        raise CursorInvalid
    return tuple(orjson.loads(payload))


def _checksum(payload: bytes, of: str) -> bytes:
    return blake2b(payload, digest_size=_CHECKSUM_LENGTH, key=blake2b(of.encode()).digest()).digest()
