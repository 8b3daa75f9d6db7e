"""The stages of a match on Arrow batches: what a backend runs on each part of the records, wherever it lies.

The functions are those of bulk, called on the records, blocks or clusters of one part; a backend only moves rows about:
records → forms → keys → (sorted by key) pairs → (sorted by component) clusters. A record is an int64 that the backend
chooses; the compare forms of a record travel as one text.
"""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from copyreg import dispatch_table
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.block import BLOCK_SIZE_EMERGENCY, OversizeBlock, candidate_pairs
from matching.cluster import Edges, propose_counting
from matching.compare import vocabularies
from matching.keys import BlockingKeys, blocking_keys
from matching.learning.sample import drawn
from matching.model import MatchModel
from matching.online import conflict_signatures
from matching.records import Column, Forms, Records, column_from_arrow
from matching.sieve import sift
from matching.standardise import standardise
from matching.term_frequency import know

FORM_ROWS: Final = pa.schema(
    [("key", pa.string()), ("source", pa.string()), ("context", pa.string()), ("packed", pa.string())]
)
"""A record's compare forms, packed; context null = the entity has no parent."""

KEY_ROWS: Final = pa.schema([("record", pa.int64()), ("keys", pa.list_(pa.int64())), ("rules", pa.list_(pa.int16()))])
"""A record's blocking keys, and the rule of each (place in the model)."""

BLOCK_ROWS: Final = pa.schema(
    [("block", pa.int64()), ("record", pa.int64()), ("keys", pa.list_(pa.int64())), ("packed", pa.string())]
)
"""A member of a block, with all the keys of blocks that it stands in."""

PAIR_ROWS: Final = pa.schema(
    [
        ("left", pa.int64()),
        ("right", pa.int64()),
        ("bits", pa.float64()),
        ("verdict", pa.int8()),
        ("vector", pa.binary()),
    ]
)
"""A pair at or above the review line, left < right; its comparison vector as bytes, one int8 a comparison."""

MEMBER, EDGE, MUST, CONFLICT = 0, 1, 2, 3
COMPONENT_ROWS: Final = pa.schema(
    [
        ("component", pa.int64()),
        ("kind", pa.int8()),
        ("left", pa.int64()),
        ("right", pa.int64()),
        ("bits", pa.float64()),
        ("key", pa.string()),
        ("packed", pa.string()),
    ]
)
"""What binds a component: MEMBER (left = record, key, packed), EDGE (left, right, bits), MUST and CONFLICT."""

CLUSTER_ROWS: Final = pa.schema(
    [
        ("kind", pa.int8()),
        ("left", pa.int64()),
        ("right", pa.int64()),
        ("bits", pa.float64()),
        ("cluster_key", pa.string()),
    ]
)
"""MEMBER: record left belongs to the cluster of record right, the one with the smallest key; EDGE: refused."""

PAIRS_AT_ONCE: Final = 1_000_000
"""Pairs that one part may come to, one that several blocks hold counted for each; one block may hold more (chosen)."""

KEY_BITS: Final = 64

ROWS_AT_ONCE: Final = 200_000
"""Rows of blocks or components that a part comes to: bounds memory, large enough that values repeat (chosen)."""

_SUSPECTS_AT_ONCE: Final = 20_000
"""Pairs whose keys are crossed at a time: a few MB of indices stay in the processor's cache (chosen)."""

_FEATURES: Final = "\x1e"
_VALUES: Final = "\x1f"
_ESCAPE: Final = "\x1d"
_MARKS: Final = ((_ESCAPE, _ESCAPE + "0"), (_FEATURES, _ESCAPE + "1"), (_VALUES, _ESCAPE + "2"))


class Repeated(Exception):
    """Two records have the same source key, which names a record in clusters and pairs."""

    def __init__(self, key: str) -> None:
        """Name the key."""
        super().__init__(f"the source key {key!r} comes twice")
        self.key = key


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """Hold the members of the blocks of a part.

    records    int64, ascending; first_row: where each comes first in the part
    keys       int64, those before the part's, of record i at offsets[i] : offsets[i + 1]
    marks      uint64, the last six bits of those keys as a set
    """

    records: NDArray[np.int64]
    first_row: NDArray[np.int64]
    offsets: NDArray[np.int64]
    keys: NDArray[np.int64]
    marks: NDArray[np.uint64]


