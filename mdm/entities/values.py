"""One delivered value, read by the semantic type of its attribute.

Sources deliver what their API has: texts, numbers, booleans, lists, `{id, refName}` references, `{items: […]}`
sublists, and vendors' own words for "nothing". A value that cannot be read is told from one that says nothing: only
the first is a fault.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from matching.standardise import FORMS
from mdm.entities.amounts import read_amount
from mdm.entities.code_lists import translate
from mdm.entities.model import Attribute, CodeList, Origin

TEXT_LENGTH_MAX: Final = 2_000
"""Chosen: longer than any name, address or description that is worth mastering."""
ELEMENTS_MAX: Final = 1_000
"""Values one list attribute may hold (chosen)."""
DEPTH_MAX: Final = 32
"""The depth that the JSON gate lets through; deeper structures come from files only and are cut."""
_NUMBER_DIGITS_MAX = 30
_EXACT_MAX = 2**53
"""The largest whole number that every JSON reader keeps exact (RFC 8259, section 6)."""
_NO_DATE = frozenset({"0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "2154-12-31", "9999-12-31"})
"""What databases and vendors write where there is no date (Dynamics: 1900-01-01 and, for never, 2154-12-31)."""
_YES = frozenset({"true", "yes", "y", "t", "1", "x", "on", "ja", "oui", "si", "sí"})
_NO = frozenset({"false", "no", "n", "f", "0", "off", "nein", "non"})
_PARTED = re.compile(r"[;|\n]")
_LINES = re.compile(r"\s*[\r\n]+\s*")


class Unreadable(Exception):
    """A value is there and cannot be read as its attribute's type."""

    def __init__(self, code: str, problem: str, remedy: str) -> None:
        """Keep what becomes the reason."""
        super().__init__(problem)
        self.code, self.problem, self.remedy = code, problem, remedy


def single_values(attribute: Attribute, delivered: Any) -> Iterator[Any]:
    """Give the single values inside a delivered one: members of lists and sublists, parts of a text for a list."""
    if isinstance(delivered, Mapping) and isinstance(delivered.get("items"), list):
        delivered = delivered["items"]
    if isinstance(delivered, list | tuple):
        for member in delivered[:ELEMENTS_MAX]:
            if not isinstance(member, list | tuple):
                yield from single_values(attribute, member)
    elif isinstance(delivered, str) and attribute.is_list:
        yield from _PARTED.split(delivered)
    else:
        yield delivered


def read(attribute: Attribute, delivered: Any, *, code_list: CodeList | None, origin: Origin) -> str | None:
    """Read one single value, None when it says nothing; raises Unreadable."""
    if code_list is not None:
        return _code(delivered, code_list, origin)
    if isinstance(delivered, Mapping):
        delivered = delivered.get("id" if attribute.semantic_type == "reference" else "refName", delivered.get("id"))
        if delivered is None:
            raise Unreadable(
                "not_a_single_value", "is a structure", "deliver a single value, or map the column that holds it"
            )
    if isinstance(delivered, bool) and attribute.semantic_type != "boolean":
        remedy = "deliver a text, or map the column that holds it"
        raise Unreadable("not_a_text", "is true or false, which is no text", remedy)
    text = clean(delivered)
    if not text:
        return None
    return _READERS.get(attribute.semantic_type, _text)(text)


