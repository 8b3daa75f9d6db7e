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
from matching.records import Forms
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
    """

    offsets: NDArray[np.int64]
    scopes: NDArray[np.int32]
    sets: NDArray[np.int32]
    contents: tuple[frozenset[str], ...]


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
    by_record: list[dict[tuple[int, str], set[str]]] = [{} for _ in forms.keys]
    for position, veto in enumerate(model.vetoes):
        column = forms.features[veto.feature]
        scoped = [_scoped(value) for value in column.values]
        for owner, code in zip(column.owners.tolist(), column.codes.tolist(), strict=True):
            scope, identifier = scoped[code]
            if scope != WEAK:
                by_record[owner].setdefault((position, scope), set()).add(identifier)
    scope_by_name: dict[tuple[int, str], int] = {}
    set_by_content: dict[frozenset[str], int] = {}
    counts = np.fromiter(map(len, by_record), dtype=np.int64, count=len(by_record))
    entries = [entry for scopes in by_record for entry in sorted(scopes.items())]
    scopes = [scope_by_name.setdefault(name, len(scope_by_name)) for name, _ in entries]
    sets = [set_by_content.setdefault(frozenset(values), len(set_by_content)) for _, values in entries]
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Signatures(offsets, np.array(scopes, np.int32), np.array(sets, np.int32), tuple(set_by_content))


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
    """Tell which pairs have values in one scope and share none: bool [pairs]."""
    counts_right = np.diff(signatures.offsets)[right]
    counts = np.diff(signatures.offsets)[left] * counts_right
    owners = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = signatures.offsets[left][owners] + within // counts_right[owners]
    second = signatures.offsets[right][owners] + within % counts_right[owners]
    differ = (signatures.scopes[first] == signatures.scopes[second]) & (
        signatures.sets[first] != signatures.sets[second]
    )
    asked = np.stack((signatures.sets[first[differ]], signatures.sets[second[differ]]), axis=1)
    distinct, inverse = np.unique(asked, axis=0, return_inverse=True)
    contents = signatures.contents
    apart = np.array([contents[a].isdisjoint(contents[b]) for a, b in distinct.tolist()], dtype=bool)
    found = np.zeros(len(left), dtype=bool)
    if len(apart):
        np.logical_or.at(found, owners[differ], apart[inverse.ravel()])
    return found
