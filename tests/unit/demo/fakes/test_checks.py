"""A fake takes what its object allows, and names every field that it does not take."""

from typing import Any

import pytest

from mdm.demo.fakes.checks import field_faults, without_empty
from mdm.demo.fakes.erp import ERP

CUSTOMER = ERP.objects["customer"]
PROJECT = ERP.objects["project"]


def codes_of(object_: str, written: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, str]:
    result = without_empty({**(before or {}), **written})
    return {fault.field: fault.code for fault in field_faults(ERP.objects[object_], written, result)}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("shoeSize", "43", "unknown_field"),
        ("currency", "XXX", "unknown_value"),
        ("currency", "eur", "unknown_value"),
        ("terms", "Net 31", "unknown_value"),
        ("country", "Germany", "unknown_value"),
        ("email", "acme.example", "unknown_value"),
        ("companyName", "A" * 84, "too_long"),
        ("creditLimit", "much", "wrong_type"),
        ("creditLimit", True, "wrong_type"),
        ("creditLimit", float("nan"), "wrong_type"),
        ("creditHold", "yes", "wrong_type"),
        ("city", 7, "wrong_type"),
    ],
)
def test_a_value_that_is_not_taken_is_named(field: str, value: Any, code: str) -> None:
    before = {"companyName": "Acme", "currency": "EUR"}

    assert codes_of("customer", {field: value}, before) == {field: code}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("currency", "EUR"), ("terms", "Net 30"), ("terms", "net_30"), ("country", "DE"), ("email", "a@b.example")),
        *(("companyName", "A" * 83), ("creditLimit", 5), ("creditLimit", "12.50"), ("creditHold", False)),
        *(("terms", None), ("terms", "")),
    ],
)
def test_a_value_that_fits_is_taken(field: str, value: Any) -> None:
    assert codes_of("customer", {field: value}, {"companyName": "Acme", "currency": "EUR"}) == {}


def test_all_faults_come_at_once() -> None:
    assert codes_of("customer", {"shoeSize": 43, "terms": "soon"}) == {
        "shoeSize": "unknown_field",
        "terms": "unknown_value",
        "companyName": "required",
        "currency": "required",
    }


def test_what_is_required_cannot_be_cleared() -> None:
    assert codes_of("customer", {"currency": None}, {"companyName": "Acme", "currency": "EUR"}) == {
        "currency": "required"
    }


@pytest.mark.parametrize("day", ["2026-02-30", "20260201", "1.2.2026"])
def test_a_date_is_a_day_of_the_calendar(day: str) -> None:
    assert (
        codes_of("project", {"startDate": day}, {"projectName": "P", "customer": "1"})["startDate"] == "unknown_value"
    )


def test_an_end_before_the_start_that_stands_is_named() -> None:
    before = {"projectName": "P", "customer": "1", "startDate": "2026-05-01"}

    assert codes_of("project", {"endDate": "2026-04-30"}, before) == {"endDate": "turned_period"}
    assert codes_of("project", {"endDate": "2026-05-01"}, before) == {}
