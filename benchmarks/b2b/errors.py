"""Say why a matcher errs on a generated set: which true pairs are lost where, which false pairs are made of what.

    python benchmarks/b2b/errors.py FOLDER [--out analysis.md]

matches FOLDER/records.parquet, and counts errors by what the generator did to the records (causes.parquet). A true pair
is lost in blocking (never compared), in scoring (compared, below the line), by a rule, or in clustering. A false pair
is one of sisters or of strangers, made by an edge of its own or through other records only.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matching.block import candidate_pairs
from matching.bulk import BulkMatch, match_forms
from matching.keys import blocking_keys
from matching.model import MATCH, MatchModel
from matching.online import Judgement, judge
from matching.records import Forms
from matching.standardise import standardise
from mdm.entities.service import entity_types
from mdm.jobs.columnar import records_of

Ints = NDArray[np.int64]

SHOWN = 14
_EXAMPLES = 6
_PLAIN = frozenset(
    {"site_missing", "tax_missing", "phone_missing", "mail_personal", "mail_free", "form_other_spelling", "name_upper"}
    | {"city_exonym", "phone_direct", "address_missing", "name_ascii", "placeholder", "country_missing"}
)
"""Causes that most records have; they count only where nothing else was done to a pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Hold the records with all that is known about them."""

    rows: pa.Table
    causes: list[frozenset[str]]
    cluster: Ints
    family: Ints
    sister_kind: list[str]
    forms: Forms
    result: BulkMatch

    @property
    def model(self) -> MatchModel:
        """Give the model with what it learnt from the population."""
        return self.result.model


def ground_of(folder: Path) -> Ground:
    """Read and match a set."""
    rows = pq.read_table(folder / "records.parquet")
    told = pq.read_table(folder / "causes.parquet")
    customer = entity_types()["customer"]
    records = records_of(rows, customer, {}, None).records
    forms = standardise(records, customer.model)
    result = match_forms(forms, customer.model, threads=2)
    cluster = told["cluster_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    causes = [frozenset(filter(None, written.split(";"))) for written in told["causes"].to_pylist()]
    return Ground(rows, causes, cluster, told["family"].to_numpy(), told["sister_kind"].to_pylist(), forms, result)


def pairs_within(labels: Ints) -> tuple[Ints, Ints]:
    """Give all pairs of records with one label."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.concatenate(([True], labels[order][1:] != labels[order][:-1])))
    sizes = np.diff(np.concatenate((starts, [len(labels)])))
    left, right = [], []
    for size in np.unique(sizes[sizes > 1]).tolist():
        members = order[starts[sizes == size][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        left.append(members[:, first].ravel())
        right.append(members[:, second].ravel())
    low, high = np.concatenate([np.empty(0, np.int64), *left]), np.concatenate([np.empty(0, np.int64), *right])
    return np.minimum(low, high), np.maximum(low, high)


def report(ground: Ground) -> Iterator[str]:
    """Write the whole analysis, line by line."""
    predicted = ground.result.labels.astype(np.int64)
    true = pairs_within(ground.cluster)
    found = predicted[true[0]] == predicted[true[1]]
    made = pairs_within(predicted)
    right = ground.cluster[made[0]] == ground.cluster[made[1]]
    precision, recall = right.mean(), found.mean()
    yield "# Errors of a run on a generated set"
    yield ""
    yield (
        f"{len(predicted):,} records, {len(true[0]):,} true pairs, {len(made[0]):,} pairs made. "
        f"Precision {precision:.4f}, recall {recall:.4f}, F1 {2 * precision * recall / (precision + recall):.4f}. "
        f"Largest cluster {np.bincount(predicted).max()}, largest true one {np.bincount(ground.cluster).max()}. Line "
        f"{ground.model.match_bits:g} bits, review from {ground.model.review_bits:g}."
    )
    yield from _lost(ground, true[0][~found], true[1][~found])
    yield from _blocked(ground, *true)
    yield from _false(ground, made[0][~right], made[1][~right])


def _lost(ground: Ground, left: Ints, right: Ints) -> Iterator[str]:
    """Say where true pairs are lost and what was done to them."""
    candidates = candidate_pairs(blocking_keys(ground.forms, ground.model), ground.model)
    coded = np.sort((candidates.left.astype(np.int64) << 32) | candidates.right)
    compared = _is_among(coded, left, right)
    judged = judge(ground.forms, left.astype(np.int32), right.astype(np.int32), ground.model)
    is_edge = judged.verdicts == MATCH
    over = judged.bits >= ground.model.match_bits
    wheres = {
        "blocking, though the score would do": ~compared & is_edge,
        "blocking, and the score would not do": ~compared & ~is_edge,
        "score: below the line, above review": compared & ~over & (judged.bits >= ground.model.review_bits),
        "score: below the review line": compared & ~over & (judged.bits < ground.model.review_bits),
        "a rule held a score over the line down": compared & over & ~is_edge,
        "clustering refused the edge": compared & is_edge,
    }
    yield ""
    yield f"## Lost true pairs: {len(left):,}"
    yield ""
    yield "| where | pairs | share |"
    yield "|---|---|---|"
    for where, mask in wheres.items():
        yield f"| {where} | {mask.sum():,} | {mask.mean():.1%} |"
    for where, mask in wheres.items():
        if mask.sum() > len(left) / 40:
            yield from _causes(ground, f"Lost: {where}", left[mask], right[mask])
            yield from _levels(ground, judged, mask)
            yield from _examples(ground, left[mask], right[mask], judged.bits[mask])


def _blocked(ground: Ground, left: Ints, right: Ints) -> Iterator[str]:
    candidates = candidate_pairs(blocking_keys(ground.forms, ground.model), ground.model)
    coded = np.sort((candidates.left.astype(np.int64) << 32) | candidates.right)
    compared = _is_among(coded, left, right)
    yield ""
    yield f"Blocking: {len(coded):,} candidates hold {compared.mean():.4f} of the true pairs."


def _false(ground: Ground, left: Ints, right: Ints) -> Iterator[str]:
    """Say what false pairs are made of."""
    judged = judge(ground.forms, left.astype(np.int32), right.astype(np.int32), ground.model)
    is_edge = judged.verdicts == MATCH
    sisters = (ground.family[left] == ground.family[right]) & (ground.family[left] >= 0)
    kinds = {
        "sisters, by an edge of their own": sisters & is_edge,
        "sisters, through other records": sisters & ~is_edge,
        "strangers, by an edge of their own": ~sisters & is_edge,
        "strangers, through other records": ~sisters & ~is_edge,
    }
    yield ""
    yield f"## False pairs: {len(left):,}"
    yield ""
    yield "| what | pairs | share |"
    yield "|---|---|---|"
    for what, mask in kinds.items():
        yield f"| {what} | {mask.sum():,} | {mask.mean():.1%} |"
    told = Counter(
        "/".join(sorted((ground.sister_kind[a], ground.sister_kind[b])))
        for a, b in zip(left[sisters & is_edge].tolist(), right[sisters & is_edge].tolist(), strict=True)
    )
    yield ""
    yield "Sisters joined by an edge of their own, by how they differ from the family's first: " + ", ".join(
        f"{kind} {count:,}" for kind, count in told.most_common(SHOWN)
    )
    for what, mask in kinds.items():
        if mask.any():
            yield from _causes(ground, f"False: {what}", left[mask], right[mask])
            yield from _levels(ground, judged, mask)
            yield from _examples(ground, left[mask], right[mask], judged.bits[mask])


def _causes(ground: Ground, title: str, left: Ints, right: Ints) -> Iterator[str]:
    """Count the telling causes of pairs, and the plain ones of those pairs that have no other."""
    telling, only, plain = Counter[str](), Counter[str](), Counter[str]()
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        either = ground.causes[a] | ground.causes[b]
        special = either - _PLAIN
        telling.update(special)
        if len(special) == 1:
            only.update(special)
        if not special:
            plain["; ".join(sorted(either)) or "nothing"] += 1
    yield ""
    yield f"### {title} ({len(left):,})"
    yield ""
    yield "Done to one of the two (in brackets: the only such thing): " + ", ".join(
        f"{cause} {count:,} ({only[cause]:,})" for cause, count in telling.most_common(SHOWN)
    )
    yield f"Nothing but plain gaps: {plain.total():,} pairs; most often " + " · ".join(
        f"{causes}: {count:,}" for causes, count in plain.most_common(4)
    )


def _levels(ground: Ground, judged: Judgement, mask: NDArray[np.bool_]) -> Iterator[str]:
    """Say how often each comparison reached each level."""
    told = []
    for place, comparison in enumerate(ground.model.comparisons):
        levels = judged.vectors[mask, place]
        if (levels < 0).mean() > 0.97:
            continue
        shares = [f"{level.label} {(levels == number).mean():.0%}" for number, level in enumerate(comparison.levels)]
        told.append(f"{comparison.name}: {', '.join(shares)}, missing {(levels < 0).mean():.0%}")
    yield ""
    yield "Levels: " + " · ".join(told)


def _examples(ground: Ground, left: Ints, right: Ints, bits: NDArray[np.float64]) -> Iterator[str]:
    """Show some pairs as they were delivered."""
    columns = [name for name in ground.rows.column_names if name not in {"id", "source"}]
    yield ""
    for place in np.random.default_rng(5).permutation(len(left))[:_EXAMPLES].tolist():
        a, b = int(left[place]), int(right[place])
        yield f"- {bits[place]:.1f} bits"
        for record in (a, b):
            row = ground.rows.slice(record, 1).to_pylist()[0]
            cells = " | ".join(row[name] or "" for name in columns)
            yield f"  - `{cells}` ({', '.join(sorted(ground.causes[record]))})"


def _is_among(coded: Ints, left: Ints, right: Ints) -> NDArray[np.bool_]:
    asked = (left << 32) | right
    place = np.minimum(np.searchsorted(coded, asked), len(coded) - 1)
    return coded[place] == asked


def main() -> None:
    """Read the command line and write the analysis."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    text = "\n".join(report(ground_of(chosen.folder))) + "\n"
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
