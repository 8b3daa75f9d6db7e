"""Small models and forms that the tests of matching build on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from matching.model import BlockingRule, Comparison, FeatureSpec, KeyPart, Level, MatchModel, Veto
from matching.records import Forms, column_from_lists

NAME = Comparison(
    "name",
    "name",
    "company_name",
    (Level("same", 0.95, 8.0), Level("similar", 0.7, 3.0), Level("other", 0.0, -4.0)),
    term_frequency=True,
)
PHONE = Comparison("phone", "phone", "exact", (Level("same", 1.0, 5.0), Level("other", 0.0, -1.0)))


COMPANY = MatchModel(
    entity_type="company",
    features=tuple(FeatureSpec(name, "text", (name,)) for name in ("name", "phone", "city", "tax_id")),
    blocking=(
        BlockingRule("name", (KeyPart("name", "rare_tokens:1"),)),
        BlockingRule("phone", (KeyPart("phone"),)),
    ),
    comparisons=(NAME, PHONE),
    vetoes=(Veto("tax_id", "tax_id"),),
    prior_bits=-8.0,
    match_bits=2.0,
    review_bits=-2.0,
)


def company_model(**changes: Any) -> MatchModel:
    """Give a model of companies with some parts changed; match from 2 bits on, review from -2."""
    return replace(COMPANY, **changes)


def forms_of(rows: Sequence[Mapping[str, Sequence[str]]], contexts: Sequence[str] | None = None) -> Forms:
    """Give the forms of records whose values need no standardising."""
    features = {
        name: column_from_lists([row.get(name, ()) for row in rows]) for name in ("name", "phone", "city", "tax_id")
    }
    keys = tuple(f"crm/Account:{position:03d}" for position in range(len(rows)))
    return Forms(keys, ("crm",) * len(rows), None if contexts is None else tuple(contexts), features)
