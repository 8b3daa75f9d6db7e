"""Parts of blocking keys: what the features of a record give to its keys, as hashes.

Many records give theirs column by column. A few, as whoever looks one up brings, give theirs text by text, by the plain
words of each transform, and all are hashed at once: a column has a price, whatever it holds.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.model import KeyPart, MatchModel
from matching.records import Column, Forms
from matching.term_frequency import token_rarity
from matching.texts import mix
from matching.transforms import TRANSFORMS, Values, key_hashes

KEYS_PER_PART_MAX: Final = 16
"""Key texts one record may give to one part: bounds lists and long names (chosen)."""

_FEW: Final = 12
"""Records that give their parts text by text (November 2026: one in .5 instead of 2 ms, 16 in about as long)."""

Keys: TypeAlias = tuple[NDArray[np.int32], NDArray[np.uint64]]
"""(record, key) rows, records ascending: int32 and uint64."""

Run: TypeAlias = Callable[..., Iterator[Any]]
"""A `map`: here, or in threads."""


def part_hashes(part: KeyPart, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Tell the texts of one part from equal ones of another: the hashes that keys are made of."""
    return mix(hashes, np.uint64(_mark(part)))


@lru_cache(maxsize=1_024)  # more parts than all models at work have
def _mark(part: KeyPart) -> int:
    return text_hash(f"{part.feature}\x1f{part.transform}")


def text_hash(text: str) -> int:
    """Hash a text to 64 bits, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def within(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count from 0 in each of the groups that lie end to end."""
    ends: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64)
    before: NDArray[np.int64] = np.repeat(ends - counts, counts)
    return np.arange(len(before), dtype=np.int64) - before


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Hold the hashes of one key part: record i has hashes[offsets[i] : offsets[i + 1]], distinct."""

    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def join(self, records: NDArray[np.int32], keys: NDArray[np.uint64]) -> Keys:
        """Combine each key with every hash of the same record."""
        starts = self.offsets[records]
        counts = self.offsets[records + 1] - starts
        if counts.max(initial=0) <= 1:
            has_one = counts > 0
            return records[has_one], mix(keys[has_one], self.hashes[starts[has_one]])
        places = np.repeat(starts, counts) + within(counts)
        return np.repeat(records, counts), mix(np.repeat(keys, counts), self.hashes[places])

    def rows(self) -> Keys:
        """Return (record, hash) rows."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets)), self.hashes


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Hold the hashes of every key part in the model's rules, and of the contexts (None = there are none)."""

    by_part: Mapping[KeyPart, Part]
    contexts: NDArray[np.uint64] | None


def parts_of(forms: Forms, model: MatchModel, run: Run) -> Parts:
    """Give what each part of the model's rules takes from the records."""
    asked = list(dict.fromkeys(part for rule in model.blocking for part in rule.parts))
    by_part: dict[KeyPart, Part] = {}
    if len(forms.keys) <= _FEW:
        by_part = _parts_of_few(forms, model, asked)
    else:
        for found in run(
            lambda feature: _parts_of_feature(forms.features[feature], model, feature, asked),
            dict.fromkeys(part.feature for part in asked),
        ):
            by_part |= found
    return Parts(by_part, _context_hashes(forms))


def _parts_of_few(forms: Forms, model: MatchModel, asked: Sequence[KeyPart]) -> dict[KeyPart, Part]:
    """Write out the key texts of all parts, and hash them at once; the same as column by column."""
    texts: list[str] = []
    counts: list[int] = []
    records_count = len(forms.keys)
    values = {
        name: [column.of(record) for record in range(records_count)]
        for name, column in forms.features.items()
        if len(column.codes)
    }
    for part in asked:
        name, _, size = part.transform.partition(":")
        transform, rarity = TRANSFORMS[name].texts, token_rarity(model.population, part.feature)
        for held in values.get(part.feature, ((),) * records_count):
            given = [text for value in held for text in transform(value, int(size or 0), rarity)]
            texts += given
            counts.append(len(given))
    marks = np.repeat(np.array([_mark(part) for part in asked], dtype=np.uint64), records_count)
    hashes = mix(key_hashes(texts), np.repeat(marks, counts)).tolist()
    by_part, start = {}, 0
    for place, part in enumerate(asked):
        kept: list[int] = []
        offsets = [0]
        for count in counts[place * records_count : (place + 1) * records_count]:
            kept += sorted(set(hashes[start : start + count]))[:KEYS_PER_PART_MAX]
            offsets.append(len(kept))
            start += count
        by_part[part] = Part(np.array(offsets, dtype=np.int64), np.array(kept, dtype=np.uint64))
    return by_part


def _parts_of_feature(column: Column, model: MatchModel, feature: str, asked: Sequence[KeyPart]) -> dict[KeyPart, Part]:
    used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values)))
    local = np.zeros(len(column.values), dtype=np.int64)
    local[used] = np.arange(len(used))
    values = Values([column.values[code] for code in used.tolist()], token_rarity(model.population, feature))
    local = local[column.codes]
    return {part: _part(column, local, values, part) for part in asked if part.feature == feature}


def _part(column: Column, local: NDArray[np.int64], values: Values, part: KeyPart) -> Part:
    """Hash the key texts of one part: once a distinct value, then spread to the records that hold it."""
    name, _, size = part.transform.partition(":")
    value_of, hashes = TRANSFORMS[name].hashes(values, int(size or 0))
    hashes = part_hashes(part, hashes)
    counts = np.bincount(value_of, minlength=len(values.texts))
    starts = np.cumsum(counts) - counts
    held = counts[local]
    records = np.repeat(column.owners, held)
    spread = hashes[np.repeat(starts[local], held) + within(held)]
    records, spread = _bounded(records, spread, column.counts > 1, KEYS_PER_PART_MAX)
    offsets = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(np.bincount(records, minlength=len(column)), out=offsets[1:])
    return Part(offsets, spread)


def _bounded(
    records: NDArray[np.int32], hashes: NDArray[np.uint64], has_several: NDArray[np.bool_], limit: int
) -> Keys:
    """Keep the smallest distinct hashes of each record: no order of values can change which.

    has_several  bool [records], whether a record has several values: the hashes of one are distinct already
    """
    is_asked = has_several | (np.bincount(records, minlength=len(has_several)) > limit)
    asked = np.flatnonzero(is_asked[records])
    if len(asked) == 0:
        return records, hashes
    order = asked[np.lexsort((hashes[asked], records[asked]))]
    owners, sorted_hashes = records[order], hashes[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (owners[1:] != owners[:-1]) | (sorted_hashes[1:] != sorted_hashes[:-1])
    order, owners = order[is_new], owners[is_new]
    kept = np.arange(len(owners)) - np.searchsorted(owners, owners, side="left") < limit
    is_kept = np.ones(len(records), dtype=bool)
    is_kept[asked] = False
    is_kept[order[kept]] = True
    return records[is_kept], hashes[is_kept]


def _context_hashes(forms: Forms) -> NDArray[np.uint64] | None:
    """Hash each record's context; 0 stands for the unknown one, which pairs with nobody."""
    if forms.contexts is None:
        return None
    return np.fromiter(
        (text_hash(text) | 1 if text else 0 for text in forms.contexts), dtype=np.uint64, count=len(forms.contexts)
    )
