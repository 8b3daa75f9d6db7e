"""Many values at once: the same words, names and streets as one by one, to the letter."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching import texts
from matching.standardise import names, places
from matching.standardise.batch import Batch
from matching.standardise.forms import FORMS, TOGETHER_MIN, nothing_among, nothing_written
from matching.standardise.given import Given, arrow_forms
from matching.standardise.lines import lines_of
from matching.standardise.name_lines import name_lines
from matching.standardise.street_lines import street_lines
from matching.standardise.text import fold, words
from matching.standardise.written import Written

COUNTRIES = ("", "de", "us", "gb", "fr", "ch", "it")
SCRIPTS = st.text(st.sampled_from("aeouyhsx19 .,-/'`&_()#+éäßøłŒﬁ™½東Ж\u0301\u200b\n"), max_size=24)
NAME_TEXT = (
    "The the Acme ACME Müller Foods Ashcroft and und y e i A B. I.B.M. J. P. GmbH gmbh & Co. KG S.p.A. S. p. A. SpA Spa"
    " Inc Ltd PLC SA AS AB Sàrl S.à r.l. d.d. Grupo (UK) (formerly dba t/a Niederlassung Intl Mgmt O'Neil boys' 3M 24"
    " 株式会社 - , / Co Holding"
)
STREET_TEXT = (
    "High Haupt Hauptstraße Strasse Street St. Rue de la Karl-Marx-Str. Broadway North N 1st 12 12b 007 123456 B b 3o"
    " Suite 4 #5 Floor PO Box 12-14 3 - 5 17+19 c/o , / d'Apt 5th Avenue rechts 3OG 2piso ,3rdfloor"
)
NOTHING_TEXT = ("n/a", "N.A.", "na", "Keine", "entfällt", "unknown", "UNKNOWN", "#", "(", ")", " ", "\t", ".", "-", "x")
IN_COUNTRY = st.sampled_from(COUNTRIES)
NAMES = st.lists(st.tuples(st.lists(st.sampled_from(NAME_TEXT.split()), max_size=7).map(" ".join), IN_COUNTRY))
STREETS = st.lists(st.tuples(st.lists(st.sampled_from(STREET_TEXT.split()), max_size=6).map(" ".join), IN_COUNTRY))


def tuples(made: Given) -> list[tuple[str, ...]]:
    forms, bounds = arrow_forms(made).to_pylist(), np.concatenate(([0], np.cumsum(made.counts))).tolist()
    return [tuple(forms[start:end]) for start, end in pairwise(bounds)]


def alone(form: str, values: Sequence[str], countries: Sequence[str]) -> list[tuple[str, ...]]:
    return [FORMS[form]([value], [country])[0] for value, country in zip(values, countries, strict=True)]


@given(st.lists(SCRIPTS, max_size=8))
@example(["Mueller Bauer Boeing aeae aue ueb quest", "l'oréal's boys' `x", "A.B. c", "a_b.c. d.", "", " ", "'", "s'"])
@example(["x" * 501, "東京", "a\u0301e", "Œuvre ﬁn ½ №5 ª"])
def test_words_are_those_of_one_value(values: list[str]) -> None:
    lines = lines_of(Written.of(values))

    read = [values[row] for row in lines.rows.tolist()]
    assert [line.strip() for line in texts.strings_of(lines.folded)] == [fold(value) for value in read]
    assert list(lines.words.lists(np.arange(len(read)))) == [words(fold(value)) for value in read]


def test_only_values_that_need_more_than_their_letters_are_left_out() -> None:
    values = ["Acme", "Łódź Sp. z o.o.", "東京", "a\tb", "x" * 501, "Ca\u0301fe", "Café – “Sud”"]

    assert lines_of(Written.of(values)).rows.tolist() == [0, 1, 6]


@given(NAMES)
@example([("Bella Spa", ""), ("Bella SpA", ""), ("Bella Spa", "it"), ("Foods, Ashcroft PLC", "gb"), ("The The", "us")])
@example([("é" + "…" * 200 + " word" * 50 + " gmbh", "de"), ("-", "de"), ("Acme", "de")])
@example([("SA Acme", ""), ("S.A. Acme", ""), ("SA Acme", "fr"), ("SA Acme", "de"), ("GmbH", "de"), ("and", "")])
def test_names_and_their_legal_forms_are_those_of_one_name(told: list[tuple[str, str]]) -> None:
    values, countries = [value for value, _ in told], [country for _, country in told]

    made = name_lines(values, countries, Written.of(values))

    assert tuples(made.names) == [names.company_name(*pair) for pair in told]
    assert tuples(made.legal_forms) == [names.legal_form(*pair) for pair in told]
    assert tuples(made.registered) == [names.registered_name(*pair) for pair in told]


@given(STREETS)
@example(
    [("12 B High St", "gb"), ("Foo 3 c", "de"), ("12 b Foo 3 c", ""), ("12", ""), ("12 b", "de"), ("Main, 3o", "")]
)
@example([("Via Roma 007 Nord", "it"), ("High 007 Street", "it"), ("Via Roma 000 Nord", "it"), ("007 Street", "gb")])
@example(
    [("Musterstr. 12, 3OG", "de"), ("Main Street 5, 3rdfloor", "us"), ("Calle Mayor 12, 2piso", ""), ("Weg, 12b", "")]
)
@example([("12345  ab", ""), ("12345 B C", "de"), ("1 2 3 4 5", ""), ("      12      ", "us"), ("12 .......b", "")])
def test_streets_and_house_numbers_are_those_of_one_street(told: list[tuple[str, str]]) -> None:
    values, countries = [value for value, _ in told], [country for _, country in told]

    made = street_lines(values, countries, Written.of(values))

    assert tuples(made.streets) == [places.street(*pair) for pair in told]
    assert tuples(made.house_numbers) == [places.house_number(*pair) for pair in told]


@given(st.lists(st.lists(st.sampled_from(NOTHING_TEXT), max_size=5).map("".join).filter(bool), max_size=8))
@example(
    ["\u212aeine", "k\u0307eine", "\u0130", "n\u0130l", "\u00a0n/a\t", "entfÄllt", "\ud800", "東京", "?", "x" * 501]
)
def test_what_stands_for_nothing_is_found_at_once(values: list[str]) -> None:
    written = Written.of(values)

    for form in ("company_name", "phone", "country", "text"):
        assert nothing_written(form, values, written) == nothing_among(form, values)


FORMS_TOGETHER = (
    *("company_name", "legal_form", "registered_name", "street", "house_number"),
    *("phone", "tax_id", "domain", "email", "city"),
)


@pytest.mark.parametrize("form", FORMS_TOGETHER)
def test_a_batch_drops_what_stands_for_nothing(form: str) -> None:
    values = [
        "n/a",
        "Unknown",
        "???",
        "-",
        "Acme GmbH",
        "High Street 5",
        "+49 221 1234567",
        "test",
        "\u212aeine",
        "N/A.",
        "müller",
    ] * TOGETHER_MIN
    countries = ["de"] * len(values)

    assert tuples(Batch(values, countries).give(form)) == alone(form, values, countries)
