"""Compiled loops give what the columns give, number for number but for the order of a sum."""

import subprocess
import sys
from dataclasses import fields
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Levenshtein

from matching import distinct, kernels, tokens
from matching.comparators import COMPARATORS
from matching.compare import likeness, likeness_by_columns
from matching.model import EMPTY_POPULATION
from matching.records import column_from_lists
from matching.term_frequency import token_rarity
from matching.texts import hashes_by_columns, hashes_of, letter_sets, texts_of
from matching.vocabulary import Vocabulary

WORD = st.one_of(
    st.sampled_from(["acme", "acmee", "group", "plastics", "plastcs", "log", "logistics", "a", "b2b", "12", "14"]),
    st.text("abcd1", min_size=1, max_size=10),
)
VALUES = st.lists(st.lists(WORD, min_size=1, max_size=14).map(" ".join), min_size=1, max_size=6, unique=True)


@given(VALUES, st.sampled_from([tokens.slips, tokens.abbreviations_or_slips, tokens.initials_or_slips]))
def test_overlaps_are_those_of_the_columns(values: list[str], match: tokens.TokenMatch) -> None:
    words = Vocabulary(values, token_rarity(EMPTY_POPULATION, "name")).tokens
    left, right = np.array(list(product(range(len(values)), repeat=2))).T

    rows = np.empty((len(left), kernels.COLUMNS))
    kernels.overlaps(tokens._MODES[match], left, right, words.compiled, rows)
    by_columns = tokens._overlap(words, left, right, match)

    for place, field in enumerate(fields(tokens.Overlap)):
        assert rows[:, place] == pytest.approx(getattr(by_columns, field.name)), field.name


@given(st.text("abc", max_size=12), st.text("abc", max_size=12), st.integers(0, 5))
def test_edits_are_counted_up_to_a_limit(one: str, other: str, limit: int) -> None:
    letters = texts_of([one, other])
    spans = (0, len(one)), (len(one), len(one) + len(other))
    rows = np.zeros((2, 16), dtype=np.int64)

    found = kernels.edits_within(letters.letters, *spans, limit, rows)

    assert found == min(Levenshtein.distance(one, other), limit + 1)


@given(st.text("abc", max_size=12), st.text("abc", max_size=12), st.integers(0, 2), st.randoms(use_true_random=False))
def test_few_edits_are_counted_with_letters_that_changed_places(one: str, other: str, edits: int, rnd: Random) -> None:
    for _ in range(edits):  # texts drawn apart are seldom alike
        other = edited(one, rnd)
    letters = texts_of([one, other])
    spans = (0, len(one)), (len(one), len(one) + len(other))

    assert kernels.one_edit(letters.letters, *spans) == min(OSA.distance(one, other), 2)
    assert kernels.two_edits(letters.letters, *spans) == min(OSA.distance(one, other), 3)


def edited(text: str, rnd: Random) -> str:
    """Edit a text at one place or two."""
    for _ in range(rnd.randint(1, 2)):
        place = rnd.randrange(len(text) + 1)
        before, after = text[:place], text[place:]
        text = rnd.choice([before + "d" + after, before + after[1:], before + "d" + after[1:]])
        if len(after) > 1 and rnd.random() < 0.5:
            text = before + after[1] + after[0] + after[2:]
    return text


@given(st.lists(st.text("abcé ü1", max_size=9), max_size=6))
def test_sets_of_letters_are_those_of_the_columns(values: list[str]) -> None:
    found = []
    for is_compiled in (True, False):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(kernels, "IS_COMPILED", is_compiled)
            found.append(letter_sets(texts_of(values)).tolist())

    assert found[0] == found[1]


@given(st.text("abcdefg", max_size=12), st.text("abcdefg", max_size=12))
def test_texts_that_are_apart_by_their_letters_are_so_by_their_edits(one: str, other: str) -> None:
    sets = letter_sets(texts_of([one, other]))
    for limit in range(4):
        if kernels.are_apart(sets[0], sets[1], limit):
            assert OSA.distance(one, other) > limit


@given(VALUES, st.sampled_from(["company_name", "street", "tokens", "person_name", "telling_name"]))
def test_comparators_give_the_same_without_the_compiler(values: list[str], comparator: str) -> None:
    left, right = np.array(list(product(range(len(values)), repeat=2))).T
    found = []
    for is_compiled in (True, False):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(kernels, "IS_COMPILED", is_compiled)
            words = Vocabulary(values, token_rarity(EMPTY_POPULATION, "name"))
            found.append(COMPARATORS[comparator](words, left, right))

    assert found[0] == pytest.approx(found[1], abs=1e-12)


@given(VALUES, st.sampled_from(sorted(COMPARATORS.keys() - {"number", "date", "days"})))
def test_the_order_of_the_two_changes_nothing(values: list[str], comparator: str) -> None:
    left, right = np.array(list(product(range(len(values)), repeat=2))).T
    words = Vocabulary(values, token_rarity(EMPTY_POPULATION, "name"))

    there, back = COMPARATORS[comparator](words, left, right), COMPARATORS[comparator](words, right, left)

    assert there == pytest.approx(back, abs=1e-12)


@given(st.lists(st.one_of(WORD, st.text("ab  é", max_size=9), st.lists(WORD, max_size=5).map(" ".join)), max_size=6))
def test_hashes_are_those_of_the_columns(values: list[str]) -> None:
    assert hashes_of(texts_of(values)).tolist() == hashes_by_columns(texts_of(values)).tolist()


RECORDS = st.lists(st.lists(st.sampled_from(["acme", "acmee", "acme group", "bolton", "12"]), max_size=3), min_size=1)


@given(RECORDS, st.sampled_from(sorted(COMPARATORS.keys() - {"date", "days", "number", "document_number"})))
def test_likeness_of_records_is_that_of_the_columns(records: list[list[str]], comparator: str) -> None:
    column = column_from_lists(records)
    words = Vocabulary(column.values, token_rarity(EMPTY_POPULATION, "name"))
    left, right = np.array(list(product(range(len(records)), repeat=2)), dtype=np.int32).T

    found = likeness(column, left, right, comparator, words)

    assert found.tolist() == likeness_by_columns(column, left, right, comparator, words).tolist()


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20), min_size=1, max_size=300))
def test_distinct_codes_are_those_that_arrow_finds(codes: list[int]) -> None:
    asked = np.array(codes, dtype=np.int64)

    by_table, by_arrow = distinct._by_table(asked), distinct._by_arrow(asked)

    assert [part.tolist() for part in by_table] == [part.tolist() for part in by_arrow]


def test_the_compiler_is_loaded_by_whoever_compares_and_by_nobody_else() -> None:
    script = (
        "import sys, mdm.delivery.relay; print('numba' in sys.modules);"
        " from matching import kernels; kernels.overlaps; print('numba' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False", str(kernels.IS_COMPILED)]


def test_a_loop_that_is_not_there_is_told_as_any_name_is() -> None:
    with pytest.raises(AttributeError, match="nearly"):
        getattr(kernels, "nearly")  # noqa: B009 -- the name is not known to those who check types
