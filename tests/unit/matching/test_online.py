"""Judging is compare, score, decide; identifiers conflict within a scope only."""

import numpy as np

from matching.model import MATCH, NON_MATCH, POSSIBLE_MATCH
from matching.online import conflict_signatures, conflicting, judge
from tests.unit.matching.models import company_model, forms_of


def test_pairs_are_judged_by_what_their_values_are_worth() -> None:
    """-8 + 8 + 5 = 5 is a match, -8 + 8 - 1 = -1 a possible one, -8 - 4 + 5 = -7 none."""
    forms = forms_of(
        [
            {"name": ["acme plastics"], "phone": ["1"]},
            {"name": ["plastics acme"], "phone": ["1"]},
            {"name": ["acme plastics"], "phone": ["2"]},
            {"name": ["bolt"], "phone": ["1"]},
        ]
    )

    judged = judge(forms, np.array([0, 0, 0]), np.array([1, 2, 3]), company_model())

    assert judged.bits.tolist() == [5.0, -1.0, -7.0]
    assert judged.verdicts.tolist() == [MATCH, POSSIBLE_MATCH, NON_MATCH]


def test_records_conflict_when_they_have_values_in_one_scope_and_share_none() -> None:
    rows = [
        ["de:1"],
        ["de:2"],
        ["fr:1"],
        ["de:2", "de:1", "fr:9"],
        [],
        ["weak:1"],
        ["weak:2"],
        ["7"],
        ["8"],
    ]
    forms = forms_of([{"tax_id": values} for values in rows])
    signatures = conflict_signatures(forms, company_model())
    left, right = np.triu_indices(len(rows), k=1)

    found = conflicting(signatures, left, right)

    apart = {(int(a), int(b)) for a, b, is_apart in zip(left, right, found, strict=True) if is_apart}
    assert apart == {(0, 1), (2, 3), (7, 8)}


def test_records_without_identifiers_never_conflict() -> None:
    signatures = conflict_signatures(forms_of([{}, {}]), company_model())

    assert conflicting(signatures, np.array([0]), np.array([1])).tolist() == [False]
