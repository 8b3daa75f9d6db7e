"""Lines decide first, then rules that raise a verdict, then rules that hold it down."""

import numpy as np

from matching.decide import decide
from matching.model import MATCH, NON_MATCH, POSSIBLE_MATCH, Rule
from tests.unit.matching.models import company_model

RAISE = Rule("same_phone", "possible_match", (("phone", "same"),))
CAP = Rule("names_alone", "possible_match", (("name", "other"),), unless=(("phone", "same"),), bound="at_most")


def test_a_score_on_a_line_reaches_it() -> None:
    vectors = np.zeros((4, 2), dtype=np.int8)

    verdicts = decide(vectors, np.array([2.0, 1.99, -2.0, -2.01]), company_model())

    assert verdicts.tolist() == [MATCH, POSSIBLE_MATCH, POSSIBLE_MATCH, NON_MATCH]


def test_rules_read_a_level_or_better_and_a_missing_comparison_reaches_none() -> None:
    vectors = np.array([[2, 0], [2, 1], [2, -1]], dtype=np.int8)

    verdicts = decide(vectors, np.full(3, -9.0), company_model(rules=(RAISE,)))

    assert verdicts.tolist() == [POSSIBLE_MATCH, NON_MATCH, NON_MATCH]


def test_a_rule_holds_a_verdict_down_unless_something_else_supports_it() -> None:
    vectors = np.array([[0, -1], [0, 1], [0, 0], [-1, -1]], dtype=np.int8)

    verdicts = decide(vectors, np.full(4, 9.0), company_model(rules=(CAP,)))

    assert verdicts.tolist() == [POSSIBLE_MATCH, POSSIBLE_MATCH, MATCH, MATCH]


def test_holding_down_comes_last_whatever_the_order_of_the_rules() -> None:
    lift = Rule("same_name", "match", (("name", "same"),))
    vectors = np.array([[0, -1]], dtype=np.int8)

    for rules in ((CAP, lift), (lift, CAP)):
        assert decide(vectors, np.array([-9.0]), company_model(rules=rules)).tolist() == [POSSIBLE_MATCH]
