"""The rules that a record must keep, checked on mapped values.

Patterns are RE2: a pattern written by anybody runs in time linear in the value. A rule looks at what is there; only
`required` and `required_when` ask for a value.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import re2

from mdm.entities.model import Attribute, EntityType, Operator, Reason, Validation


def validate(entity_type: EntityType, values: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Give a reason for every rule that the values break, in the order of the declaration."""
    return tuple(
        Reason(field, rule.name, rule.message, rule.remedy, rule.severity)
        for rule in entity_type.validations
        for field in _broken(entity_type, rule, values)
    )


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Any:
    """Compile an RE2 pattern; raises re2.error for what RE2 does not know."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options=options)


def _broken(entity_type: EntityType, rule: Validation, values: Mapping[str, Any]) -> Iterator[str]:
    """Name the attributes at which a rule is broken."""
    condition = rule.when
    if condition is not None:
        held = _texts(values.get(condition.attribute))
        if not held or (condition.values and not set(held) & set(condition.values)):
            return
    match rule.kind:
        case "required" | "required_when":
            if not any(name in values for name in rule.attributes):
                yield rule.attributes[0]
        case "pattern":
            compiled = compile_pattern(rule.pattern or "")
            yield from (name for name in rule.attributes if not all(map(compiled.fullmatch, _texts(values.get(name)))))
        case "one_of":
            yield from (name for name in rule.attributes if not set(_texts(values.get(name))) <= set(rule.values))
        case "cross_field":
            first, second = rule.attributes
            if first in values and second in values:
                kinds = entity_type.attributes[first], entity_type.attributes[second]
                if not _compares(values[first], rule.operator or "==", values[second], kinds):
                    yield first


def _texts(value: Any) -> list[str]:
    """Give the texts of a value; a structure has none."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, str)]


def _compares(first: Any, operator: Operator, second: Any, kinds: tuple[Attribute, Attribute]) -> bool:
    left, right = str(first), str(second)
    if all(kind.semantic_type == "number" for kind in kinds):
        try:
            order = Decimal(left).compare(Decimal(right))
        except InvalidOperation:
            return True
        sign = int(order)
    else:
        sign = (left > right) - (left < right)
    match operator:
        case "<=":
            return sign <= 0
        case "<":
            return sign < 0
        case ">=":
            return sign >= 0
        case ">":
            return sign > 0
        case "==":
            return sign == 0
        case "!=":
            return sign != 0
