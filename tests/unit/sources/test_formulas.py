"""What a spreadsheet would run is disarmed, and comes back whole."""

import pytest

from mdm.sources.formulas import TRIGGERS, disarm, rearm


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_each_trigger_is_disarmed_and_given_back(trigger: str) -> None:
    assert disarm(f"{trigger}1+1") == f"'{trigger}1+1"
    assert rearm(f"'{trigger}1+1") == f"{trigger}1+1"


@pytest.mark.parametrize("text", ["", "'", "Acme", "'tHooft", "A=B", "''", " =1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert disarm(text) == rearm(text) == text


def test_an_apostrophe_before_a_trigger_is_not_lost() -> None:
    assert disarm("'=x") == "''=x"
    assert rearm("''=x") == "'=x"
