"""The rules that a record must keep."""

from dataclasses import replace
from typing import Any

import pytest

from mdm.entities.model import Condition, Reason, Validation
from mdm.entities.service import entity_types
from mdm.entities.validation import validate

PROJECT = entity_types()["project"]


def broken(held: dict[str, Any], /, **rule: Any) -> tuple[Reason, ...]:
    validation = Validation(name="odd", severity="warn", message="m", remedy="r", **rule)
    return validate(replace(PROJECT, validations=(validation,)), held)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"kind": "required", "attributes": ("name", "code")}, {"code": "x"}, {"value": "1"}),
        ({"kind": "pattern", "attributes": ("code",), "pattern": "P-[0-9]+"}, {"code": "P-12"}, {"code": "P-12 old"}),
        (
            {"kind": "pattern", "attributes": ("cross_references",), "pattern": "[0-9]+"},
            {},
            {"cross_references": ["1", "x"]},
        ),
        (
            {"kind": "one_of", "attributes": ("status",), "values": ("active",)},
            {"status": "active"},
            {"status": "planned"},
        ),
        (
            {"kind": "required_when", "attributes": ("currency",), "when": Condition("value")},
            {"name": "no value"},
            {"value": "1"},
        ),
        (
            {"kind": "required_when", "attributes": ("contract",), "when": Condition("status", ("active",))},
            {"status": "planned"},
            {"status": "active"},
        ),
        (
            {"kind": "cross_field", "attributes": ("end_date", "start_date"), "operator": ">="},
            {"end_date": "2026-02-01", "start_date": "2026-02-01"},
            {"end_date": "2026-01-31", "start_date": "2026-02-01"},
        ),
        (
            {"kind": "cross_field", "attributes": ("budget", "value"), "operator": "<"},
            {"budget": "9", "value": "10"},  # as texts, "9" would come after "10"
            {"budget": "10", "value": "10"},
        ),
        (
            {"kind": "cross_field", "attributes": ("budget", "value"), "operator": "=="},
            {"budget": "10"},
            {"budget": "10", "value": "11"},
        ),
    ],
)
def test_a_rule_holds_or_is_broken(rule: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert broken(good, **rule) == ()
    assert broken(bad, **rule) == (Reason(rule["attributes"][0], "odd", "m", "r", "warn"),)


def test_a_pattern_that_hangs_other_engines_is_linear() -> None:
    values = {"code": "a" * 1500 + "!"}

    assert len(broken(values, kind="pattern", attributes=("code",), pattern="(a+)+")) == 1


def test_reasons_come_in_the_order_of_the_declaration() -> None:
    reasons = validate(PROJECT, {"is_template": "true", "value": "1"})

    assert [(reason.code, reason.severity) for reason in reasons] == [
        ("template_refused", "reject"),
        ("name_missing", "reject"),
        ("customer_missing", "hold_publishing"),
        ("currency_missing", "warn"),
    ]
