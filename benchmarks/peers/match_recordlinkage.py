"""recordlinkage as its documentation advises for labelled pairs: index, compare, logistic regression.

Texts are cleaned with its own `preprocessing`. Pairs come from several blocks and a sorted neighbourhood on the name,
as its guide to indexing combines them. 30 % of the candidate pairs, drawn at random, are labelled by the truth. It
leaves clusters to the caller: connected pairs are one cluster.
"""

import warnings
from importlib.metadata import version
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import recordlinkage
from match_task import Answer, Task, components, play
from recordlinkage.preprocessing import clean

SHARE_LABELLED = 0.3
ADVISED_CUT = 0.5
CUTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
NEIGHBOURS = 9
EXACT = frozenset({"house_number", "year", "category", "domain", "phone", "tax_id"})
NAMES = ("company_name", "surname", "title")


def match(task: Task, answer: Answer) -> None:
    """Index, compare, learn from labels, classify all pairs."""
    warnings.simplefilter("ignore")
    answer.setting("version", version("recordlinkage"))
    with answer.stage("read"):
        frame = _frame(task)
    with answer.stage("index"):
        pairs = _pairs(task, frame)
    answer.setting("candidates", len(pairs))
    with answer.stage("compare"):
        features = _features(task, frame, pairs)
    truth = np.array(task.truth())
    with answer.stage("learn"):
        likely = _learnt(features, truth, answer)
    left, right = (pairs.get_level_values(side).to_numpy() for side in (0, 1))
    for cut in (ADVISED_CUT, *CUTS):
        kept = likely >= cut
        clusters = components(len(frame), zip(left[kept].tolist(), right[kept].tolist(), strict=True))
        answer.partition(cut, clusters, is_default=not answer.told["cuts"])


def _frame(task: Task) -> pd.DataFrame:
    frame = task.records().to_pandas()
    for column, kind in task.kinds.items():
        if kind not in {"domain", "email", "tax_id", "identifier"}:
            frame[column] = clean(frame[column].astype(object))
        frame.loc[frame[column] == "", column] = None
    for column in task.columns(
        "company_name", "first_name", "surname", "title", "street", "authors", "date", "plain_date"
    ):
        for letters in (3, 6):
            frame[f"{column} {letters}"] = frame[column].str.slice(0, letters)
    return frame


def _blocks(task: Task) -> list[list[str]]:
    """Give the columns of each block, near to what the other systems block on."""
    names = task.columns(*NAMES)
    places = task.columns("postal_code", "uk_postal_code", "city", "year")
    others = task.columns("street", "authors", "first_name", "date", "plain_date")
    alone = task.columns("tax_id", "identifier", "phone", "email", "domain", "street", "date", "plain_date", *NAMES)
    blocks = [[column] for column in alone]
    blocks += [[f"{name} 3", place] for name, place in product(names, places)]
    blocks += [[f"{name} 3", f"{other} 3"] for name, other in product(names, others)]
    blocks += [[f"{other} 6", place] for other, place in product(others, places)]
    return blocks


def _pairs(task: Task, frame: pd.DataFrame) -> pd.MultiIndex:
    sides = [frame]
    if task.between_sources:
        is_first = frame["source"] == frame["source"].iloc[0]
        sides = [frame[is_first], frame[~is_first]]
    found = None
    for columns in _blocks(task):
        made = recordlinkage.Index().block(columns).index(*(side.dropna(subset=columns) for side in sides))
        found = made if found is None else found.union(made)
    for name in task.columns(*NAMES):
        index = recordlinkage.Index().sortedneighbourhood(name, window=NEIGHBOURS)
        made = index.index(*(side.dropna(subset=[name]) for side in sides))
        found = made if found is None else found.union(made)
    assert found is not None, "every family has a column to block on"
    return found


def _features(task: Task, frame: pd.DataFrame, pairs: pd.MultiIndex) -> pd.DataFrame:
    compare = recordlinkage.Compare(n_jobs=1)
    for column, kind in task.kinds.items():
        if kind in EXACT:
            compare.exact(column, column, label=column)
        if kind not in {"year", "category", "house_number"}:
            compare.string(column, column, method="jarowinkler", label=f"{column} likeness")
        if kind in {"company_name", "street", "title", "authors", "full_name"}:
            compare.string(column, column, method="qgram", label=f"{column} letters")
    return compare.compute(pairs, frame)


def _learnt(features: pd.DataFrame, truth: np.ndarray, answer: Answer) -> Any:
    """Learn from a random share of the pairs and return the probability of every pair."""
    chosen = np.random.default_rng(7).random(len(features)) < SHARE_LABELLED
    left, right = (features.index.get_level_values(side).to_numpy() for side in (0, 1))
    is_match = truth[left] == truth[right]
    answer.setting("labels", {"match": int(is_match[chosen].sum()), "distinct": int((~is_match[chosen]).sum())})
    learner = recordlinkage.LogisticRegressionClassifier()
    labelled = features[chosen]
    learner.fit(labelled, labelled.index[is_match[chosen]])
    return learner.prob(features).to_numpy()


if __name__ == "__main__":
    play(match)
