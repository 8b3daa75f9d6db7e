"""What labels teach: pairwise F1 after 200, 500 and 1,000 answers, asked by the active queue and drawn at random.

Beside them recordlinkage's classifiers on the same vectors and labels, and what is learnt with no label at all. The
sets are those in the folder MDM_LABELLED_DATA, and the generated customers (benchmarks/b2b) in MDM_B2B_DATA. Writes the
figures and the drawing into benchmarks/results/.

    python benchmarks/bench_learning.py [SET…]
"""

import argparse
import csv
import gzip
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import learning_curve
import numpy as np
from numpy.typing import NDArray

from matching.backends.reference_classifiers import CLASSIFIERS, reference_scores
from matching.bulk import match_forms
from matching.cluster import Edges, propose_counting
from matching.evaluate import evaluate
from matching.learning import learn_supervised, learn_unsupervised
from matching.learning.model import Labels
from matching.learning.pool import Pool, candidates, pool_of, with_population
from matching.learning.queue import choose_from
from matching.model import MatchModel
from matching.online import conflict_signatures
from matching.records import Forms
from matching.standardise import standardise
from matching.term_frequency import know
from mdm.entities.service import entity_types
from mdm.jobs.columnar import records_of
from mdm.sources.files_columns import read_columns

RESULTS = Path(__file__).parent / "results"
SIZES = (200, 500, 1_000)
ROUND = 100
DRAWS = 3
SEED = 0


