"""The base line of learning: recordlinkage's supervised classifiers on the same comparison vectors and labels.

They see each level of each comparison as a column of its own, 1 where it holds. Whatever learns models here must beat
them in the report. They need the extra `train`.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
import recordlinkage
from numpy.typing import NDArray

from matching.model import MatchModel

CLASSIFIERS: Final = {
    "LogisticRegression": recordlinkage.LogisticRegressionClassifier,
    "SVM": recordlinkage.SVMClassifier,
    "NaiveBayes": recordlinkage.NaiveBayesClassifier,
}
"""The classifiers with their own defaults."""


def reference_scores(
    name: str,
    model: MatchModel,
    taught: tuple[NDArray[np.int8], NDArray[np.bool_]],
    asked: NDArray[np.int8],
) -> NDArray[np.float64]:
    """Teach a classifier and return its answer on other vectors: float64 [pairs], above 0 for a match.

    taught  int8 [labels, comparisons] and what the labels say
    asked   int8 [pairs, comparisons]
    """
    levels, is_same = taught
    classifier = CLASSIFIERS[name]()
    columns = _columns(model, np.concatenate((levels, asked)))
    known, unknown = columns.iloc[: len(levels)], columns.iloc[len(levels) :]
    classifier.fit(known, known.index[is_same])
    return _margins(classifier, unknown)


def _columns(model: MatchModel, levels: NDArray[np.int8]) -> pd.DataFrame:
    """Lay levels out as a table of 0 and 1, one row a pair, indexed as recordlinkage wants it."""
    made = {
        f"{comparison.name} {level.label}": (levels[:, place] == step).astype(np.int64)
        for place, comparison in enumerate(model.comparisons)
        for step, level in enumerate(comparison.levels)
    }
    rows = np.arange(len(levels))
    return pd.DataFrame(made, index=pd.MultiIndex.from_arrays([rows, rows]))


def _margins(classifier: Any, columns: pd.DataFrame) -> NDArray[np.float64]:
    """Return log odds in bits where the classifier has them; for the support vectors, the distance from their plane."""
    kernel = classifier.kernel
    if hasattr(kernel, "decision_function"):
        return np.asarray(kernel.decision_function(columns.to_numpy()), dtype=np.float64)
    odds = kernel.predict_log_proba(columns.to_numpy())
    return np.asarray((odds[:, 1] - odds[:, 0]) / np.log(2.0), dtype=np.float64)
