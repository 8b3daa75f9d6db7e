"""Column types of PostgreSQL that SQLAlchemy does not name, and the way rows travel as one parameter."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy.types import UserDefinedType

_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # escaped as JSON does it, not a text that spells the escape


class Xid8(UserDefinedType[int]):
    """A 64-bit transaction id: rises with the order in which transactions began to write, not to commit."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: Any) -> str:
        """Name the type for DDL."""
        return "xid8"


def as_json(value: Sequence[Any] | Mapping[str, Any]) -> str:
    """Write rows or a document as one JSON parameter for `jsonb_to_recordset` or a jsonb column; bytes become hex."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def is_storable(value: Any) -> bool:
    """Tell whether a value can be kept: plain JSON without NUL and without halves of characters."""
    try:
        return _NUL.search(as_json([value])) is None
    except (TypeError, ValueError):
        return False


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):  # the typed ids are subclasses of str, which orjson leaves to us
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)
