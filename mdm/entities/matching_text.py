"""A match model as the matching section that declares it, as `mdm schema --matching` prints it to be edited."""

import json
import re
from collections.abc import Iterator
from typing import Any

from matching.model import BlockingRule, Comparison, FeatureSpec, KeyPart, MatchModel, Veto

_PLAIN = re.compile(r"^[a-z_][a-z0-9_.]*$")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def matching_section(model: MatchModel) -> dict[str, Any]:
    """Give the section as plain values, defaults left out; reading it gives the same model."""
    return {
        "features": {feature.name: _feature(feature) for feature in model.features},
        "blocking": [_rule(rule) for rule in model.blocking],
        "comparisons": [_comparison(comparison) for comparison in model.comparisons],
        "rules": [
            {
                "name": rule.name,
                "verdict": rule.verdict,
                **({"bound": rule.bound} if rule.bound != "at_least" else {}),
                "when": dict(rule.when),
                **({"unless": dict(rule.unless)} if rule.unless else {}),
            }
            for rule in model.rules
        ],
        "vetoes": [_veto(veto) for veto in model.vetoes],
        "prior_bits": model.prior_bits,
        "match_bits": model.match_bits,
        "review_bits": model.review_bits,
        "block_size_max": model.block_size_max,
    }


def matching_yaml(model: MatchModel) -> str:
    """Write the section as the built-in declarations are written: one line a feature, key, level and rule."""
    return "\n".join(_lines(matching_section(model))) + "\n"


def _feature(feature: FeatureSpec) -> dict[str, Any]:
    plain: dict[str, Any] = {"form": feature.form, "attributes": list(feature.attributes)}
    return {**plain, "country_from": list(feature.country_from)} if feature.country_from else plain


def _rule(rule: BlockingRule) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": rule.name, "key": [_key(part) for part in rule.parts]}
    return plain if rule.size_max is None else {**plain, "size_max": rule.size_max}


def _key(part: KeyPart) -> str:
    return part.feature if part.transform == "whole" else f"{part.feature}|{part.transform}"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.name,
        "feature": comparison.feature,
        "comparator": comparison.comparator,
        **({"term_frequency": True} if comparison.term_frequency else {}),
        "levels": [
            {"label": level.label, "at_least": level.at_least, "bits": level.bits} for level in comparison.levels
        ],
    }


def _lines(section: dict[str, Any]) -> Iterator[str]:
    yield "matching:"
    yield "  features:"
    for name, feature in section["features"].items():
        yield f"    {name}: {_flow(feature)}"
    for key in ("blocking", "comparisons", "rules", "vetoes"):
        if section[key]:
            yield f"  {key}:"
        for part in section[key]:
            if key != "comparisons":
                yield f"    - {_flow(part)}"
                continue
            yield from (
                f"    {'  ' if place else '- '}{name}: {_flow(value)}"
                for place, (name, value) in enumerate(part.items())
                if name != "levels"
            )
            yield "      levels:"
            yield from (f"        - {_flow(level)}" for level in part["levels"])
    for key in ("prior_bits", "match_bits", "review_bits", "block_size_max"):
        yield f"  {key}: {_flow(section[key])}"


def _flow(value: Any) -> str:
    """Write a value on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    return value if _PLAIN.match(value) and value not in _WORDS_OF_YAML else json.dumps(value)


def _veto(veto: Veto) -> dict[str, Any]:
    plain = {"name": veto.name, "feature": veto.feature}
    return plain if veto.reach == "pair" else {**plain, "reach": veto.reach}
