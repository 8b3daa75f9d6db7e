"""What counts lights up, what the matcher ignores does not, and no letter of a value is lost."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.views.differences import Segment, Value, code_differences, column_differences, differences
from api.console.views.folding import folded
from api.console.views.graphemes import letters
from api.console.views.segments import KINDS, is_different, windowed

FEW = settings(max_examples=40)  # each is a second of all runs

SIGNS = {"same": "{}", "ignored": "_{}_", "substantive": "[{}]", "whole": "<{}>"}
TEXTS = st.text(st.sampled_from("abcABC 12éÉe\u0301ßж-,.'東\u200d👩👧🏽🇩🇪") | st.characters(), max_size=40)
VALUES = st.builds(Value, TEXTS, st.just("") | TEXTS)
COMPARISONS = (differences, code_differences)


def written(segments: Sequence[Segment]) -> str:
    return "".join(SIGNS[segment.kind].format(segment.text) for segment in segments)


def said(compare: Callable[..., Any], left: Value, right: Value) -> tuple[str, str]:
    ours, theirs = compare(left, right)
    return written(ours), written(theirs)


@pytest.mark.parametrize("compare", COMPARISONS)
@FEW
@given(VALUES, VALUES)
def test_segments_put_together_are_the_text(compare: Callable[..., Any], left: Value, right: Value) -> None:
    ours, theirs = compare(left, right)

    assert "".join(segment.text for segment in ours) == left.text
    assert "".join(segment.text for segment in theirs) == right.text
    assert all(segment.kind in KINDS and segment.text for segment in (*ours, *theirs))


@pytest.mark.parametrize("compare", COMPARISONS)
@FEW
@given(VALUES, VALUES)
def test_no_segment_ends_inside_a_letter(compare: Callable[..., Any], left: Value, right: Value) -> None:
    for segments, text in zip(compare(left, right), (left.text, right.text), strict=True):
        assert tuple(letter for segment in segments for letter in letters(segment.text)) == letters(text)


@pytest.mark.parametrize("compare", COMPARISONS)
@FEW
@given(VALUES, VALUES)
def test_neighbouring_segments_differ_in_kind(compare: Callable[..., Any], left: Value, right: Value) -> None:
    for segments in compare(left, right):
        assert all(first.kind != second.kind for first, second in itertools.pairwise(segments))


@FEW
@given(TEXTS, TEXTS, st.text("abc 1", min_size=1, max_size=10))
def test_values_of_one_form_never_light_up(left: str, right: str, form: str) -> None:
    for segments in differences(Value(left, form), Value(right, form)):
        assert not is_different(segments)


@FEW
@given(TEXTS, TEXTS)
def test_letters_that_only_one_side_has_light_up(left: str, right: str) -> None:
    if not left or not right or Counter(folded(left)) == Counter(folded(right)):
        return

    ours, theirs = differences(Value(left), Value(right))

    assert is_different(ours) or is_different(theirs)


@FEW
@given(TEXTS)
def test_case_alone_never_lights_up(text: str) -> None:
    upper = text.upper()
    if upper.lower() != text.lower():
        return
    for segments in differences(Value(text), Value(upper)):
        assert not any(segment.kind == "substantive" for segment in segments)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (
            Value("Brightwater Consulting Ltd", "brightwater consulting"),
            Value("BRIGHTWATER CONSULTING LIMITED", "brightwater consulting"),
            ("_Brightwater Consulting Ltd_", "_BRIGHTWATER CONSULTING LIMITED_"),
        ),
        (
            Value("Brightwater Ltd", "brightwater"),
            Value("Brightwater Advisory GmbH", "brightwater advisory"),
            ("Brightwater _Ltd_", "Brightwater [Advisory] _GmbH_"),
        ),
        (
            Value("Halden & Roe Partners LLP", "halden roe partners"),
            Value("Halden Roe", "halden roe"),
            ("Halden _&_ Roe [Partners] _LLP_", "Halden Roe"),
        ),
        (Value("Müller"), Value("Muller"), ("M_ü_ller", "M_u_ller")),
        (Value("Sarah O’Connell"), Value("Sara OConnell"), ("Sara[h] _O’Connell_", "Sara _OConnell_")),
        (
            Value("12 Quay St., Bath", "12 quay street bath"),
            Value("12 Quay Street, Bristol", "12 quay street bristol"),
            ("12 Quay _St.,_ [Bath]", "12 Quay _Street,_ [Bristol]"),
        ),
        (
            Value("4 Harbour Exchange, London E14 9GE"),
            Value("12 Quay Street, Bristol BS1 4RD"),
            ("<4 Harbour Exchange, London E14 9GE>", "<12 Quay Street, Bristol BS1 4RD>"),
        ),
        (Value("Bright Water"), Value("Brightwater"), ("_Bright Water_", "_Brightwater_")),
        (Value("Газпром"), Value("Gazprom"), ("_Газпром_", "_Gazprom_")),
        (Value("Acme"), Value(""), ("Acme", "")),
        (
            Value("Dr. Sarah O’Connell", "sarah oconnell"),
            Value("O’Connell, Sara", "sara oconnell"),
            ("_Dr. Sara_[h] O’Connell", "O’Connell_, Sara_"),
        ),
        (
            Value("株式会社トヨタ", "toyota"),
            Value("トヨタ自動車", "toyotazidongche"),
            ("_株式会社_トヨタ", "トヨタ[自動車]"),
        ),
    ],
)
def test_words_light_up_where_the_matcher_sees_a_difference(
    left: Value, right: Value, expected: tuple[str, str]
) -> None:
    assert said(differences, left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (Value("07461923"), Value("07461932"), ("074619[23]", "074619[32]")),
        (Value("074619-23"), Value("07461932"), ("_074619-_[23]", "_074619_[32]")),
        (Value("GB 284 6615 09"), Value("GB 284 6651 09"), ("GB 284 66[15] 09", "GB 284 66[51] 09")),
        (
            Value("+44 20 7946 0958", "442079460958"),
            Value("020 7946 0958", "442079460958"),
            ("_+44 20 7946 0958_", "_020 7946 0958_"),
        ),
        (
            Value("+44 20 7946 0958", "442079460958"),
            Value("020 7946 0985", "442079460985"),
            ("_+44 20 7946 09_[58]", "_020 7946 09_[85]"),
        ),
        (
            Value("DE 813992515", "weak:de813992515"),
            Value("DE813992525", "de-vat:de813992525"),
            ("_DE 8139925_[1]_5_", "_DE8139925_[2]_5_"),
        ),
        (Value("GB391220477"), Value("DE813992515"), ("<GB391220477>", "<DE813992515>")),
    ],
)
def test_codes_light_up_by_position(left: Value, right: Value, expected: tuple[str, str]) -> None:
    assert said(code_differences, left, right) == expected


def test_columns_are_compared_with_what_most_of_them_say() -> None:
    columns = column_differences([Value("Acne Ltd"), None, Value("Acme Ltd"), Value("ACME LTD"), Value("Zenith")])

    assert columns.reference == 2
    assert [written(column) for column in columns.columns] == ["Ac[n]e Ltd", "", "Acme Ltd", "_ACME LTD_", "<Zenith>"]


def test_two_columns_are_both_marked() -> None:
    columns = column_differences([Value("07461923"), None, Value("07461932")], code_differences)

    assert [written(column) for column in columns.columns] == ["074619[23]", "", "074619[32]"]


def test_nothing_in_any_column_has_no_reference() -> None:
    assert column_differences([None, Value("")]).reference is None


def test_a_long_value_is_cut_around_its_first_difference() -> None:
    ours, _ = differences(Value("same " * 100 + "Advisory"), Value("same " * 100 + "Consulting"))

    shown = windowed(ours, 40)

    assert written(shown) == "…" + ("same " * 100)[-32:] + "[Advisory]"


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("unit", ["é ", "alpha beta ", "x", "a1", "東京 "])
def test_values_of_ten_kilobytes_take_a_moment(compare: Callable[..., Any], unit: str) -> None:
    left = unit * (10_000 // len(unit))
    right = left[::-1]

    started = time.process_time()
    compare(Value(left), Value(right))

    assert time.process_time() - started < 2  # measured: 0.1 s at most; a quadratic way takes a minute