def form_rows(records: Records, model: MatchModel) -> pa.Table:
    """Standardise the records of one part: FORM_ROWS, in their order."""
    forms = standardise(records, model)
    contexts = (
        pa.nulls(len(forms.keys), pa.string()) if forms.contexts is None else pa.array(forms.contexts, pa.string())
    )
    columns = [pa.array(forms.keys, pa.string()), pa.array(forms.sources, pa.string()), contexts, packed(forms, model)]
    return pa.table(columns, schema=FORM_ROWS)


def forms_of(rows: pa.Table, model: MatchModel) -> Forms:
    """Read packed forms back; keys, sources and contexts are those of the rows, where they have them."""
    count, names = rows.num_rows, rows.column_names
    keys = tuple(rows["key"].to_pylist()) if "key" in names else ("",) * count
    sources = tuple(rows["source"].to_pylist()) if "source" in names else ("",) * count
    has_context = "context" in names and rows["context"].null_count < count
    contexts = tuple(pc.fill_null(rows["context"], "").to_pylist()) if has_context else None
    return Forms(keys, sources, contexts, _unpacked(rows["packed"], model))


def drawn_rows(rows: pa.Table, model: MatchModel) -> pa.Table:
    """Keep the records of one part to learn from (FORM_ROWS); the model has its population."""
    return rows.take(drawn(rows["key"].to_pylist(), model.population.records_count))


def key_rows(rows: pa.Table, model: MatchModel) -> pa.Table:
    """Give the blocking keys of the records of one part (`record`, and FORM_ROWS): KEY_ROWS, in their order."""
    found = blocking_keys(forms_of(rows, model), model)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(found.records, minlength=rows.num_rows)))).astype(np.int32)
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in (found.keys, found.rules)]
    return pa.table([rows["record"].combine_chunks(), *lists], schema=KEY_ROWS)


def sizes_max(model: MatchModel) -> list[int]:
    """Return how large a block of each rule may be before its key is a stop key."""
    return [rule.size_max or model.block_size_max for rule in model.blocking]


def oversize_of(large: pa.Table, model: MatchModel) -> tuple[pa.Table, tuple[OversizeBlock, ...]]:
    """Return the blocks beyond their rule's size (key, rule, size) and their report, both as `block.blocks_of` orders.

    large  blocks beyond the smallest size of any rule, in any order
    """
    sizes = np.array(sizes_max(model), dtype=np.int64)
    rules, keys = large["rule"].to_numpy(), large["key"].to_numpy()
    order = np.lexsort((keys.view(np.uint64), rules))
    rows = large.take(order[large["size"].to_numpy()[order] > sizes[rules[order]]])
    report = tuple(
        OversizeBlock(model.blocking[rule].name, key, size, size > int(sizes[rule]) * BLOCK_SIZE_EMERGENCY)
        for key, rule, size in zip(*(rows[name].to_pylist() for name in ("key", "rule", "size")), strict=True)
    )
    return rows, report


