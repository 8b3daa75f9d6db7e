"""Trained models: better than the declared one where it is wrong, with a report whose figures agree with the labels."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from matching.bulk import match_forms
from matching.evaluate import evaluate
from matching.learning.learner import fit
from matching.learning.model import Labels
from matching.learning.pool import with_population
from matching.learning.train import (
    WEAK_LABELS_MIN,
    WEAK_PULL,
    learn_supervised,
    learn_unsupervised,
    taught_by_identifiers,
)
from matching.learning.weak import weak_labels
from matching.model import MatchModel
from tests.unit.matching.learning.companies import MODEL, Firms, firms

NO_LABELS = Labels(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, dtype=bool), np.empty(0, dtype=np.float64))


def _f1(companies: Firms, model: MatchModel) -> float:
    found = match_forms(companies.forms, model)
    names = companies.forms.keys
    predicted = dict(zip(names, found.labels.tolist(), strict=True))
    return evaluate(predicted, dict(zip(names, companies.entities, strict=True))).f1


def test_identifiers_teach_that_sisters_share_a_telephone() -> None:
    companies = firms(300)
    careless = replace(MODEL, rules=())

    learnt = learn_unsupervised(companies.forms, careless, seed=0)

    assert learnt.report.way == "weak_labels"
    assert min(learnt.report.labels_same, learnt.report.labels_different) >= WEAK_LABELS_MIN
    phone = next(row for row in learnt.report.weights if (row.comparison, row.level) == ("phone", "same"))
    assert phone.learnt_bits < phone.declared_bits
    assert _f1(companies, learnt.model) > _f1(companies, careless) + 0.1
    assert _f1(companies, learnt.model) > 0.9


def test_what_identifiers_teach_lies_a_bit_lower_for_caution_with_and_without_a_report() -> None:
    """A level's bits are those of the fit; the prior is one bit less, and so is every score."""
    forms = firms(300).forms
    declared = with_population(forms, MODEL)
    weak = weak_labels(forms, declared, seed=0)

    learnt = learn_unsupervised(forms, MODEL, seed=0)
    fitted = fit(declared, weak.patterns(declared), WEAK_PULL, frozen=weak.hidden | weak.kept)

    assert learnt.model.prior_bits == pytest.approx(fitted.prior_bits - 1.0, abs=1e-9)
    assert learnt.model.comparisons == fitted.comparisons
    assert ("caution_bits", 1.0) in learnt.report.settings
    assert taught_by_identifiers(forms, MODEL, seed=0) == learnt.model
    assert taught_by_identifiers(firms(5).forms, MODEL, seed=0).comparisons == MODEL.comparisons


def test_a_file_with_few_numbers_keeps_the_declared_weights() -> None:
    companies = firms(5)

    learnt = learn_unsupervised(companies.forms, MODEL, seed=0)

    assert learnt.report.way == "declared"
    assert replace(learnt.model, population=MODEL.population) == MODEL
    assert learnt.model.population.records_count == len(companies.entities)
    assert "are needed" in learnt.report.notes[0]


def test_labels_teach_the_same_and_none_teach_nothing() -> None:
    companies = firms(60)
    pairs = [pair for pair in combinations(range(60), 2) if pair[1] - pair[0] < 6]

    nothing = learn_supervised(companies.forms, MODEL, NO_LABELS, seed=0)
    learnt = learn_supervised(companies.forms, replace(MODEL, rules=()), companies.labels(pairs), seed=0)

    assert replace(nothing.model, population=MODEL.population) == MODEL
    assert nothing.report.way == "declared"
    assert nothing.report.calibration_error is None
    assert learnt.report.labels_same + learnt.report.labels_different == len(pairs)
    assert _f1(companies, learnt.model) > 0.97


def test_a_rule_that_labels_contradict_is_left_out() -> None:
    """The model asks a steward about every pair of unlike names; here records of one firm bear names of their own."""
    companies = firms(60)
    renamed = Firms(companies.forms, tuple(entity // 2 for entity in companies.entities))
    pairs = [pair for pair in combinations(range(300), 2) if pair[1] - pair[0] < 6 and pair[1] < len(renamed.entities)]

    kept = learn_supervised(companies.forms, MODEL, companies.labels(pairs), seed=0)
    left_out = learn_supervised(companies.forms, MODEL, renamed.labels(pairs), seed=0)

    assert kept.model.rules == MODEL.rules
    assert left_out.model.rules == ()
    assert left_out.report.notes == ("the rule other_name is left out: the labels contradict it",)


def test_the_report_counts_what_the_labels_say() -> None:
    companies = firms(60)
    pairs = [pair for pair in combinations(range(100), 2) if pair[1] - pair[0] < 6]
    labels = companies.labels(pairs)

    report = learn_supervised(companies.forms, MODEL, labels, seed=0).report

    assert report.labels_same == labels.is_same.sum()
    assert sum(bin_.labels for bin_ in report.calibration) == len(labels)
    assert all(bin_.low <= bin_.observed <= bin_.high for bin_ in report.calibration)
    assert sum(bar.pairs for bar in report.histogram) == report.candidates
    assert [point.bits for point in report.lines] == sorted(point.bits for point in report.lines)
    recalls = [point.recall for point in report.lines]
    assert recalls == sorted(recalls, reverse=True)


def test_the_same_labels_in_any_order_teach_the_same() -> None:
    companies = firms(40)
    pairs = [pair for pair in combinations(range(80), 2) if pair[1] - pair[0] < 6]
    labels = companies.labels(pairs)
    turned = Labels(labels.right[::-1], labels.left[::-1], labels.is_same[::-1], labels.weight[::-1])

    first = learn_supervised(companies.forms, MODEL, labels, seed=0)
    second = learn_supervised(companies.forms, MODEL, turned, seed=0)

    assert first.model.version == second.model.version
    assert first.report == second.report
