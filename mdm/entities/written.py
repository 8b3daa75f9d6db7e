"""An entity type written back as the YAML that declares it: its file, with the rules that hold in it. Pure.

What was read from files and what lies over it become one declaration again: reading it gives the same model, but for
what was learnt from a population, and the same choice of values.
"""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from matching.model import BlockingRule, Comparison, MatchModel, Rule, Veto
from mdm.entities.frozen import plain_rule, survivorship_of
from mdm.entities.model import EntityType, SurvivorshipRule

WIDTH = 140  # as the declarations that come along


def with_rules(content: Mapping[str, Any], entity_type: EntityType) -> dict[str, Any]:
    """Put an entity type's rules in the place of those in a declaration's content."""
    choice = survivorship_of(entity_type)
    made = {**content, "matching": matching_content(entity_type.model)}
    made["attributes"] = {
        name: _with_rule(part, choice.attributes.get(name)) for name, part in content["attributes"].items()
    }
    if "groups" in content:
        made["groups"] = {name: _with_rule(part, choice.groups.get(name)) for name, part in content["groups"].items()}
    return made


def matching_content(model: MatchModel) -> dict[str, Any]:
    """Write a match model as the part `matching` of a declaration."""
    found = {
        "features": {
            one.name: {
                "form": one.form,
                "attributes": list(one.attributes),
                **({"country_from": list(one.country_from)} if one.country_from else {}),
            }
            for one in model.features
        },
        "blocking": [_blocking(one) for one in model.blocking],
        "comparisons": [_comparison(one) for one in model.comparisons],
        "rules": [_rule(one) for one in model.rules],
        "vetoes": [_veto(one) for one in model.vetoes],
        "prior_bits": model.prior_bits,
        "match_bits": model.match_bits,
        "review_bits": model.review_bits,
        "block_size_max": model.block_size_max,
    }
    return {name: part for name, part in found.items() if part != []}


def to_yaml(content: Mapping[str, Any]) -> str:
    """Write content as YAML, keys in their order."""
    yaml = YAML()
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(dict(content), stream)
    return stream.getvalue()


def _with_rule(part: Mapping[str, Any], rule: SurvivorshipRule | None) -> dict[str, Any]:
    """Write a rule into an attribute or group, unless it is the one that a declaration leaves out."""
    rest = {name: value for name, value in part.items() if name != "survivorship"}
    if rule is None or rule == SurvivorshipRule("source_priority"):
        return rest
    return {**rest, "survivorship": {name: value for name, value in plain_rule(rule).items() if value}}


def _blocking(rule: BlockingRule) -> dict[str, Any]:
    parts = [part.feature if part.transform == "whole" else f"{part.feature}|{part.transform}" for part in rule.parts]
    size = {} if rule.size_max is None else {"size_max": rule.size_max}
    return {"name": rule.name, "key": parts, **size}


def _comparison(one: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "feature": one.feature, "comparator": one.comparator}
    if one.term_frequency:
        found["term_frequency"] = True
    found["levels"] = [{"label": level.label, "at_least": level.at_least, "bits": level.bits} for level in one.levels]
    return found


def _rule(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"name": rule.name, "verdict": rule.verdict}
    if rule.bound != "at_least":
        found["bound"] = rule.bound
    found["when"] = dict(rule.when)
    if rule.unless:
        found["unless"] = dict(rule.unless)
    return found


def _veto(veto: Veto) -> dict[str, Any]:
    plain = {"name": veto.name, "feature": veto.feature}
    return plain if veto.reach == "pair" else {**plain, "reach": veto.reach}
