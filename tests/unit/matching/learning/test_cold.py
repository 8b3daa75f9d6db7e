"""The cold start: learns from agreement alone, near the declaration, and joins no families."""

from dataclasses import replace

import pytest

from matching.bulk import match_forms
from matching.learning.sanity import figures_of, gate
from matching.learning.train import learn_cold
from tests.unit.matching.learning.companies import MODEL, firms


def test_it_stays_near_the_declaration_and_passes_the_gate() -> None:
    companies = firms(100)

    learnt = learn_cold(companies.forms, MODEL, seed=0)

    assert learnt.report.way == "cold_start"
    assert learnt.model != replace(MODEL, population=learnt.model.population)
    assert all(abs(row.learnt_bits - row.declared_bits) < 4 for row in learnt.report.weights)
    report = gate(
        figures_of(match_forms(companies.forms, MODEL)), figures_of(match_forms(companies.forms, learnt.model))
    )
    assert report.new.largest_cluster <= 6


def test_what_random_records_share_is_worth_less() -> None:
    """Seven cities are shared evenly: log2(7) = 2.81 bits. A quarter of the way from 10 is 10 - 7.19 / 4 = 8.20."""
    companies = firms(100)
    generous = replace(
        MODEL,
        comparisons=tuple(
            replace(part, levels=(replace(part.levels[0], bits=10.0), *part.levels[1:]))
            if part.name == "city"
            else part
            for part in MODEL.comparisons
        ),
    )

    learnt = learn_cold(companies.forms, generous, seed=0)

    city = next(row for row in learnt.report.weights if (row.comparison, row.level) == ("city", "same"))
    assert city.learnt_bits == pytest.approx(8.2, abs=0.05)


def test_the_same_seed_gives_the_same_model() -> None:
    forms = firms(40).forms

    assert learn_cold(forms, MODEL, seed=3).model.version == learn_cold(forms, MODEL, seed=3).model.version
