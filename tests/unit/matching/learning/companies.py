"""A file of companies for the tests of learning: families of sisters, some with a tax number, some with a wrong one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from matching.learning.model import Labels
from matching.model import BlockingRule, Comparison, FeatureSpec, KeyPart, Level, MatchModel, Rule, Veto
from matching.records import Forms, column_from_lists

MODEL = MatchModel(
    entity_type="company",
    features=(
        FeatureSpec("name", "company_name", ("name",)),
        FeatureSpec("phone", "text", ("phone",)),
        FeatureSpec("tax_id", "tax_id", ("tax_id",)),
        FeatureSpec("city", "text", ("city",)),
    ),
    blocking=(
        BlockingRule("tax_id", (KeyPart("tax_id"),)),
        BlockingRule("name", (KeyPart("name", "rare_tokens:1"),)),
        BlockingRule("phone", (KeyPart("phone"),)),
    ),
    comparisons=(
        Comparison(
            "name",
            "name",
            "company_name",
            (Level("same", 0.95, 8.0), Level("similar", 0.7, 3.0), Level("other", 0.0, -4.0)),
        ),
        Comparison("phone", "phone", "exact", (Level("same", 1.0, 5.0), Level("other", 0.0, -1.0))),
        Comparison("city", "city", "exact", (Level("same", 1.0, 2.0), Level("other", 0.0, -1.0))),
        Comparison("tax_id", "tax_id", "identifier", (Level("same", 1.0, 12.0), Level("other", 0.0, 0.0))),
    ),
    rules=(Rule("other_name", "possible_match", (("name", "other"),), (("name", "similar"),), "at_most"),),
    vetoes=(Veto("tax_id", "tax_id"),),
    prior_bits=-10.0,
    match_bits=2.0,
    review_bits=-2.0,
)
"""A model that trusts telephones too much: among these companies sisters share one."""


@dataclass(frozen=True, slots=True, eq=False)
class Firms:
    """Hold the forms of some companies and which record belongs to which."""

    forms: Forms
    entities: tuple[int, ...]

    def labels(self, pairs: Sequence[tuple[int, int]]) -> Labels:
        """Answer pairs as a steward who knows."""
        left = np.array([min(pair) for pair in pairs], dtype=np.int32)
        right = np.array([max(pair) for pair in pairs], dtype=np.int32)
        is_same = np.array([self.entities[a] == self.entities[b] for a, b in pairs], dtype=bool)
        return Labels(left, right, is_same, np.ones(len(pairs)))


def firms(families: int, *, seed: int = 1) -> Firms:
    """Make families of two sisters that share a brand and a telephone, each of them in two or three records."""
    draw = random.Random(seed)
    rows: list[dict[str, list[str]]] = []
    entities: list[int] = []
    for family in range(families):
        for sister, line in enumerate(("plastics", "logistics")):
            for copy in range(draw.choice((2, 3))):
                has_number = draw.random() < 0.6
                rows.append(
                    {
                        "name": [f"brand{family} {line}" if copy else f"brand{family} {line} group"],
                        "phone": [f"55{family:05d}"] if draw.random() < 0.8 else [],
                        "city": [f"city{(family * 2 + sister) % 7}"],
                        "tax_id": [f"xx-vat:{family:04d}{sister}"] if has_number else [],
                    }
                )
                entities.append(family * 2 + sister)
    features = {name: column_from_lists([row[name] for row in rows]) for name in ("name", "phone", "city", "tax_id")}
    keys = tuple(f"crm/Account:{position:05d}" for position in range(len(rows)))
    return Firms(Forms(keys, ("crm",) * len(rows), None, features), tuple(entities))


def with_wrong_numbers(found: Firms, every: int) -> Firms:
    """Give every so-manieth record the tax number of the record before it."""
    column = found.forms.features["tax_id"]
    values = [list(column.of(record)) for record in range(len(column))]
    wrong = [values[record - 1] if record % every == every - 1 else values[record] for record in range(len(values))]
    return Firms(
        replace(found.forms, features={**found.forms.features, "tax_id": column_from_lists(wrong)}), found.entities
    )
