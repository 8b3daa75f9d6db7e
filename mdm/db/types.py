"""Column types of PostgreSQL that SQLAlchemy does not name, and the way rows travel as one parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[int]):
    """A 64-bit transaction id: rises with the order in which transactions began to write, not to commit."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: Any) -> str:
        """Name the type for DDL."""
        return "xid8"


def as_json(value: Sequence[Any] | Mapping[str, Any]) -> str:
    """Write rows or a document as one JSON parameter for `jsonb_to_recordset` or a jsonb column; bytes become hex."""
    return orjson.dumps(value, default=_hex, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):  # the typed ids are subclasses of str, which orjson leaves to us
        return str.__str__(value)
    raise TypeError(type(value).__name__)
