"""What is typed is read in every way it can be meant, and nothing that can be typed breaks a query."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.survivorship.search_question import QUESTION_LENGTH_MAX, WORDS_MAX, read_question


def test_an_id_and_a_printed_key_are_recognised() -> None:
    assert read_question(" CUS_01HZY ").golden_id == "cus_01hzy"
    assert read_question("customer_1!").golden_id == ""
    key = read_question("d365-emea/customer/usmf:C001")
    assert (key.place, key.native_id) == ("d365-emea/customer/usmf", "C001")
    assert (read_question("C001").place, read_question("C001").native_id) == ("", "C001")


@pytest.mark.parametrize("typed", ["DE 136 695 976", "VAT no. DE136695976", "USt-IdNr.: DE-136.695.976"])
def test_a_number_loses_what_people_write_before_it(typed: str) -> None:
    assert "nde136695976" in read_question(typed).exact_terms


@pytest.mark.parametrize("typed", ["+49 221 9876540", "0049 (221) 9876540", "0221-9876540", "221 987 65 40"])
def test_a_telephone_number_ends_the_same_however_it_begins(typed: str) -> None:
    assert "r0456789122" in read_question(typed).beginning_terms


def test_the_legal_form_does_not_have_to_be_there() -> None:
    question = read_question("Müller Maschinenbau GmbH")

    assert question.name_words == ("muller", "maschinenbau")
    assert question.spelled.startswith("('wmuller':* & 'wmaschinenbau':* | ")
    assert read_question("GmbH").name_words == ("gmbh",)


def test_all_words_but_one_are_enough_from_three_words_on() -> None:
    assert read_question("red hat").most == ""
    assert read_question("red hat group").most == (
        "('what':* & 'wgroup':* | 'wred':* & 'wgroup':* | 'wred':* & 'what':*)"
    )


@given(st.text(max_size=300) | st.text(alphabet="'\\:*&|!()<> %_@/." + string.ascii_letters, max_size=60))
def test_anything_is_read_and_every_term_stays_quoted(typed: str) -> None:
    question = read_question(typed)

    assert len(question.asked) <= QUESTION_LENGTH_MAX
    assert len(question.name_words) <= WORDS_MAX
    for query in (question.exact, question.beginning, question.spelled, question.slipped, question.most):
        bare = query.replace("\\\\", "").replace("''", "")
        # What is left outside of quotes is operators of our own.
        assert set("".join(bare.split("'")[::2])) <= set(" &|():*")
        assert bare.count("'") % 2 == 0