def block_parts(
    blocks: Iterable[pa.RecordBatch], *, range_bits: int = 0, rows_at_once: int = ROWS_AT_ONCE
) -> Iterator[pa.Table]:
    """Cut rows sorted by block into parts, each with all blocks of a range of keys, of about PAIRS_AT_ONCE pairs.

    range_bits  the rows hold all blocks of some ranges of keys; a range is told by this many leading bits
    """
    for table in _whole_groups(blocks, "block", rows_at_once):
        values = table["block"].to_numpy()
        starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
        ends = np.append(starts[1:], len(values))
        sizes = ends - starts
        part_of = np.cumsum(sizes * (sizes - 1) // 2) // PAIRS_AT_ONCE
        is_last = part_of[1:] != part_of[:-1]
        if range_bits:
            range_of = values[starts] >> (KEY_BITS - range_bits)
            is_last |= range_of[1:] != range_of[:-1]
        begin = 0
        for end in ends[np.append(np.flatnonzero(is_last), len(starts) - 1)].tolist():
            yield table.slice(begin, end - begin)
            begin = end


def judged_part(part: pa.Table, model: MatchModel) -> pa.Table:
    """Judge the pairs of all blocks of a range of keys, and give those at or above the review line: PAIR_ROWS.

    Pairs that share a smaller key are another part's, so that no two parts judge the same.
    """
    members = _members(part)
    local = np.searchsorted(members.records, part["record"].to_numpy()).astype(np.int32)
    order = np.argsort(local, kind="stable")
    sizes = sizes_max(model)
    widest = np.full(len(local), sizes.index(max(sizes)), np.int16)  # those beyond their own bound are gone
    keys = BlockingKeys(local[order], widest, part["block"].to_numpy()[order])
    found = candidate_pairs(keys, model)
    is_new = ~_share_any(members, found.left, found.right)
    known = know(forms_of(part.select(["packed"]).take(members.first_row), model), model)
    words = vocabularies(known.forms, model)
    sifted = sift(known, words, found.left[is_new], found.right[is_new], model)
    columns = [
        pa.array(members.records[sifted.left]),
        pa.array(members.records[sifted.right]),
        pa.array(sifted.judged.bits),
        pa.array(sifted.judged.verdicts),
        pa.array(map(bytes, np.ascontiguousarray(sifted.judged.vectors)), pa.binary()),
    ]
    return pa.table(columns, schema=PAIR_ROWS)


def clustered(
    rows: Iterable[pa.RecordBatch], model: MatchModel, *, rows_at_once: int = ROWS_AT_ONCE
) -> Iterator[pa.Table]:
    """Cluster components by the law of clusters, COMPONENT_ROWS sorted by component and kind: CLUSTER_ROWS.

    No edge or must-link leaves a component, so that C of the whole is C of its components side by side.
    """
    for part in _whole_groups(rows, "component", rows_at_once):
        yield _clustered_part(part, model)


def vectors_of(column: pa.ChunkedArray, model: MatchModel) -> NDArray[np.int8]:
    """Read comparison vectors back: int8 [pairs, comparisons]."""
    joined = b"".join(column.to_pylist())
    return np.frombuffer(joined, dtype=np.int8).reshape(-1, len(model.comparisons))


def sent(value: Any) -> bytes:
    """Pickle a model or declaration, whose read-only mappings pickle does not know."""
    stream = BytesIO()
    pickler = pickle.Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = dispatch_table | {MappingProxyType: lambda held: (_frozen, (dict(held),))}
    pickler.dump(value)
    return stream.getvalue()


@lru_cache(maxsize=4)  # one process works on many parts with the same model
def received(value: bytes) -> Any:
    """Read what `sent` wrote; the same bytes are read once a process."""
    return pickle.loads(value)  # noqa: S301 -- written by the process that started this one


def packed(forms: Forms, model: MatchModel) -> pa.Array:
    """Write the forms of each record as one text: features parted by 1E, values by 1F, escaped where they occur."""
    texts = [_joined(forms.features[feature.name]) for feature in model.features]
    return pc.binary_join_element_wise(*texts, _FEATURES) if texts else pa.repeat("", len(forms.keys))


def _joined(column: Column) -> pa.Array:
    values = pa.array([_escaped(value) for value in column.values], pa.string())
    held = values.take(pa.array(column.codes))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(column.offsets.astype(np.int32)), held), _VALUES)


def _escaped(value: str) -> str:
    if _ESCAPE in value or _FEATURES in value or _VALUES in value:
        for mark, written in _MARKS:
            value = value.replace(mark, written)
    return value


def _unpacked(texts: pa.ChunkedArray, model: MatchModel) -> dict[str, Column]:
    """Read the features of packed forms, rows in their order."""
    width = len(model.features)
    cells = pc.split_pattern(texts.combine_chunks(), _FEATURES).flatten()
    places = np.arange(len(texts)) * width
    return {feature.name: _column(cells.take(pa.array(places + place))) for place, feature in enumerate(model.features)}


def _column(cells: pa.Array) -> Column:
    has_lists = pc.any(pc.match_substring(cells, _VALUES)).as_py()
    column = column_from_arrow(pc.split_pattern(cells, _VALUES) if has_lists else cells)
    if not pc.any(pc.match_substring(cells, _ESCAPE)).as_py():
        return column
    return Column(column.offsets, column.codes, tuple(_unescaped(value) for value in column.values))


