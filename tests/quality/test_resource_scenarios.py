"""Two consultants at a time under the shipped model: names never join, an e-mail address or a personnel number does.

"match" joins by itself, "ask" is a possible match, "apart" is neither. Two people may share a name, and whatever else
goes with it: the office, the job title, the practice, the switchboard.
"""

from dataclasses import replace

import pytest

from matching.bulk import match
from matching.model import VERDICTS, Comparison
from matching.records import records_from_rows
from mdm.entities.mapping import map_record, match_row
from mdm.entities.model import Origin
from mdm.entities.service import entity_type
from tests.quality.test_engagement_scenarios import answer

NAMES = {
    "the same": ("Ada King", "Ada King"),
    "the same and rare": ("Theodosia Wrzeszczykowska", "Theodosia Wrzeszczykowska"),
    "the same in three words": ("Anna Maria Nováková-Lindqvist", "Anna Maria Nováková-Lindqvist"),
    "the same in another order": ("King, Ada", "Ada King"),
    "the same in capitals": ("ADA KING", "Ada King"),
    "an accent less": ("Jürgen Müller", "Jurgen Muller"),
    "a letter wrong": ("Katharina Hoffmann", "Katharina Hofmann"),
    "a second name more": ("Ada Byron King", "Ada King"),
    "an initial": ("A. King", "Ada King"),
}
AROUND = {
    "nothing else": {},
    "office": {"office": "Berlin"},
    "job title": {"title": "Principal Consultant"},
    "phone": {"phone": "+49 30 5550100"},
    "everything but an identifier": {
        "office": "Berlin",
        "title": "Principal Consultant",
        "practice": "Data",
        "phone": "+49 30 5550100",
        "status": "active",
        "own legal entity": "demf",
    },
}
MAIL, NUMBER = {"email": "ada.king@firm.example"}, {"personnel number": "P-100234"}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
@pytest.mark.parametrize(("left", "right"), NAMES.values(), ids=NAMES.keys())
def test_two_people_of_one_name_are_never_joined_for_it(left: str, right: str, around: dict[str, str]) -> None:
    pair = {"name": left, **around}, {"name": right, **around}

    assert answer("resource", *pair) in {"ask", "apart"}
    assert answer("resource", pair[1], pair[0]) in {"ask", "apart"}
    # One side alone has an identifier: there is nothing to compare it with.
    assert answer("resource", {**pair[0], **MAIL, **NUMBER}, pair[1]) in {"ask", "apart"}


def test_a_steward_is_asked_about_two_people_of_one_name() -> None:
    assert answer("resource", {"name": "Ada King"}, {"name": "Ada King"}) == "ask"


@pytest.mark.parametrize("identifier", [MAIL, NUMBER, {**MAIL, **NUMBER}], ids=["e-mail", "personnel number", "both"])
@pytest.mark.parametrize(("left", "right"), [NAMES["the same"], NAMES["a letter wrong"], NAMES["an accent less"]])
def test_an_identifier_joins_two_records_of_one_name(left: str, right: str, identifier: dict[str, str]) -> None:
    assert answer("resource", {"name": left, **identifier}, {"name": right, **identifier}) == "match"
    assert answer("resource", {"name": right, **identifier}, {"name": left, **identifier}) == "match"


def test_other_identifiers_do_not_join_what_shares_a_name() -> None:
    left = {"name": "Ada King", **AROUND["everything but an identifier"], **MAIL, **NUMBER}
    right = left | {"email": "a.king@other.example", "personnel number": "P-999111"}

    assert answer("resource", left, right) in {"ask", "apart"}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_no_weight_that_is_learnt_lets_a_name_join(around: dict[str, str]) -> None:
    """Stewards teach the model other bits; what the declaration says of names alone holds whatever these are."""
    declared = entity_type("resource")
    learnt = replace(declared.model, comparisons=tuple(map(_convinced, declared.model.comparisons)))
    twin = {"name": "Theodosia Wrzeszczykowska", **around}
    rows = [
        match_row(declared, map_record(declared, row, origin=Origin("x")).values) for row in (twin, twin, twin | MAIL)
    ]

    found = match(records_from_rows(["a", "b", "c"], ["one", "two", "three"], rows), learnt)

    assert found.bits.min() > learnt.match_bits
    assert {VERDICTS[verdict] for verdict in found.verdicts} == {"possible_match"}
    assert len(set(found.labels.tolist())) == 3


def _convinced(comparison: Comparison) -> Comparison:
    """Let an agreement weigh more than any prior takes away."""
    best, *others = comparison.levels
    return replace(comparison, levels=(replace(best, bits=40.0), *others))