def clean(value: Any) -> str:
    """Turn a scalar into text without control characters and lone surrogates; lines are joined by a comma."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            if not math.isfinite(value):
                return ""
            text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
        case int():
            text = format(Decimal(value), "f") if abs(value) < 10**_NUMBER_DIGITS_MAX else ""
        case datetime() | date():
            text = value.isoformat()
        case str():
            text = value if len(value) <= TEXT_LENGTH_MAX else value[: TEXT_LENGTH_MAX + 1]
        case Decimal():
            text = str(value)
        case _:
            return ""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _LINES.sub(", ", unicodedata.normalize("NFC", text).strip())
    kept = "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cs"} or letter == "\t")
    return " ".join(kept.split())


def keepable(value: Any, depth: int = 0) -> Any:
    """Bring an undeclared value to what JSON and PostgreSQL can hold, None when nothing is left."""
    if depth > DEPTH_MAX:
        return None
    if isinstance(value, Mapping):
        pairs = ((clean(str(key)), keepable(part, depth + 1)) for key, part in value.items())
        return {key: part for key, part in pairs if key and part is not None} or None
    if isinstance(value, list | tuple):
        return [part for member in value if (part := keepable(member, depth + 1)) is not None] or None
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT_MAX):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, str):
        return clean(value) or None
    if not value.isprintable():
        value = "".join(letter for letter in value if letter != "\x00" and unicodedata.category(letter) != "Cs")
    return value.strip() or None


def _text(text: str) -> str | None:
    if len(text) > TEXT_LENGTH_MAX:
        raise Unreadable("too_long", f"is longer than {TEXT_LENGTH_MAX} characters", "shorten it in the source")
    return text if FORMS["text"]([text], [""])[0] else None


def _identifier(text: str) -> str | None:
    _text(text)
    return text if FORMS["identifier"]([text], [""])[0] else None


def _reference(text: str) -> str | None:
    if len(text) > TEXT_LENGTH_MAX:
        raise Unreadable(
            "too_long", f"is longer than {TEXT_LENGTH_MAX} characters", "deliver the key of the record it points to"
        )
    return text


def _date(text: str) -> str | None:
    try:
        day = date.fromisoformat(text[:10]).isoformat() if text[4:5] == "-" else ""
    except ValueError:
        day = ""
    if not day:
        found = FORMS["date"]([text], [""])[0]
        day = found[0] if found else ""
    if day in _NO_DATE:
        return None
    if not day:
        if not FORMS["text"]([text], [""])[0]:
            return None
        raise Unreadable("not_a_date", f"{text[:80]!r} is not a date", "write it as YYYY-MM-DD")
    return day


def _number(text: str) -> str | None:
    number = read_amount(text)
    if number is None:
        if not FORMS["text"]([text], [""])[0]:
            return None
        raise Unreadable("not_a_number", f"{text[:80]!r} is not a number", "write digits with a decimal point")
    if not number.is_finite() or number.adjusted() > _NUMBER_DIGITS_MAX or number.adjusted() < -_NUMBER_DIGITS_MAX:
        raise Unreadable("not_a_number", f"{text[:80]!r} is no amount", "write digits with a decimal point")
    plain = f"{number:f}"  # `normalize` would round to 28 digits
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain if number else "0"


def _boolean(text: str) -> str | None:
    word = text.casefold()
    if word in _YES:
        return "true"
    if word in _NO:
        return "false"
    raise Unreadable("not_a_boolean", f"{text[:80]!r} is neither yes nor no", "write true or false")


def _code(delivered: Any, code_list: CodeList, origin: Origin) -> str | None:
    words = [delivered.get("refName"), delivered.get("id")] if isinstance(delivered, Mapping) else [delivered]
    texts = [text for text in map(clean, words) if text]
    for text in texts:
        code = translate(code_list, text[:TEXT_LENGTH_MAX], origin)
        if code is not None:
            return code or None
    if not texts:
        return None
    if not FORMS["text"]([texts[0]], [""])[0]:
        return None
    remedy = (
        f"map it in your own code_lists/{code_list.name}.yaml, under by_source and {origin.instance or 'the source'}"
    )
    raise Unreadable("unknown_code", f"{texts[0][:80]!r} is no code of {code_list.title}", remedy)


_READERS: Mapping[str, Callable[[str], str | None]] = {
    "tax_id": _identifier,
    "identifier": _identifier,
    "phone": _identifier,
    "reference": _reference,
    "date": _date,
    "number": _number,
    "boolean": _boolean,
}
