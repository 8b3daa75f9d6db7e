"""Salted hashes of what a field holds, so that the hub can compare values without keeping them."""

import secrets
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import orjson

SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 16


def new_salt() -> bytes:
    """Make the salt of one record; once it is gone, its hashes say nothing any more."""
    return secrets.token_bytes(SALT_BYTES)


def hash_value(salt: bytes, field: str, value: Any) -> str:
    """Hash what stands in a field; systems that trim blanks or write 5 for 5.0 hold the same, and so does nothing.

    The order of a list counts.
    """
    plain = orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)
    return blake2b(field.encode() + b"\0" + plain, key=salt, digest_size=_DIGEST_BYTES).hexdigest()


def hash_fields(salt: bytes, fields: Mapping[str, Any]) -> dict[str, str]:
    """Hash every field of a record."""
    return {field: hash_value(salt, field, value) for field, value in fields.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split()) or None
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, Mapping):
        kept = {str(name): _plain(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one is not None} or None
    return [one for one in map(_plain, value) if one is not None] or None
