"""Scoring with movable lines decides as the engine does, wherever the lines stand."""

from dataclasses import replace

import numpy as np
import pytest

from matching.decide import decide
from matching.model import MATCH, Rule
from matching.online import judge
from matching.records import records_from_rows
from matching.standardise import standardise
from mdm.entities.mapping import match_row
from mdm.modelling.sanity import Agreement, reasons_against
from mdm.modelling.scoring import score_pairs
from mdm.modelling.trial import Figures, Trial
from tests.hubs import declared

NAMES = ("Kestrel Holding Ltd", "Kestrel Ltd", "Kestrel Limited", "Heron Marine GmbH", "Heron Marine AG", "Siskin")


@pytest.mark.parametrize("lines", [(-8.0, -2.0), (0.0, 4.0), (3.0, 3.0)])
def test_verdicts_are_those_of_the_engine_at_any_line(lines: tuple[float, float]) -> None:
    customer = declared()["customer"]
    always = Rule("same_name_asks", "possible_match", (("name", "same"),))
    model = replace(customer.model, review_bits=lines[0], match_bits=lines[1], rules=(*customer.model.rules, always))
    rows = [match_row(customer, {"legal_name": name, "city": "Hull"}) for name in NAMES]
    forms = standardise(records_from_rows([f"k{n}" for n in range(len(rows))], ["a"] * len(rows), rows), model)
    left, right = np.triu_indices(len(rows), 1)

    found = score_pairs(forms, left.astype(np.int32), right.astype(np.int32), model)

    judged = judge(forms, left, right, model)
    assert found.verdicts(*lines).tolist() == decide(judged.vectors, judged.bits, model).tolist()
    assert found.verdicts(-100, -100).max() == MATCH


def trial(**figures: int) -> Trial:
    given = {"records": 1000, "goldens": 500, "largest": 6, "candidates": 9000, "matches": 700, "possible": 90}
    seen = Figures(**given | {"refused": 3, "questions": 40} | figures)
    return Trial("v", 1.0, seen, 0, 0, 0, (), ())


NOTHING = Agreement(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("figures", "agreement", "said"),
    [
        ({}, NOTHING, ()),
        ({"largest": 18}, NOTHING, ()),  # three times as many members are borne
        ({"largest": 19}, NOTHING, ("the largest golden record would have 19 records, 6 by the rules that hold",)),
        ({"matches": 2200}, NOTHING, ("2,200 pairs would match, 700 by the rules that hold",)),
        ({"matches": 200}, NOTHING, ("only 200 pairs would match, 700 by the rules that hold",)),
        ({"refused": 150}, NOTHING, ("150 of 700 joins would contradict identifiers, 3 do now",)),
        ({}, Agreement(40, 4, 60, 6), ()),
        ({}, Agreement(40, 5, 60, 6), ("5 of 40 pairs decided different would be joined unasked",)),
        ({}, Agreement(40, 4, 60, 7), ("7 of 60 pairs decided the same would not be asked about",)),
    ],
)
def test_what_looks_wrong_is_said_with_its_figures(
    figures: dict[str, int], agreement: Agreement, said: tuple[str, ...]
) -> None:
    assert reasons_against(trial(), trial(**figures), agreement) == said


def test_golden_records_that_join_or_fall_apart_in_masses_are_said() -> None:
    now, joined = trial(), replace(trial(), joined=101, split=101)

    assert reasons_against(now, joined, NOTHING) == (
        "101 of 500 golden records would go up in others",
        "101 of 500 golden records would fall apart",
    )
    assert reasons_against(now, replace(joined, joined=100, split=100), NOTHING) == ()
