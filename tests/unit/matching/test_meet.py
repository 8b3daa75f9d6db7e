"""What blocking did is told as it was done, and what would have made two records meet is named."""

from dataclasses import replace

from matching.block import candidate_pairs
from matching.keys import blocking_keys
from matching.meet import Meetings, meet
from matching.model import BlockingRule, KeyPart, Population
from tests.unit.matching.models import company_model, forms_of

MODEL = company_model(
    blocking=(
        BlockingRule("name and city", (KeyPart("name", "first:4"), KeyPart("city"))),
        BlockingRule("phone", (KeyPart("phone"),)),
    )
)
FORMS = forms_of(
    [
        {"name": ["acme plastics"], "city": ["koln"], "phone": ["1"]},
        {"name": ["acme pipes"], "city": ["koln"]},
        {"name": ["acme pipes"], "city": ["bonn"], "phone": ["2"]},
    ]
)


def seen(found: Meetings) -> list[tuple[str, str]]:
    return [(rule.rule, rule.meeting) for rule in found.rules]


def test_each_rule_says_whether_two_records_meet_and_what_lacks() -> None:
    together, apart = meet(FORMS, 0, 1, MODEL), meet(FORMS, 0, 2, MODEL)

    assert seen(together) == [("name and city", "met"), ("phone", "missing")]
    assert [(part.feature, part.left, part.right) for part in together.rules[1].lacking] == [("phone", ("1",), ())]
    assert seen(apart) == [("name and city", "differ"), ("phone", "differ")]
    (city,) = apart.rules[0].lacking
    assert (city.feature, city.left, city.right) == ("city", ("koln",), ("bonn",))


def test_they_meet_exactly_where_blocking_makes_them_a_candidate_pair() -> None:
    pairs = candidate_pairs(blocking_keys(FORMS, MODEL), MODEL)
    blocked = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))

    told = {(left, right) for left in range(3) for right in range(left + 1, 3) if meet(FORMS, left, right, MODEL).keys}

    assert told == blocked == {(0, 1)}


def test_an_agreement_that_is_too_common_is_said_to_be() -> None:
    (key,) = meet(FORMS, 0, 1, MODEL).keys
    stopping = replace(MODEL, population=Population(9, {}, frozenset({key}), {}))

    found = meet(FORMS, 0, 1, stopping)

    assert found.rules[0].meeting == "stopped"
    assert found.keys == ()


def test_records_of_two_parents_or_of_none_do_not_meet() -> None:
    rows = [{"phone": ["1"]}] * 4

    for contexts, meeting in ((["p", "p"], "met"), (["p", "q"], "apart"), (["", ""], "apart")):
        found = meet(forms_of(rows[:2], contexts), 0, 1, MODEL)
        assert found.rules[1].meeting == meeting
        assert found.is_apart is (meeting == "apart")
