"""Match a whole set of records: the stages one after the other, timed, with the same judge as online.

A model without a population learns one from the records first, so that what is common in a file is known to be common.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.block import OversizeBlock, blocking_keys, candidate_pairs, learn_stop_keys
from matching.cluster import Edges, propose_counting
from matching.model import EMPTY_POPULATION, MATCH, NON_MATCH, MatchModel, Population
from matching.online import Judgement, conflict_signatures, judge_known
from matching.records import Column, Forms, Records
from matching.standardise import standardise
from matching.term_frequency import SHARE_COMMON, above, counted, counted_tokens, know, spread

PAIRS_AT_ONCE: Final = 500_000
"""Pairs judged at a time: bounds the memory of value pairs, large enough that distinct ones repeat (chosen)."""

NAMES_SHARING_MAX: Final = 12
"""Different names that may share a phone, domain or mailbox before it tells nothing (chosen: a family shares one)."""

NAME_FORMS: Final = frozenset({"company_name", "person_name"})
SHARED_FORMS: Final = frozenset({"phone", "email", "email_domain", "domain"})


@dataclass(frozen=True, slots=True)
class Stage:
    """Report one stage: seconds taken and the count of what it made."""

    name: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class BulkMatch:
    """Hold the clusters and the pairs at or above the review line.

    labels         int32 [records], position of the smallest-key member of the record's cluster
    left, right    int32 [pairs], left < right; vectors int8 [pairs, comparisons]; bits float64 [pairs]; verdicts int8
                   [pairs]
    refused_count  edges that a conflict kept apart
    """

    labels: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    vectors: NDArray[np.int8]
    bits: NDArray[np.float64]
    verdicts: NDArray[np.int8]
    stages: tuple[Stage, ...]
    refused_count: int
    oversize: tuple[OversizeBlock, ...]
    model: MatchModel


def match(
    records: Records,
    model: MatchModel,
    *,
    musts: Sequence[tuple[int, int]] = (),
    conflicts: Sequence[tuple[int, int]] = (),
    threads: int = 1,
    on_stage: Callable[[Stage], None] | None = None,
) -> BulkMatch:
    """Match records to clusters. The same records and model give the same answer, whatever the thread count."""
    clock = _Clock(on_stage)
    with clock.stage("standardise") as made:
        forms = standardise(records, model)
        made.append(len(records.keys))
    return match_forms(forms, model, musts=musts, conflicts=conflicts, threads=threads, clock=clock)


def match_forms(
    forms: Forms,
    model: MatchModel,
    *,
    musts: Sequence[tuple[int, int]] = (),
    conflicts: Sequence[tuple[int, int]] = (),
    threads: int = 1,
    clock: "_Clock | None" = None,
) -> BulkMatch:
    """Match records that are standardised already."""
    clock = clock or _Clock(None)
    if model.population == EMPTY_POPULATION:
        with clock.stage("learn") as made:
            model = replace(model, population=learn_population(forms, model))
            made.append(len(model.population.stop_keys))
    with clock.stage("block") as made:
        candidates = candidate_pairs(blocking_keys(forms, model), model)
        made.append(len(candidates.left))
    with clock.stage("compare") as made:
        left, right, judged = _judge_all(forms, candidates.left, candidates.right, model, threads)
        made.append(len(left))
    with clock.stage("cluster") as made:
        is_edge = judged.verdicts == MATCH
        labels, refused = propose_counting(
            forms.keys,
            Edges(left[is_edge], right[is_edge], judged.bits[is_edge]),
            musts=_pairs(musts),
            conflicts=_pairs(conflicts),
            signatures=conflict_signatures(forms, model) if model.vetoes else None,
        )
        made.append(len(np.unique(labels)))
    return BulkMatch(
        labels=labels,
        left=left,
        right=right,
        vectors=judged.vectors,
        bits=judged.bits,
        verdicts=judged.verdicts,
        stages=tuple(clock.stages),
        refused_count=len(refused),
        oversize=candidates.oversize,
        model=model,
    )


def learn_population(forms: Forms, model: MatchModel) -> Population:
    """Learn what is common among records: values, words, blocking keys, and values that many different names share."""
    form_by_feature = {feature.name: feature.form for feature in model.features}
    weighed = {comparison.feature for comparison in model.comparisons if comparison.term_frequency}
    worded = {comparison.feature for comparison in model.comparisons} | {
        part.feature for rule in model.blocking for part in rule.parts
    }
    share = len(forms.keys) // SHARE_COMMON
    compared = sorted({comparison.feature for comparison in model.comparisons})
    frequency = {name: counted(forms.features[name], 1 if name in weighed else max(1, share)) for name in compared}
    frequency |= {
        f"{name} tokens": counted_tokens(forms.features[name])
        for name in sorted(worded)
        if _has_words(forms.features[name])
    }
    names = next((forms.features[name] for name, form in form_by_feature.items() if form in NAME_FORMS), None)
    generic: dict[str, frozenset[str]] = {}
    if names is not None:
        shared = {
            name: spread(forms.features[name], names) for name, form in form_by_feature.items() if form in SHARED_FORMS
        }
        generic = {name: above(counts, NAMES_SHARING_MAX) for name, counts in shared.items()}
        frequency |= {name: counts for name, counts in shared.items() if name in weighed}
    population = Population(
        len(forms.keys), frequency, frozenset(), {name: values for name, values in generic.items() if values}
    )
    return replace(population, stop_keys=learn_stop_keys(forms, replace(model, population=population)))


def _has_words(column: Column) -> bool:
    return any(" " in value for value in column.values)


def _judge_all(
    forms: Forms,
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    model: MatchModel,
    threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], Judgement]:
    """Judge candidates part by part and keep those at or above the review line."""
    parts = [slice(start, start + PAIRS_AT_ONCE) for start in range(0, max(1, len(left)), PAIRS_AT_ONCE)]

    known = know(forms, model)

    def judged(part: slice) -> tuple[NDArray[np.int32], NDArray[np.int32], Judgement]:
        found = judge_known(known, left[part], right[part], model)
        kept = found.verdicts != NON_MATCH
        return (
            left[part][kept],
            right[part][kept],
            Judgement(found.vectors[kept], found.bits[kept], found.verdicts[kept]),
        )

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        done = list(pool.map(judged, parts))
    together = Judgement(
        np.concatenate([found.vectors for _, _, found in done]),
        np.concatenate([found.bits for _, _, found in done]),
        np.concatenate([found.verdicts for _, _, found in done]),
    )
    return np.concatenate([part for part, _, _ in done]), np.concatenate([part for _, part, _ in done]), together


def _pairs(pairs: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


class _Clock:
    """Time the stages and tell whoever listens."""

    def __init__(self, on_stage: Callable[[Stage], None] | None) -> None:
        self.stages: list[Stage] = []
        self._on_stage = on_stage

    @contextmanager
    def stage(self, name: str) -> Iterator[list[int]]:
        """Time one stage; the count of what it made is appended to the list given."""
        started, made = time.perf_counter(), list[int]()
        yield made
        done = Stage(name, time.perf_counter() - started, made[-1] if made else 0)
        self.stages.append(done)
        if self._on_stage is not None:
            self._on_stage(done)