def _unescaped(value: str) -> str:
    for mark, written in reversed(_MARKS):
        value = value.replace(written, mark)
    return value


def _whole_groups(batches: Iterable[pa.RecordBatch], column: str, rows_at_once: int) -> Iterator[pa.Table]:
    """Cut a stream sorted by a column into tables of about so many rows that hold each of its groups whole."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if batch.num_rows:
            waiting.append(batch)
            rows += batch.num_rows
        if rows >= rows_at_once:
            table = pa.Table.from_batches(waiting)
            values = table[column].to_numpy()
            last = int(np.searchsorted(values, values[-1]))
            if last:
                yield table.slice(0, last)
                waiting = table.slice(last).to_batches()
                rows -= last
    if waiting:
        yield pa.Table.from_batches(waiting)


def _members(part: pa.Table) -> _Members:
    """Find the distinct records of some block rows, and their keys that come before these blocks."""
    records, first_row = np.unique(part["record"].to_numpy(), return_index=True)
    lists = part["keys"].combine_chunks().take(pa.array(first_row))
    keys = lists.flatten().to_numpy()
    is_earlier = keys < part["block"][0].as_py()
    owners = np.repeat(np.arange(len(records)), pc.list_value_length(lists).to_numpy())[is_earlier]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(records))))).astype(np.int64)
    marks = np.zeros(len(records), dtype=np.uint64)
    np.bitwise_or.at(marks, owners, np.uint64(1) << (keys[is_earlier].view(np.uint64) & np.uint64(KEY_BITS - 1)))
    return _Members(records, first_row, offsets, keys[is_earlier], marks)


def _share_any(members: _Members, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which pairs share an earlier key: bool [pairs]; only those with a common mark are looked at."""
    shared = np.zeros(len(left), dtype=bool)
    suspects = np.flatnonzero(members.marks[left] & members.marks[right])
    for start in range(0, len(suspects), _SUSPECTS_AT_ONCE):
        asked = suspects[start : start + _SUSPECTS_AT_ONCE]
        counts = np.diff(members.offsets)
        width = counts[right[asked]]
        crossed = counts[left[asked]] * width
        owners = np.repeat(np.arange(len(asked)), crossed)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
        first = members.keys[members.offsets[left[asked]][owners] + within // width[owners]]
        second = members.keys[members.offsets[right[asked]][owners] + within % width[owners]]
        shared[asked[owners[first == second]]] = True
    return shared


def _clustered_part(part: pa.Table, model: MatchModel) -> pa.Table:
    kinds = part["kind"].to_numpy()
    rows = part.filter(pa.array(kinds == MEMBER))
    records = rows["left"].to_numpy()
    order = np.argsort(records, kind="stable")

    def places(kind: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        bound = part.filter(pa.array(kinds == kind))
        sides = (bound[side].to_numpy() for side in ("left", "right"))
        first, second = (order[np.searchsorted(records, side, sorter=order)].astype(np.int32) for side in sides)
        return first, second

    left, right = places(EDGE)
    bits = part.filter(pa.array(kinds == EDGE))["bits"].to_numpy()
    keys: Sequence[str] = rows["key"].to_pylist()
    labels, refused = propose_counting(
        keys,
        Edges(left, right, bits),
        musts=np.stack(places(MUST), axis=1),
        conflicts=np.stack(places(CONFLICT), axis=1),
        signatures=conflict_signatures(forms_of(rows, model), model) if model.vetoes else None,
    )
    columns = [
        pa.array(np.repeat(np.array([MEMBER, EDGE], np.int8), [len(records), len(refused)])),
        pa.array(np.concatenate((records, records[left[refused]]))),
        pa.array(np.concatenate((records[labels], records[right[refused]]))),
        pa.array(np.concatenate((np.zeros(len(records)), bits[refused]))),
        pa.concat_arrays([rows["key"].combine_chunks().take(pa.array(labels)), pa.nulls(len(refused), pa.string())]),
    ]
    return pa.table(columns, schema=CLUSTER_ROWS)


def _frozen(held: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(held)
