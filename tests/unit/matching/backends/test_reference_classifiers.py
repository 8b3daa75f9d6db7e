"""The base line: each of recordlinkage's classifiers learns what ours does on the same vectors."""

import numpy as np
import pytest

from matching.backends.reference_classifiers import CLASSIFIERS, reference_scores
from tests.unit.matching.learning.companies import MODEL


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_a_classifier_tells_equal_names_from_others(name: str) -> None:
    levels = np.array([[0, 0, 0, -1], [0, 1, 0, -1], [2, 0, 1, -1], [2, 1, 1, -1]] * 5, dtype=np.int8)
    is_same = levels[:, 0] == 0

    found = reference_scores(name, MODEL, (levels, is_same), levels[:4])

    assert (found > 0).tolist() == [True, True, False, False]
