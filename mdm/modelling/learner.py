"""The learners of the matching engine, as a training asks for them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from matching.learning import learn_supervised, learn_unsupervised
from matching.learning.model import Labels
from matching.model import MatchModel
from matching.records import Forms
from mdm.modelling.evidence import Decided


@dataclass(frozen=True, slots=True)
class Lesson:
    """A learnt model, and its report as plain values."""

    model: MatchModel
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Learner:
    """Learns under a seed: from decided pairs, of which every one counts the same, else from identifiers."""

    seed: int

    def __call__(self, forms: Forms, model: MatchModel, decided: Decided | None, /) -> Lesson:
        """Learn, and tell what was found out."""
        if decided is None:
            learnt = learn_unsupervised(forms, model, seed=self.seed)
        else:
            labels = Labels(decided.left, decided.right, decided.is_same, np.ones(len(decided.left)))
            learnt = learn_supervised(forms, model, labels, seed=self.seed)
        return Lesson(learnt.model, asdict(learnt.report))
