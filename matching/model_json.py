"""A match model as JSON text and back: byte-equal, with the same version, so that a frozen model can be stored.

The text is canonical: keys in order, no blanks, ASCII. Reading needs no migration of its own; a field that a text does
not have takes its default, and one that the model does not know is refused.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from matching.model import (
    BlockingRule,
    Comparison,
    FeatureSpec,
    KeyPart,
    Level,
    MatchModel,
    Population,
    Rule,
    Veto,
    plain,
)

_Value = TypeVar("_Value")


def write_model(model: MatchModel) -> str:
    """Write a model as canonical JSON."""
    return json.dumps(plain(model), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def read_model(text: str) -> MatchModel:
    """Read what `write_model` wrote; raises ValueError for anything else."""
    try:
        content = json.loads(text)
        return _built(
            MatchModel,
            content,
            features=_all(FeatureSpec, content["features"], attributes=tuple, country_from=tuple),
            blocking=tuple(
                _built(BlockingRule, rule, parts=_all(KeyPart, rule["parts"])) for rule in content["blocking"]
            ),
            comparisons=tuple(
                _built(Comparison, part, levels=_all(Level, part["levels"])) for part in content["comparisons"]
            ),
            rules=_all(Rule, content.get("rules", ()), when=_conditions, unless=_conditions),
            vetoes=_all(Veto, content.get("vetoes", ())),
            **({"population": _population(content["population"])} if "population" in content else {}),
        )
    except (AttributeError, KeyError, TypeError) as wrong:
        message = f"this is no match model as write_model writes it: {wrong}"
        raise ValueError(message) from wrong


def _built(kind: type[_Value], content: Mapping[str, Any], **made: Any) -> _Value:
    return kind(**{**content, **made})


def _all(kind: type[_Value], rows: Any, **made: Any) -> tuple[_Value, ...]:
    return tuple(
        _built(kind, row, **{name: make(row[name]) for name, make in made.items() if name in row}) for row in rows
    )


def _conditions(pairs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((comparison, level) for comparison, level in pairs)


def _population(content: Any) -> Population:
    return Population(
        content["records_count"],
        MappingProxyType({name: MappingProxyType(counts) for name, counts in content["frequency"].items()}),
        frozenset(content["stop_keys"]),
        MappingProxyType({name: frozenset(values) for name, values in content["generic"].items()}),
    )
