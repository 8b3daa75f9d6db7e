"""Match a whole set of records: the stages one after the other, timed, with the same judge as online.

A model without a population learns one from the records first, so that what is common in a file is known to be common;
then somebody may teach it what agreement is worth among them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.block import Blocks, OversizeBlock, blocks_of, candidate_batches
from matching.cluster import Edges, propose_counting
from matching.compare import vocabularies
from matching.keys import keys_by_rule
from matching.model import EMPTY_POPULATION, MATCH, MatchModel
from matching.online import Judgement, conflict_signatures
from matching.population import learn
from matching.records import Forms, Records
from matching.sieve import Sifted, sift
from matching.stages import Stage, StageClock
from matching.standardise import standardise
from matching.term_frequency import know

Bound: TypeAlias = tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]
"""Must-links, and conflicts: positions of records."""

Teach: TypeAlias = Callable[[Forms, MatchModel], MatchModel]
"""Gives a model other weights, from forms and the model with the population that they belong to, which stays."""

_WAITING_MAX: Final = 2
"""Batches of pairs that may wait for each thread, so that their memory stays bounded (chosen)."""


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
    teach: Teach | None = None,
    bound: Bound = ((), ()),
    threads: int = 1,
    on_stage: Callable[[Stage], None] | None = None,
) -> BulkMatch:
    """Match records to clusters. The same records and model give the same answer, whatever the thread count.

    teach  is asked for other weights when the model has no population and learns it
    bound  must-links and conflicts, as positions of records
    """
    clock = StageClock(on_stage)
    with clock.stage("standardise") as made:
        forms = standardise(records, model, threads)
        made.append(len(records.keys))
    return match_forms(forms, model, teach=teach, bound=bound, threads=threads, clock=clock)


def match_forms(
    forms: Forms,
    model: MatchModel,
    *,
    teach: Teach | None = None,
    bound: Bound = ((), ()),
    threads: int = 1,
    clock: StageClock | None = None,
) -> BulkMatch:
    """Match records that are standardised already."""
    clock = clock or StageClock(None)
    if model.population == EMPTY_POPULATION:
        with clock.stage("learn") as made:
            model, by_rule = learn(forms, model, threads)
            model = teach(forms, model) if teach else model
            made.append(len(model.population.stop_keys))
    else:
        by_rule = keys_by_rule(forms, model, threads)
    with clock.stage("block") as made:
        blocks = blocks_of(by_rule, model, threads)
        del by_rule
        made.append(sum(int(of.following.sum(dtype=np.int64)) for of in blocks))
    with clock.stage("compare") as made:
        left, right, judged = _judge_all(forms, blocks, model, threads, made)
    with clock.stage("cluster") as made:
        is_edge = judged.verdicts == MATCH
        labels, refused = propose_counting(
            forms.keys,
            Edges(left[is_edge], right[is_edge], judged.bits[is_edge]),
            musts=_pairs(bound[0]),
            conflicts=_pairs(bound[1]),
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
        oversize=tuple(block for of in blocks for block in of.oversize),
        model=model,
    )


def _judge_all(
    forms: Forms, blocks: Sequence[Blocks], model: MatchModel, threads: int, made: list[int]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Judgement]:
    """Judge the candidates of all blocks batch by batch and keep those at or above the review line.

    made  is given the count of the candidates
    """
    known = know(forms, model)
    words = vocabularies(known.forms, model)
    candidates_count = 0
    done = [sift(known, words, np.empty(0, np.int32), np.empty(0, np.int32), model)]
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        waiting: deque[Future[Sifted]] = deque()
        for left, right in candidate_batches(blocks):
            candidates_count += len(left)
            if len(waiting) >= _WAITING_MAX * threads:
                done.append(waiting.popleft().result())
            waiting.append(pool.submit(sift, known, words, left, right, model))
        done += [future.result() for future in waiting]
    made.append(candidates_count)
    together = Judgement(
        np.concatenate([found.judged.vectors for found in done]),
        np.concatenate([found.judged.bits for found in done]),
        np.concatenate([found.judged.verdicts for found in done]),
    )
    return np.concatenate([found.left for found in done]), np.concatenate([found.right for found in done]), together


def _pairs(pairs: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)