@dataclass(frozen=True)
class Labelled:
    """A set of customers whose truth is known; `entities` is the number of each record's true cluster."""

    name: str
    forms: Forms
    model: MatchModel
    entities: NDArray[np.int64]

    def answers(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> Labels:
        """Answer pairs as a steward who errs never."""
        return Labels(left, right, self.entities[left] == self.entities[right], np.ones(len(left)))

    def f1(self, labels: NDArray[np.int32]) -> float:
        """Evaluate a partition by pairs."""
        keys = self.forms.keys
        predicted = dict(zip(keys, labels.tolist(), strict=True))
        return evaluate(predicted, dict(zip(keys, self.entities.tolist(), strict=True))).f1

    def f1_of(self, model: MatchModel) -> float:
        """Match with a model and evaluate."""
        return self.f1(match_forms(self.forms, model).labels)


def labelled(name: str, records: Path, truth: Path) -> Labelled:
    """Read a set of customers and its truth."""
    customer = entity_types()["customer"]
    rows = records_of(read_columns([records]), customer, {}, None)
    opened: Any = gzip.open if truth.suffix == ".gz" else open
    with opened(truth, "rt", encoding="utf-8", newline="") as file:
        cluster_by_id = {row["id"]: row["cluster_id"] for row in csv.DictReader(file)}
    numbers: dict[str, int] = {}
    entities = [numbers.setdefault(cluster_by_id[id_], len(numbers)) for id_ in rows.ids]
    forms = standardise(rows.records, customer.model)
    return Labelled(name, forms, with_population(forms, customer.model), np.array(entities))


def curve(found: Labelled, ask: Callable[[MatchModel, Labels, int], Labels]) -> dict[int, float]:
    """Ask round by round, learn after each, and evaluate at SIZES."""
    asked, model, made = Labels(*(np.empty(0, kind) for kind in (np.int32, np.int32, bool, float))), found.model, {}
    while len(asked) < SIZES[-1]:
        new = ask(model, asked, ROUND)
        asked = Labels(*(np.concatenate(both) for both in zip(_parts(asked), _parts(new), strict=True)))
        model = learn_supervised(found.forms, found.model, asked, seed=SEED).model
        if len(asked) in SIZES:
            made[len(asked)] = found.f1_of(model)
    return made


def _parts(labels: Labels) -> tuple[NDArray[Any], ...]:
    return labels.left, labels.right, labels.is_same, labels.weight


def chosen(found: Labelled, pool: Pool) -> Callable[[MatchModel, Labels, int], Labels]:
    """Ask what the active queue chooses."""

    def ask(model: MatchModel, asked: Labels, count: int) -> Labels:
        pairs = choose_from(pool, model, count, asked)
        return found.answers(pairs.left, pairs.right)

    return ask


def at_random(found: Labelled, pool: Pool, draw: int) -> Labels:
    """Draw the largest number of pairs at random."""
    rows = np.random.default_rng(draw).choice(len(pool.left), SIZES[-1], replace=False)
    return found.answers(pool.left[rows], pool.right[rows])


def peer(found: Labelled, pool: Pool, name: str, labels: Labels) -> float:
    """Teach one of recordlinkage's classifiers, cluster by its matches under the same vetoes, and evaluate."""
    told = pool_of(know(found.forms, found.model), labels.left, labels.right, len(labels), found.model)
    by_pattern = reference_scores(name, found.model, (told.levels[told.pattern], labels.is_same), pool.levels)
    margins = by_pattern[pool.pattern]
    is_edge = margins > 0
    parts, _ = propose_counting(
        found.forms.keys,
        Edges(pool.left[is_edge], pool.right[is_edge], margins[is_edge]),
        signatures=conflict_signatures(found.forms, found.model),
    )
    return found.f1(parts)


def first(labels: Labels, count: int) -> Labels:
    """Take the first labels."""
    return Labels(*(part[:count] for part in _parts(labels)))


def measured(found: Labelled) -> dict[str, Any]:
    """Measure one set: no label, answers chosen and drawn, and the base line on the same answers."""
    pool = pool_of(know(found.forms, found.model), *candidates(found.forms, found.model, seed=SEED), found.model)
    weak = learn_unsupervised(found.forms, found.model, seed=SEED)
    asked: list[Labels] = []

    def remember(model: MatchModel, before: Labels, count: int) -> Labels:
        asked.append(chosen(found, pool)(model, before, count))
        return asked[-1]

    active = curve(found, remember)
    answers = Labels(*(np.concatenate(parts) for parts in zip(*map(_parts, asked), strict=True)))
    draws = [at_random(found, pool, draw) for draw in range(DRAWS)]
    drawn = {
        size: [
            found.f1_of(learn_supervised(found.forms, found.model, first(labels, size), seed=SEED).model)
            for labels in draws
        ]
        for size in SIZES
    }
    calibrated = learn_supervised(found.forms, found.model, first(answers, 500), seed=SEED).report
    return {
        "records": len(found.forms.keys),
        "candidates": pool.pairs_count,
        "patterns": len(pool.levels),
        "declared": found.f1_of(found.model),
        "no labels": {"way": weak.report.way, "f1": found.f1_of(weak.model), "error": weak.report.calibration_error},
        "chosen": active,
        "drawn": drawn,
        "calibration error after 500": calibrated.calibration_error,
        "base line after 500 chosen": {name: peer(found, pool, name, first(answers, 500)) for name in CLASSIFIERS},
        "base line after 500 drawn": {
            name: [peer(found, pool, name, first(labels, 500)) for labels in draws] for name in CLASSIFIERS
        },
    }


def _sets(names: Sequence[str]) -> Mapping[str, tuple[Path, Path]]:
    folder, made = os.environ.get("MDM_LABELLED_DATA"), os.environ.get("MDM_B2B_DATA")
    found = {}
    if folder:
        found |= {
            name: (Path(folder) / f"{name}.csv.gz", Path(folder) / f"{name}.truth.csv.gz")
            for name in ("chicago_ece", "orgs_hard")
        }
    if made:
        found["b2b_10k"] = (Path(made) / "records.csv", Path(made) / "truth.csv")
    return {name: paths for name, paths in found.items() if not names or name in names}


def main() -> None:
    """Measure, print, and write figures and drawing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help="names of sets; left out: all that are there")
    asked = parser.parse_args()
    path = RESULTS / "learning.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, (records, truth) in _sets(asked.sets).items():
        found = labelled(name, records, truth)
        results[name] = json.loads(json.dumps(measured(found)))
        print(name, json.dumps(results[name], indent=1))
        path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (RESULTS / "learning.svg").write_text(learning_curve.drawn(results, SIZES), encoding="utf-8")


if __name__ == "__main__":
    main()
