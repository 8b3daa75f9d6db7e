"""How systems write values: countries, phones, addresses, dates and codes, each in its own way."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mdm.demo.words import COUNTRIES


def plain(value: Any) -> Any:
    """Write a value as text, a date as ISO 8601; flags stay flags."""
    return value.isoformat() if isinstance(value, date) else value if isinstance(value, bool) else str(value)


def coded(codes: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """Translate by a table; what the table does not know is delivered as it is, like a typed-in value."""
    return lambda value: codes.get(value, value)


def street_line(values: Mapping[str, Any]) -> str:
    """Put street and house number in the order of the country."""
    street, number = values["street"], values.get("house_number", "")
    is_number_first = values.get("country") in {"US", "GB", "IE", "FR", "CN", "JP", "EG"}
    return f"{number} {street}".strip() if is_number_first else f"{street} {number}".strip()


def address_line(values: Mapping[str, Any]) -> str:
    """Put the whole address into the one free-text field, as somebody typed it."""
    town = f"{values.get('postal_code', '')} {values.get('city', '')}".strip()
    return ", ".join(part for part in (values.get("street", ""), town, COUNTRIES[values["country"]].name) if part)


def national_phone(phone: str) -> str:
    """Write a phone as it is dialled at home: (312) 555-0123, 089 123456."""
    if not phone.startswith("+"):
        return phone
    prefix, _, rest = phone.partition(" ")
    if prefix == "+1":
        return f"({rest[:3]}) {rest[4:]}"
    return rest if prefix in {"+39", "+34", "+47", "+48"} else f"0{rest}"


def dialled_phone(phone: str) -> str:
    """Write a phone as it is dialled from abroad: 004989123456."""
    return phone.replace("+", "00").replace(" ", "").replace("-", "") if phone.startswith("+") else phone


def midday(day: date) -> str:
    """Write a date as OData does."""
    return f"{day.isoformat()}T12:00:00Z"


COUNTRY_NAME = {code: country.name for code, country in COUNTRIES.items()}
COUNTRY_NATIVE = {code: country.native_name for code, country in COUNTRIES.items()}
COUNTRY_ISO3 = {code: country.iso3 for code, country in COUNTRIES.items()}

SALESFORCE_BILLING = {
    "time_and_materials": "Time and Materials",
    "fixed_price": "Fixed Price",
    "milestone": "Milestone",
    "retainer": "Retainer",
    "non_billable": "Non-Billable",
}
D365_BILLING = {
    "time_and_materials": "TimeMaterial",
    "fixed_price": "FixedPrice",
    "milestone": "FixedPrice",
    "retainer": "TimeMaterial",
    "non_billable": "Internal",
}
NETSUITE_BILLING = {
    "time_and_materials": "TM",
    "fixed_price": "FBI",
    "milestone": "FBM",
    "retainer": "FBI",
    "non_billable": "",
}
