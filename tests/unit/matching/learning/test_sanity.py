"""The sanity gate: passes what changed a little, names what is nonsense."""

from dataclasses import replace

import pytest

from matching.bulk import match_forms
from matching.learning.model import RunFigures
from matching.learning.sanity import figures_of, gate, stability
from tests.unit.matching.learning.companies import MODEL, firms

OLD = RunFigures(
    model_version="a",
    records=1_000,
    clusters=600,
    largest_cluster=12,
    candidates=10_000,
    matches=500,
    possible_matches=100,
    refused=10,
    histogram=(9_400, 100, 100, 100, 100, 100, 50, 25, 25),
)


def test_a_run_like_the_one_before_passes() -> None:
    report = gate(OLD, replace(OLD, model_version="b", matches=600, largest_cluster=30))

    assert report.is_passed
    assert report.drift == 0


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"largest_cluster": 37}, "largest_cluster", "the largest cluster has 37 records, 12 before; 36 are allowed"),
        (
            {"refused": 51},
            "refused_joins",
            "51 of 500 matching pairs (10.2%) are refused by identifiers that differ, 2.0% before; 10.0% are allowed",
        ),
        ({"matches": 1_001}, "match_rate", "1,001 pairs match, 500 before"),
        ({"matches": 249}, "match_rate", "249 pairs match, 500 before"),
        ({"histogram": (5_000, 100, 100, 100, 100, 100, 50, 25, 4_425)}, "drift", "moved as a whole"),
    ],
)
def test_nonsense_is_refused_by_name(changes: dict[str, int], code: str, words: str) -> None:
    report = gate(OLD, replace(OLD, **changes))  # type: ignore[arg-type]

    assert [refusal.code for refusal in report.refusals] == [code]
    assert words in report.refusals[0].sentence


def test_drift_counts_as_its_formula_says() -> None:
    """99.5 and .5 of 100 against 50 and 50: (.5 - .995)·ln(.5 / .995) + (.5 - .005)·ln(.5 / .005) = .3406 + 2.2796."""
    assert stability((99, 0), (50, 50)) == pytest.approx(
        (50.5 / 101 - 99.5 / 100) * -0.68814 + (50.5 / 101 - 0.5 / 100) * 4.60517, abs=1e-3
    )


def test_a_model_that_joins_everything_is_refused() -> None:
    forms = firms(60).forms
    sound = figures_of(match_forms(forms, MODEL))
    broken = figures_of(match_forms(forms, replace(MODEL, prior_bits=20.0, rules=(), vetoes=())))

    report = gate(sound, broken)

    assert sum(sound.histogram) == sound.candidates
    assert {refusal.code for refusal in report.refusals} >= {"match_rate", "drift"}
