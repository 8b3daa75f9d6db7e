"""Plain words stand where the field's words would stand."""

import pytest

from api.console.views.vocabulary import mark, message, names

JARGON = ("crosswalk", "survivorship", "entity", "golden", "cluster", "cannot_link")


@pytest.mark.parametrize(
    "subject", ["rule", "review", "cause", "judgement", "relation", "verdict", "agreement", "entity", "state"]
)
def test_no_word_of_the_field_is_said_to_a_steward(subject: str) -> None:
    said = [message(subject, name).lower() for name in names(subject)]

    assert not [word for word in said for jargon in JARGON if jargon in word]


@pytest.mark.parametrize(("system", "expected"), [("salesforce", "SF"), ("acme-erp", "AC"), ("", "?"), ("<x>", "X")])
def test_a_system_has_two_letters(system: str, expected: str) -> None:
    assert mark(system) == expected
