"""Rules as frozen data: what a version holds, and an entity type under a version of each part.

An entity type is declared in YAML; the hub lays two frozen parts over the declaration, its match model and its choice
of values. Nothing here knows a database: what was stored comes in as plain data.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import orjson

from matching.model import MatchModel
from matching.model_json import read_model
from mdm.entities.model import EntityType, SurvivorshipRule


@dataclass(frozen=True, slots=True)
class Survivorship:
    """Whose value survives: the rule of each attribute outside of groups, and of each group."""

    entity_type: str
    attributes: Mapping[str, SurvivorshipRule]
    groups: Mapping[str, SurvivorshipRule]

    @property
    def version(self) -> str:
        """Name the rules by a hash of all they hold: 16 hex digits."""
        canonical = json.dumps([self.entity_type, self.definition()], sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()

    def definition(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Give the rules as plain data."""
        return {
            "attributes": {name: plain_rule(rule) for name, rule in self.attributes.items()},
            "groups": {name: plain_rule(rule) for name, rule in self.groups.items()},
        }


def survivorship_of(entity_type: EntityType) -> Survivorship:
    """Read the rules that an entity type has."""
    alone = {name: one.survivorship for name, one in entity_type.attributes.items() if one.group is None}
    groups = {name: entity_type.attributes[members[0]].survivorship for name, members in entity_type.groups.items()}
    return Survivorship(entity_type.name, alone, groups)


def survivorship_from(entity_type: str, definition: Mapping[str, Any]) -> Survivorship:
    """Read rules from what a version holds."""
    return Survivorship(
        entity_type,
        {name: _rule(part) for name, part in definition["attributes"].items()},
        {name: _rule(part) for name, part in definition["groups"].items()},
    )


def model_definition(model: MatchModel) -> dict[str, Any]:
    """Give all that a match model holds, as the hub keeps it."""
    return {part.name: getattr(model, part.name) for part in fields(model)}


def model_from(definition: Mapping[str, Any], version: str) -> MatchModel:
    """Read the match model that a version holds.

    It keeps its name: a later release whose models hold more than this one did would name it otherwise.
    """
    model = read_model(orjson.dumps(definition).decode())
    model.__dict__["version"] = version  # where cached_property looks first
    return model


def under(declared: EntityType, model: MatchModel | None, survivorship: Survivorship | None) -> EntityType:
    """Lay frozen rules over a declaration; None leaves that part as declared.

    An attribute that is declared since the rules were frozen keeps the rule it is declared with. The result is named by
    the declaration and both parts, as caches and golden values ask which rules made something.
    """
    if model is None and survivorship is None:
        return declared
    made = declared if survivorship is None else _with_survivorship(declared, survivorship)
    named = "/".join((declared.version, model.version if model else "", survivorship.version if survivorship else ""))
    version = hashlib.blake2b(named.encode(), digest_size=8).hexdigest()
    return replace(made, model=model or declared.model, version=version)


def misfits(declared: EntityType, model: MatchModel) -> tuple[str, ...]:
    """Say why a model cannot serve an entity type as it is declared now; nothing when it can."""
    if model.entity_type != declared.name:
        return (f"it is a model of {model.entity_type}, not of {declared.name}",)
    named = {
        path.partition(".")[0] for feature in model.features for path in (*feature.attributes, *feature.country_from)
    }
    return tuple(
        f"it reads the attribute {name}, which is not declared" for name in sorted(named - declared.attributes.keys())
    )


def plain_rule(rule: SurvivorshipRule) -> dict[str, Any]:
    """Give a rule as plain data, lists in place of tuples."""
    return {
        "strategy": rule.strategy,
        "sources": list(rule.sources),
        "fallback": list(rule.fallback),
        "options": dict(rule.options),
    }


def _with_survivorship(declared: EntityType, survivorship: Survivorship) -> EntityType:
    def rule(name: str, group: str | None, now: SurvivorshipRule) -> SurvivorshipRule:
        return survivorship.attributes.get(name, now) if group is None else survivorship.groups.get(group, now)

    attributes = {
        name: replace(one, survivorship=rule(name, one.group, one.survivorship))
        for name, one in declared.attributes.items()
    }
    return replace(declared, attributes=MappingProxyType(attributes))


def _rule(part: Mapping[str, Any]) -> SurvivorshipRule:
    return SurvivorshipRule(part["strategy"], tuple(part["sources"]), tuple(part["fallback"]), part["options"])
