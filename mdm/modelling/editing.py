"""Rules as YAML, and changed: by a whole declaration, or by a form that changes some values of one.

Whatever a form changes is written into the declaration and read again by the same reader as any file, so that a fault
is told in the same words and nothing can be kept that a file could not say.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matching.model import MatchModel
from mdm.entities.model import EntityType
from mdm.entities.service import declaration_of, entity_type_uncached
from mdm.entities.written import to_yaml, with_rules
from mdm.errors import EntityDeclarationInvalid, InputInvalid
from mdm.hub import Hub
from mdm.survivorship.options import check_options

LINES = ("review_bits", "match_bits")


def as_yaml(hub: Hub, entity_type: EntityType) -> str:
    """Write an entity type's rules as a declaration, for `--model` of other commands or for a file of one's own."""
    return to_yaml(with_rules(declaration_of(entity_type.name, hub.settings.entities), entity_type))


def from_yaml(hub: Hub, text: str, *, based_on: EntityType) -> EntityType:
    """Read the rules that a declaration says, what was learnt from the population kept from those it is based on.

    Raises EntityDeclarationInvalid with every fault, InputInvalid for a declaration of another entity type.
    """
    with TemporaryDirectory(prefix="mdm-rules-") as folder:
        path = Path(folder) / f"{based_on.name}.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            found = entity_type_uncached(based_on.name, (*hub.settings.entities, path))
        except EntityDeclarationInvalid as error:
            raise EntityDeclarationInvalid([one.replace(f"{path}:", "line ") for one in error.faults]) from error
    if found is None:
        raise InputInvalid(
            f"the declaration is not one of {based_on.name}",
            remedy=f"begin with `entity: {based_on.name}`",
            field="yaml",
        )
    check_options(found)
    return with_model(found, replace(found.model, population=based_on.model.population))


def with_lines(entity_type: EntityType, review_bits: float, match_bits: float) -> EntityType:
    """Move the two lines; raises InputInvalid when they would cross."""
    if review_bits > match_bits:
        raise InputInvalid(
            "the review line would lie above the match line", remedy="move one of them", field="review_bits"
        )
    return with_model(entity_type, replace(entity_type.model, review_bits=review_bits, match_bits=match_bits))


def with_weights(
    hub: Hub, entity_type: EntityType, bits: Mapping[tuple[str, str], float], prior_bits: float | None = None
) -> EntityType:
    """Change what levels are worth: by comparison and level; raises InputInvalid for one that there is not."""
    content = deepcopy(with_rules(declaration_of(entity_type.name, hub.settings.entities), entity_type))
    known = {
        (one["name"], level["label"]): level for one in content["matching"]["comparisons"] for level in one["levels"]
    }
    for (comparison, label), worth in bits.items():
        if (comparison, label) not in known:
            raise InputInvalid(f"there is no level {label} of {comparison}", remedy="look at the model", field="bits")
        known[comparison, label]["bits"] = worth
    if prior_bits is not None:
        content["matching"]["prior_bits"] = prior_bits
    return from_yaml(hub, to_yaml(content), based_on=entity_type)


def with_choice(hub: Hub, entity_type: EntityType, rules: Mapping[str, Mapping[str, Any]]) -> EntityType:
    """Change whose value survives: by attribute or group, as the YAML writes it."""
    content = deepcopy(with_rules(declaration_of(entity_type.name, hub.settings.entities), entity_type))
    for name, rule in rules.items():
        place = content.get("groups", {}).get(name) or content["attributes"].get(name)
        if place is None:
            raise InputInvalid(f"there is no attribute {name}", remedy="look at the declaration", field=name)
        place["survivorship"] = {key: value for key, value in rule.items() if value}
    return from_yaml(hub, to_yaml(content), based_on=entity_type)


def with_model(entity_type: EntityType, model: MatchModel) -> EntityType:
    """Give an entity type another model, and a name of its own."""
    return replace(entity_type, model=model, version=f"{entity_type.version}/{model.version}")
