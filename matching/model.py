"""The match model: what to compare, what each agreement is worth, and where the lines are.

A model is plain frozen data, built from an entity declaration and named by a hash of all it holds. Together with two
records it determines their verdict; nothing else may. Whatever was learnt from a population is frozen inside it
(`Population`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["match", "possible_match", "non_match"]

NON_MATCH, POSSIBLE_MATCH, MATCH = 0, 1, 2
VERDICTS: tuple[Verdict, ...] = ("non_match", "possible_match", "match")
_LATER = frozenset({"reach"})

MISSING = -1
"""Level index of a comparison where a record has no value: it adds nothing."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Name a compare form: made by `form` (of matching.standardise.FORMS) from the values of `attributes`.

    country_from  attributes that tell the country a value is read in (phone, tax id), first with a value wins
    """

    name: str
    form: str
    attributes: tuple[str, ...]
    country_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyPart:
    """Take part of a feature into a blocking key; `transform` is one of matching.transforms.TRANSFORMS (`first:4`)."""

    feature: str
    transform: str = "whole"


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Pair records that agree in all parts. A record that misses a part has no key of this rule.

    size_max  records of a block before its key is replaced by finer ones; None = the model's block_size_max
    """

    name: str
    parts: tuple[KeyPart, ...]
    size_max: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """State what a similarity (0..1) of at least `at_least` is worth: `bits`, log2(m / u)."""

    label: str
    at_least: float
    bits: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compare one feature. Levels stand best first and the last has at_least = 0.

    comparator      a name in matching.comparators.COMPARATORS
    term_frequency  whether each doubling of the records that hold an agreed value takes one bit off it
    """

    name: str
    feature: str
    comparator: str
    levels: tuple[Level, ...]
    term_frequency: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Bound the verdict of pairs that reach all of `when` and none of `unless`: (comparison, level label or better).

    A missing comparison reaches no level. All at_least rules apply first, then the at_most rules.
    """

    name: str
    verdict: Verdict
    when: tuple[tuple[str, str], ...]
    unless: tuple[tuple[str, str], ...] = ()
    bound: Literal["at_least", "at_most"] = "at_least"


@dataclass(frozen=True, slots=True)
class Veto:
    """Set two records in conflict when both hold values of one scope and share none. Values read "scope:value".

    reach  pair: no two such records join. chain: two that match by themselves do, for their comparison has weighed the
           difference; but no record that leaves the value open brings together sides that know it and share nothing
    """

    name: str
    feature: str
    reach: Literal["pair", "chain"] = "pair"


@dataclass(frozen=True, slots=True)
class Population:
    """Hold what was learnt from a population of records, frozen.

    frequency  feature (or "feature tokens") → value → records holding it; only counts that change a weight
    stop_keys  blocking keys whose block is too large
    generic    feature → values shared by so many different names that they tell nothing
    """

    records_count: int
    frequency: Mapping[str, Mapping[str, int]]
    stop_keys: frozenset[int]
    generic: Mapping[str, frozenset[str]]


EMPTY_POPULATION = Population(0, MappingProxyType({}), frozenset(), MappingProxyType({}))


@dataclass(frozen=True)
class MatchModel:
    """Hold all that decides a pair of one entity type. Lines and weights are in bits, log2 of odds."""

    entity_type: str
    features: tuple[FeatureSpec, ...]
    blocking: tuple[BlockingRule, ...]
    comparisons: tuple[Comparison, ...]
    rules: tuple[Rule, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    prior_bits: float = 0.0
    match_bits: float = 0.0
    review_bits: float = 0.0
    block_size_max: int = 100
    population: Population = field(default=EMPTY_POPULATION)

    def __post_init__(self) -> None:
        """Refuse a model that names what it does not have, with every fault at once."""
        faults = _faults(self)
        if faults:
            message = f"match model of {self.entity_type}: " + "; ".join(faults)
            raise ValueError(message)

    def __hash__(self) -> int:
        """Hash by version, so that a model can key a cache."""
        return hash(self.version)

    @cached_property
    def version(self) -> str:
        """Name the model by a hash of all it holds: 16 hex digits, the same on every machine."""
        canonical = json.dumps(plain(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()


def plain(value: object) -> object:
    """Turn values, sets and mappings into what JSON can order.

    Fields that came later are left out while they have their default, so that models of before keep their version.
    """
    if is_dataclass(value):
        held = {part: getattr(value, part.name) for part in fields(value)}
        return {
            part.name: plain(each) for part, each in held.items() if part.name not in _LATER or each != part.default
        }
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value


def _faults(model: MatchModel) -> list[str]:
    features = {feature.name for feature in model.features}
    used = [(f"blocking rule {rule.name}", part.feature) for rule in model.blocking for part in rule.parts]
    used += [(f"comparison {comparison.name}", comparison.feature) for comparison in model.comparisons]
    used += [(f"veto {veto.name}", veto.feature) for veto in model.vetoes]
    faults = [f"{where} names the unknown feature {feature}" for where, feature in used if feature not in features]
    for comparison in model.comparisons:
        bounds = [level.at_least for level in comparison.levels]
        if not bounds or bounds[-1] != 0 or bounds != sorted(bounds, reverse=True):
            faults.append(f"comparison {comparison.name} needs levels best first, the last at_least 0")
    labels = {(comparison.name, level.label) for comparison in model.comparisons for level in comparison.levels}
    faults += [
        f"rule {rule.name} names the unknown level {': '.join(condition)}"
        for rule in model.rules
        for condition in (*rule.when, *rule.unless)
        if condition not in labels
    ]
    if model.review_bits > model.match_bits:
        faults.append("review_bits lies above match_bits")
    return faults
