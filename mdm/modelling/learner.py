"""The learner of the matching engine, as a training asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from matching.learning import learn_supervised
from matching.learning.model import Labels
from matching.model import MatchModel
from matching.records import Forms
from mdm.modelling.evidence import Decided


@dataclass(frozen=True, slots=True)
class Lesson:
    """A learnt model, and its report as plain values."""

    model: MatchModel
    report: Mapping[str, Any]


def learner(seed: int) -> Callable[[Forms, MatchModel, Decided], Lesson]:
    """Give the supervised learner under a seed; every decision counts the same."""

    def learn(forms: Forms, model: MatchModel, decided: Decided) -> Lesson:
        labels = Labels(decided.left, decided.right, decided.is_same, np.ones(len(decided.left)))
        learnt = learn_supervised(forms, model, labels, seed=seed)
        return Lesson(learnt.model, asdict(learnt.report))

    return learn
