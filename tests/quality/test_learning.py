"""Floors of learnt models on public labelled sets: what 500 answers reach that the active queue chose."""

import csv
import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from matching.bulk import match_forms
from matching.evaluate import evaluate
from matching.learning import learn_supervised
from matching.learning.calibration import calibration
from matching.learning.cold import blocked
from matching.learning.model import Labels
from matching.learning.pool import scores, with_population
from matching.learning.queue import choose_from
from matching.standardise import standardise
from mdm.entities.service import entity_type
from mdm.jobs.columnar import records_of
from mdm.sources.files_columns import read_columns

pytestmark = pytest.mark.quality

FOLDER = os.environ.get("MDM_LABELLED_DATA")
ANSWERS = 500
ROUND = 100


@pytest.mark.skipif(FOLDER is None, reason="MDM_LABELLED_DATA names no folder with labelled sets")
@pytest.mark.parametrize(("name", "floor"), [("chicago_ece", 0.96), ("orgs_hard", 0.98)])
def test_five_hundred_answers_teach_at_least_so_much(name: str, floor: float) -> None:
    assert FOLDER is not None
    customer = entity_type("customer")
    rows = records_of(read_columns([Path(FOLDER) / f"{name}.csv.gz"]), customer, {}, None)
    with gzip.open(Path(FOLDER) / f"{name}.truth.csv.gz", "rt", encoding="utf-8", newline="") as file:
        cluster_by_id = {row["id"]: row["cluster_id"] for row in csv.DictReader(file)}
    truth = np.array([cluster_by_id[id_] for id_ in rows.ids])
    forms = standardise(rows.records, customer.model)
    declared = with_population(forms, customer.model)
    pool = blocked(forms, declared, seed=0)
    asked, model = Labels(*(np.empty(0, kind) for kind in (np.int32, np.int32, bool, np.float64))), declared

    while len(asked) < ANSWERS:
        pairs = choose_from(pool, model, ROUND, asked)
        left, right = np.concatenate((asked.left, pairs.left)), np.concatenate((asked.right, pairs.right))
        asked = Labels(left, right, truth[left] == truth[right], np.ones(len(left)))
        learnt = learn_supervised(forms, declared, asked, seed=0)
        model = learnt.model

    found = match_forms(forms, model)
    keys = forms.keys
    f1 = evaluate(dict(zip(keys, found.labels.tolist(), strict=True)), dict(zip(keys, truth.tolist(), strict=True))).f1
    bits = scores(pool.levels, pool.frequency_bits, model)
    is_same = truth[pool.left] == truth[pool.right]
    same = np.bincount(pool.pattern, weights=is_same, minlength=len(bits)).astype(np.float64)
    _, error = calibration(bits, same, pool.counts - same)
    sys.stdout.write(f"{name}: F1 {f1:.4f} after {len(asked)} answers, calibration error over all pairs {error:.4f}\n")
    assert f1 >= floor
    assert error is not None
    assert error < 0.03
