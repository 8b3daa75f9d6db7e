"""Many tax numbers at once: the same forms as one by one, which python-stdnum decides."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matching.standardise import identifiers
from matching.standardise.check_digits import RULES, Rule
from matching.standardise.tables import tax_id_kinds
from matching.standardise.tax_lines import tax_lines
from matching.standardise.written import Written
from tests.unit.matching.standardise.test_lines import tuples

ACCEPTED, REFUSED = 12, 6
RULES_BY_NAME = {f"{country} {rule.kind} {rule.mask}": (country, rule) for country in RULES for rule in RULES[country]}
LABELS = ("", "VAT ", "VAT no.: ", "USt-IdNr. ", "Tax ID: ", "No ", "SIRET ", "CHE: ", "kkk: ", "iva#", "NIF B ", "?:")
PREFIXES = ("be", "de", "DE", "US", "EL", "gr", "xi", "UK", "CHE", "atu", "e1", "B01", "mva", "K", "vat")
PARTS = (*PREFIXES, "0", "000", "12", "9" * 9, *".-/é½:# ")


def both_ways(told: list[tuple[str, str]]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    values, countries = [value for value, _ in told], [country for _, country in told]
    return tuples(tax_lines(values, countries, Written.of(values))), [identifiers.tax_id(*pair) for pair in told]


def random_numbers(rule: Rule) -> NDArray[np.uint8]:
    """Fill a mask at random, so often that some numbers hold."""
    chance = np.random.default_rng(7)
    size = 30_000
    columns = []
    for sign in rule.mask:
        digits = chance.integers(ord("0"), ord("9") + 1, size)
        letters = chance.integers(ord("a"), ord("z") + 1, size)
        mixed = np.where(chance.random(size) < 0.5, digits, letters)
        columns.append(digits if sign == "9" else mixed if sign == "?" else np.full(size, ord(sign.lower())))
    return np.array(columns, dtype=np.uint8).T


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_a_rule_accepts_what_python_stdnum_accepts(name: str) -> None:
    country, rule = RULES_BY_NAME[name]
    numbers = random_numbers(rule)
    is_held = rule.accepts(numbers)
    held = [bytes(number).decode() for number in numbers[is_held][:ACCEPTED]]
    refused = [bytes(number).decode() for number in numbers[~is_held][:REFUSED]]
    prefix = "EL" if country == "gr" else country.upper()

    told = [
        (f"{label}{start}{number[:4].upper()} {number[4:]}", where)
        for number in (*held, *refused)
        for start in (prefix, "")
        for label in LABELS
        for where in (country, "", "fi" if country == "se" else "se")
    ]
    many, alone = both_ways(told)

    assert len(held) == ACCEPTED
    assert many == alone
    expected = [f"{country}-{rule.kind}:{country}{rule.lead}{number[: rule.part]}" for number in held]
    assert [form for number in held for form in identifiers.tax_id(prefix + number, country)] == expected


@given(st.lists(st.tuples(st.lists(st.sampled_from(PARTS), max_size=5).map("".join), st.sampled_from(["", *RULES]))))
@example([("GB 980780684", ""), ("XI980780684", "gb"), ("UK980780684", "gb"), ("XI1955839661", "gb"), ("DE", "de")])
@example([("111111111", "gb"), ("000000000", "de"), ("1" * 120, "de"), ("DEDE136695976", ""), ("DE136695976", "at")])
@example([("Steuernummer 12/345: DE 136 695 976", "de"), ("vat é 136695976", "de"), ("٣", "de"), ("東京", "")])
@example([("35600000000048", "fr"), ("35600000049837", "fr"), ("53000004605", "fr"), ("FR53000004605", "")])
def test_many_tax_numbers_are_those_of_one(told: list[tuple[str, str]]) -> None:
    many, alone = both_ways(told)

    assert many == alone


def test_rules_are_of_kinds_that_the_table_names_and_never_overlap() -> None:
    for country, rules in RULES.items():
        assert {rule.kind for rule in rules} <= {kind.kind for kind in tax_id_kinds()[country]}
        assert len({rule.mask for rule in rules}) == len(rules)
        lengths = [len(rule.mask) for rule in rules if rule.mask.isdigit() and not rule.after_prefix_only]
        assert len(set(lengths)) == len(lengths)
