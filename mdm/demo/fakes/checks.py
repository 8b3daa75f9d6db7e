"""Hold the fields of one write against the rules of their object; pure, and all faults at once.

Strict, as a well-kept system is: a field it does not know is a fault, never silently dropped.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mdm.demo.fakes.model import Field, FieldFault, ObjectRules

# What the fake firm trades in and grants; a real system knows what its administrators set up.
CURRENCIES: Final = frozenset(
    {
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD", "INR", "JPY", "KRW", "MXN"),
        *("NOK", "NZD", "PLN", "SAR", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "ZAR", "AED"),
    }
)
TERMS: Final = frozenset(
    {"dueonreceipt", "net7", "net10", "net14", "net15", "net30", "net45", "net60", "net90", "endofmonth"}
)


def without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what holds nothing: null and an empty text both clear a field."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def field_faults(rules: ObjectRules, written: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Yield what is wrong with the fields of a write, seen with the record that it would make.

    written  the fields of the request
    result   the fields the record would hold after it, empty ones left out
    """
    for name, value in written.items():
        if name not in rules.fields:
            yield FieldFault(name, "unknown_field", f"There is no field {name}.")
        elif value is not None and value != "":
            yield from _value_faults(name, rules.fields[name], value)
    for name, allowed in rules.fields.items():
        if allowed.is_required and name not in result:
            yield FieldFault(name, "required", f"Please enter value(s) for: {name}.")
    for first, last in rules.periods:
        if {first, last} & set(written) and _is_turned(result.get(first), result.get(last)):
            message = f"{last} ({result[last]}) lies before {first} ({result[first]})."
            yield FieldFault(last, "turned_period", message)


def _value_faults(name: str, allowed: Field, value: Any) -> Iterator[FieldFault]:
    if allowed.kind == "flag":
        if not isinstance(value, bool):
            yield FieldFault(name, "wrong_type", f"{name} is true or false, not {value!r}.")
    elif allowed.kind == "number":
        if not _is_number(value):
            yield FieldFault(name, "wrong_type", f"{name} is a number, not {value!r}.")
    elif not isinstance(value, str):
        yield FieldFault(name, "wrong_type", f"{name} is a text, not {value!r}.")
    elif len(value) > allowed.length_max:
        yield FieldFault(name, "too_long", f"{name} takes {allowed.length_max} characters: {value}.")
    elif not _is_form(allowed.kind, value):
        yield FieldFault(name, "unknown_value", f"{value} is no valid {allowed.kind} for {name}.")


def _is_form(kind: str, value: str) -> bool:
    match kind:
        case "email":
            return re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None
        case "date":
            return _is_date(value)
        case "country":
            return re.fullmatch(r"[A-Z]{2}", value) is not None
        case "currency":
            return value in CURRENCIES
        case "terms":
            # "Net 30", "NET-30" and "net_30" are one: how its terms are spelt is each installation's own.
            return re.sub(r"[\W_]", "", value).casefold() in TERMS
    return True


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_turned(first: Any, last: Any) -> bool:
    return isinstance(first, str) and isinstance(last, str) and bool(first and last) and first > last
