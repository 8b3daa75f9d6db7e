"""Judge given pairs: compare, score, decide. Bulk runs the same on its candidates, so both find the same edges.

It also reads what vetoes need: for each record, the values of its strong identifiers by scope.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.compare import compare_known
from matching.decide import decide
from matching.model import MatchModel
from matching.records import Column, Forms
from matching.score import score
from matching.term_frequency import Known, frequency_bits, know

WEAK: Final = "weak"
"""Scope of identifiers that could not be validated, or of which one entity may have several; see standardise."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """Hold what was found for pairs: vectors int8 [pairs, comparisons], bits float64 [pairs], verdicts int8 [pairs]."""

    vectors: NDArray[np.int8]
    bits: NDArray[np.float64]
    verdicts: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Hold each record's strong identifiers: record i owns entries offsets[i] : offsets[i + 1].

    scopes  int32 [entries], a veto and a scope within it
    sets    int32 [entries], position in `contents`: all values the record has in that scope
    chained_from  the first scope of the vetoes that reach along chains only; they stand behind the others
    """

    offsets: NDArray[np.int64]
    scopes: NDArray[np.int32]
    sets: NDArray[np.int32]
    contents: tuple[frozenset[str], ...]
    chained_from: int = np.iinfo(np.int32).max


def judge(forms: Forms, left: NDArray[np.integer], right: NDArray[np.integer], model: MatchModel) -> Judgement:
    """Compare, score and decide pairs of records (positions in `forms`)."""
    return judge_known(know(forms, model), left, right, model)


def judge_known(known: Known, left: NDArray[np.integer], right: NDArray[np.integer], model: MatchModel) -> Judgement:
    """Judge as `judge` does, for a caller that asks more than once about the same records."""
    vectors = compare_known(known.forms, left, right, model)
    bits = score(vectors, model, frequency_bits(known, left, right, vectors, model))
    return Judgement(vectors, bits, decide(vectors, bits, model))


def conflict_signatures(forms: Forms, model: MatchModel) -> Signatures:
    """Read each record's strong identifiers by veto and scope; those of the scope "weak" never conflict."""
    vetoes = sorted(model.vetoes, key=lambda veto: veto.reach == "chain")
    rows = [_scoped_rows(forms.features[veto.feature]) for veto in vetoes]
    paired = [len(scopes) for (scopes, _, _), veto in zip(rows, vetoes, strict=True) if veto.reach == "pair"]
    contents = [frozenset({value}) for _, values, _ in rows for value in values]
    scopes_count = sum(len(scopes) for scopes, _, _ in rows)
    owners, scopes, sets = [], [], []
    scopes_before = sets_before = 0
    for names, values, (owner, scope, value) in rows:
        owners.append(owner.astype(np.int64))
        scopes.append(scope + scopes_before)
        sets.append(value + sets_before)
        scopes_before += len(names)
        sets_before += len(values)
    none = np.empty(0, dtype=np.int64)
    owner, scope, held = (np.concatenate([none, *parts]) for parts in (owners, scopes, sets))
    order = np.lexsort((held, scope, owner))
    owner, scope, held = owner[order], scope[order], held[order]
    slots = owner * max(1, scopes_count) + scope
    starts = np.flatnonzero(np.concatenate(([True], slots[1:] != slots[:-1]))) if len(slots) else none
    sizes = np.diff(np.append(starts, len(slots)))
    first = held[starts]
    set_by_content: dict[frozenset[str], int] = {}
    for slot in np.flatnonzero(sizes > 1).tolist():  # few records have two numbers of one kind
        together = frozenset().union(*(contents[place] for place in held[starts[slot] : starts[slot] + sizes[slot]]))
        first[slot] = set_by_content.setdefault(together, len(contents) + len(set_by_content))
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner[starts], minlength=len(forms.keys)))))
    return Signatures(
        offsets.astype(np.int64),
        scope[starts].astype(np.int32),
        first.astype(np.int32),
        (*contents, *set_by_content),
        sum(paired),
    )


def _scoped_rows(
    column: Column,
) -> tuple[list[str], list[str], tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]]:
    """Return the scopes and the identifiers of a column, and the strong values held: (record, scope, identifier)."""
    place_by_scope: dict[str, int] = {}
    place_by_name: dict[str, int] = {}
    places = np.full((max(1, len(column.values)), 2), -1, dtype=np.int64)
    for code, value in enumerate(column.values):
        scope, identifier = _scoped(value)
        if scope != WEAK:
            places[code, 0] = place_by_scope.setdefault(scope, len(place_by_scope))
            places[code, 1] = place_by_name.setdefault(identifier, len(place_by_name))
    held = places[column.codes]
    is_strong = held[:, 0] >= 0
    return (
        list(place_by_scope),
        list(place_by_name),
        (column.owners[is_strong], held[is_strong, 0], held[is_strong, 1]),
    )


def by_scope(values: Iterable[str]) -> dict[str, set[str]]:
    """Part the strong identifiers of one record by scope; those of the scope "weak" are left out."""
    found: dict[str, set[str]] = {}
    for value in values:
        scope, identifier = _scoped(value)
        if scope != WEAK:
            found.setdefault(scope, set()).add(identifier)
    return found


def _scoped(value: str) -> tuple[str, str]:
    """Part a value from its scope; a value without one is in a scope that all such values share."""
    scope, mark, identifier = value.partition(":")
    return (scope, identifier) if mark else ("", value)


def conflicting(signatures: Signatures, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which pairs have values in one scope and share none, whatever chains would say: bool [pairs]."""
    counts_right = np.diff(signatures.offsets)[right]
    counts = np.diff(signatures.offsets)[left] * counts_right
    owners = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = signatures.offsets[left][owners] + within // counts_right[owners]
    second = signatures.offsets[right][owners] + within % counts_right[owners]
    is_paired = signatures.scopes[first] < signatures.chained_from
    differ = is_paired & (signatures.scopes[first] == signatures.scopes[second])
    differ &= signatures.sets[first] != signatures.sets[second]
    asked = np.stack((signatures.sets[first[differ]], signatures.sets[second[differ]]), axis=1)
    distinct, inverse = np.unique(asked, axis=0, return_inverse=True)
    contents = signatures.contents
    apart = np.array([contents[a].isdisjoint(contents[b]) for a, b in distinct.tolist()], dtype=bool)
    found = np.zeros(len(left), dtype=bool)
    if len(apart):
        np.logical_or.at(found, owners[differ], apart[inverse.ravel()])
    return found
