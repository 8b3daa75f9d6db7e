"""What differs between two sets of rules: lines, weights, parts, and whose value survives. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from matching.model import MatchModel
from mdm.entities.frozen import plain_rule, survivorship_of
from mdm.entities.model import EntityType
from mdm.modelling.model import Difference, LevelChange

_LINES = ("prior_bits", "review_bits", "match_bits", "block_size_max")


def difference(before: EntityType, after: EntityType) -> Difference:
    """Compare two sets of rules of one entity type."""
    return Difference(
        before=before.model.version,
        after=after.model.version,
        lines=_lines(before.model, after.model),
        levels=tuple(_levels(before.model, after.model)),
        parts=tuple(_parts(before.model, after.model)),
        values=_values(before, after),
    )


def rule_in_words(rule: Mapping[str, Any]) -> str:
    """Write whose value survives on one line."""
    said = rule["strategy"]
    if rule["sources"]:
        said += f" of {', '.join(rule['sources'])}"
    if rule["fallback"]:
        said += f", then {', '.join(rule['fallback'])}"
    if rule["options"]:
        said += f" with {', '.join(f'{name}={value}' for name, value in sorted(rule['options'].items()))}"
    return str(said)


def _lines(before: MatchModel, after: MatchModel) -> dict[str, tuple[float, float]]:
    found = {name: (getattr(before, name), getattr(after, name)) for name in _LINES}
    found["population"] = (before.population.records_count, after.population.records_count)
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _levels(before: MatchModel, after: MatchModel) -> Iterable[LevelChange]:
    old, new = _bits(before), _bits(after)
    for name, label in dict.fromkeys((*old, *new)):
        pair = old.get((name, label)), new.get((name, label))
        if pair[0] != pair[1]:
            yield LevelChange(name, label, *pair)


def _bits(model: MatchModel) -> dict[tuple[str, str], float]:
    return {(one.name, level.label): level.bits for one in model.comparisons for level in one.levels}


def _parts(before: MatchModel, after: MatchModel) -> Iterable[str]:
    kinds = (
        ("feature", before.features, after.features),
        ("blocking rule", before.blocking, after.blocking),
        ("comparison", _shapes(before), _shapes(after)),
        ("rule", before.rules, after.rules),
        ("veto", before.vetoes, after.vetoes),
    )
    for kind, old, new in kinds:
        first = {_name(one): one for one in old}
        second = {_name(one): one for one in new}
        for name in dict.fromkeys((*first, *second)):
            if name not in second:
                yield f"{kind} {name}: gone"
            elif name not in first:
                yield f"{kind} {name}: new"
            elif first[name] != second[name]:
                yield f"{kind} {name}: reads otherwise"


def _shapes(model: MatchModel) -> list[tuple[Any, ...]]:
    """Give each comparison without its bits, which stand among the levels."""
    return [
        (one.name, one.feature, one.comparator, one.term_frequency, tuple((at.label, at.at_least) for at in one.levels))
        for one in model.comparisons
    ]


def _name(part: Any) -> str:
    return str(part[0] if isinstance(part, tuple) else part.name)


def _values(before: EntityType, after: EntityType) -> dict[str, tuple[str, str]]:
    first, second = survivorship_of(before).definition(), survivorship_of(after).definition()
    nothing = plain_rule(next(iter(before.attributes.values())).survivorship)
    found = {}
    for kind in ("attributes", "groups"):
        for name in dict.fromkeys((*first[kind], *second[kind])):
            pair = tuple(rule_in_words(part[kind].get(name, nothing)) for part in (first, second))
            if pair[0] != pair[1]:
                found[name] = (pair[0], pair[1])
    return found
