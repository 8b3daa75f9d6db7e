"""Loops over pairs, compiled where numba (the extra `speed`) is installed; the answers are the same without it.

Each function is plain Python that a compiler can take: arrays in, arrays out. Without numba it would be slow, so
`matching.tokens` and `matching.comparators` then do the same by columns. Compiled code is kept beside this file and
lets go of the interpreter's lock, so that threads run side by side.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

njit: Any
try:
    from numba import njit
except ImportError:  # without the extra `speed`
    njit = None

IS_COMPILED: Final = bool(njit)

SLIPS, ABBREVIATIONS, INITIALS = 0, 1, 2
"""How unlike tokens may match: see the functions of the same names in `matching.tokens`."""

LEVENSHTEIN, ALIGNMENT = 0, 1
"""Whether two letters that changed places are two edits, or one (optimal string alignment)."""

COLUMNS: Final = 11
"""Columns of `overlaps`, in the order of the fields of `matching.tokens.Overlap`."""

BLANK: Final = 32
FIRST, SECOND, THIRD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""The factors of `matching.texts.mix`."""

Span: TypeAlias = tuple[int, int]
"""Where a text begins and ends among letters."""

Side: TypeAlias = tuple[float, float, float, float, int, int, int, int]
"""What one text of a pair gives to `overlaps`: shared, held, extra, heaviest, found, own, own telling, own number."""


class Words(NamedTuple):
    """Hold tokenised texts as `matching.tokens.Tokens` does; token i is letters[offsets[i] : offsets[i + 1]]."""

    codes: Any
    weights: Any
    is_generic: Any
    lengths: Any
    has_digit: Any
    letters: Any
    offsets: Any


class Scratch(NamedTuple):
    """Hold what is written over for every pair: rows int64 [3, longest text + 3], how well tokens are found [width]."""

    rows: Any
    found_left: Any
    found_right: Any


def _edits_within(letters: Any, one: Span, other: Span, limit: int, kind: int, rows: Any) -> Any:
    """Count the edits between two texts, more than a limit as limit + 1."""
    start, end = one
    other_start, other_end = other
    while start < end and other_start < other_end and letters[start] == letters[other_start]:
        start += 1
        other_start += 1
    while start < end and other_start < other_end and letters[end - 1] == letters[other_end - 1]:
        end -= 1
        other_end -= 1
    height, width, large = end - start, other_end - other_start, limit + 1
    if abs(height - width) > limit:
        return large
    before, last, here = 0, 1, 2
    for column in range(width + 1):
        rows[last, column] = min(column, large)
    least_last = 0
    for row in range(1, height + 1):
        low, high = max(1, row - limit), min(width, row + limit)
        rows[here, low - 1] = min(row, large) if low == 1 else large
        least = rows[here, low - 1]
        for column in range(low, high + 1):
            is_same = letters[start + row - 1] == letters[other_start + column - 1]
            found = min(rows[last, column - 1] + (0 if is_same else 1), rows[here, column - 1] + 1)
            if column < row + limit:
                found = min(found, rows[last, column] + 1)
            if kind == ALIGNMENT and min(row, column) > 1 and not is_same:
                is_swap = letters[start + row - 1] == letters[other_start + column - 2]
                if is_swap and letters[start + row - 2] == letters[other_start + column - 1]:
                    found = min(found, rows[before, column - 2] + 1)
            rows[here, column] = min(found, large)
            least = min(least, rows[here, column])
        if least > limit and least_last > limit:
            return large
        least_last = least
        before, last, here = last, here, before
    return rows[last, width]


def _token_likeness(mode: int, one: int, other: int, words: Words, rows: Any) -> Any:
    """Say how well two unlike tokens match, as `slips`, `abbreviations_or_slips` or `initials_or_slips` do."""
    letters, offsets = words.letters, words.offsets
    shorter, longer = min(words.lengths[one], words.lengths[other]), max(words.lengths[one], words.lengths[other])
    start, other_start = offsets[one], offsets[other]
    found = 0.0
    if not (words.has_digit[one] or words.has_digit[other]):
        allowed = 2 if shorter >= 8 else (1 if shorter >= 4 else 0)
        if allowed > 0 and longer - shorter <= allowed:
            spans = (start, offsets[one + 1]), (other_start, offsets[other + 1])
            edits = edits_within(letters, spans[0], spans[1], allowed, ALIGNMENT, rows)
            if edits <= allowed:
                found = 1.0 - edits / shorter
        if mode == ABBREVIATIONS and shorter > 2 and longer > 5:
            same = 0
            while same < shorter and letters[start + same] == letters[other_start + same]:
                same += 1
            if same == shorter:
                found = max(found, 0.85)
    if mode == INITIALS and shorter == 1 and letters[start] == letters[other_start]:
        found = max(found, 0.7)
    return found


def _align(mode: int, one: Any, other: Any, words: Words, scratch: Scratch) -> Any:
    """Write how well each token of both texts is found on the other side, and return how many each has."""
    found_left, found_right = scratch.found_left, scratch.found_right
    count, other_count = 0, 0
    while count < len(one) and one[count] >= 0:
        found_left[count] = 0.0
        count += 1
    while other_count < len(other) and other[other_count] >= 0:
        found_right[other_count] = 0.0
        other_count += 1
    for place in range(count):
        for other_place in range(other_count):
            if one[place] == other[other_place]:
                found_left[place], found_right[other_place] = 1.0, 1.0
    for place in range(count):
        for other_place in range(other_count):
            if found_left[place] < 1.0 and found_right[other_place] < 1.0:  # a slip is less, and may serve twice
                alike = token_likeness(mode, one[place], other[other_place], words, scratch.rows)
                found_left[place] = max(found_left[place], alike)
                found_right[other_place] = max(found_right[other_place], alike)
    return count, other_count


def _side(codes: Any, count: int, found: Any, words: Words) -> Any:
    """Sum up one text of an aligned pair, a `Side`."""
    shared, held, extra, heaviest = 0.0, 0.0, 0.0, 0.0
    found_count, own, telling, number = 0, 0, 0, 0
    for place in range(count):
        code = codes[place]
        weight = words.weights[code]
        held += weight
        shared += found[place] * weight
        if found[place] > 0.0:
            found_count += 1
            heaviest = max(heaviest, weight)
        else:
            extra = max(extra, weight)
            own += 1
            telling += 0 if words.is_generic[code] else 1
            number |= 1 if words.has_digit[code] else 0
    return shared, held, extra, heaviest, found_count, own, telling, number


def _overlaps(mode: int, left: Any, right: Any, words: Words, found: Any) -> None:
    """Align the tokens of pairs of texts and write one row of `found`, float64 [pairs, COLUMNS], for each."""
    width = words.codes.shape[1]
    rows = np.zeros((3, words.lengths.max() + 3), dtype=np.int64)
    scratch = Scratch(rows, np.zeros(width), np.zeros(width))
    for pair in range(len(left)):
        one, other = words.codes[left[pair]], words.codes[right[pair]]
        count, other_count = align(mode, one, other, words, scratch)
        ours = side(one, count, scratch.found_left, words)
        theirs = side(other, other_count, scratch.found_right, words)
        row = found[pair]
        row[0], row[1] = ours[0] + theirs[0], ours[1] + theirs[1]
        row[2], row[3], row[4] = ours[2], theirs[2], max(ours[3], theirs[3])
        row[5], row[6], row[7] = min(ours[4], theirs[4]), ours[5], theirs[5]
        row[8], row[9], row[10] = ours[6] + theirs[6], ours[7] | theirs[7], count + other_count


def _near(left: Any, right: Any, letters: Any, offsets: Any, share: float, found: Any) -> None:
    """Write whether at least a share of the letters of two texts needs no edit (Levenshtein): bool [pairs]."""
    longest = 0
    for text in range(len(offsets) - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    rows = np.zeros((3, longest + 3), dtype=np.int64)
    for pair in range(len(left)):
        one = offsets[left[pair]], offsets[left[pair] + 1]
        other = offsets[right[pair]], offsets[right[pair] + 1]
        longer = max(one[1] - one[0], other[1] - other[0])
        limit = int((1.0 - share) * longer) + 1
        edits = edits_within(letters, one, other, limit, LEVENSHTEIN, rows)
        found[pair] = edits <= limit and 1.0 - edits / longer >= share


def _hashes(letters: Any, offsets: Any, worth: Any, powers: Any, found: Any) -> None:
    """Write the hash of each text, uint64 [texts], as `matching.texts.hashes_of` says: words hashed and added up."""
    for text in range(len(found)):
        whole, word, length = np.uint64(0), np.uint64(0), 0
        for place in range(offsets[text], offsets[text + 1] + 1):
            if place < offsets[text + 1] and letters[place] != BLANK:
                word += worth[letters[place]] * powers[length & (len(powers) - 1)]
                length += 1
            elif length > 0:
                mixed = word * FIRST + np.uint64(length)
                mixed ^= mixed >> np.uint64(30)
                mixed *= SECOND
                mixed ^= mixed >> np.uint64(27)
                mixed *= THIRD
                mixed ^= mixed >> np.uint64(31)
                whole += mixed
                word, length = np.uint64(0), 0
        found[text] = whole


def _settled(left: Any, right: Any, offsets: Any, codes: Any, alike: Any) -> int:
    """Write 1 where two records share a value, 0 where not, -1 where one has none; count the values that 0 leaves."""
    open_count = 0
    for pair in range(len(left)):
        start, end = offsets[left[pair]], offsets[left[pair] + 1]
        other_start, other_end = offsets[right[pair]], offsets[right[pair] + 1]
        if start == end or other_start == other_end:
            alike[pair] = -1.0
            continue
        alike[pair] = 0.0
        for place in range(start, end):
            for other in range(other_start, other_end):
                if codes[place] == codes[other]:
                    alike[pair] = 1.0
        if alike[pair] == 0.0:
            open_count += (end - start) * (other_end - other_start)
    return open_count


def _crossed(left: Any, right: Any, held: Any, alike: Any, owners: Any, crossed: Any) -> None:
    """Write each two values of the pairs that `settled` left at 0: the pair, and both codes as one, smaller first.

    held  offsets and codes of a column
    """
    offsets, codes = held
    count = 0
    for pair in range(len(left)):
        if alike[pair] != 0.0:
            continue
        for place in range(offsets[left[pair]], offsets[left[pair] + 1]):
            for other in range(offsets[right[pair]], offsets[right[pair] + 1]):
                low, high = min(codes[place], codes[other]), max(codes[place], codes[other])
                owners[count] = pair
                crossed[count] = (np.int64(low) << 32) | np.int64(high)
                count += 1


def _raised(owners: Any, positions: Any, found: Any, alike: Any) -> None:
    """Raise the likeness of each pair to that of its likest two values."""
    for place in range(len(owners)):
        alike[owners[place]] = max(alike[owners[place]], found[positions[place]])


def _distinct(codes: Any, slots: Any, places: Any, found: Any, positions: Any) -> int:
    """Write the distinct codes by first appearance, and the position of each code in them; return how many they are.

    slots, places  int64, int32 [a power of two above the codes], the table: a code, and its position or -1
    """
    count, last = 0, len(slots) - 1
    for place in range(len(codes)):
        mixed = np.uint64(codes[place]) * FIRST
        mixed ^= mixed >> np.uint64(29)
        slot = np.int64(mixed >> np.uint64(20)) & last
        while places[slot] >= 0 and slots[slot] != codes[place]:
            slot = (slot + 1) & last
        if places[slot] < 0:
            slots[slot], places[slot], found[count] = codes[place], count, codes[place]
            count += 1
        positions[place] = places[slot]
    return count


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = njit(cache=True, nogil=True)(function) if IS_COMPILED else function
    return compiled


edits_within: Final = _compiled(_edits_within)
token_likeness: Final = _compiled(_token_likeness)
align: Final = _compiled(_align)
side: Final = _compiled(_side)
overlaps: Final = _compiled(_overlaps)
near: Final = _compiled(_near)
hashes: Final = _compiled(_hashes)
settled: Final = _compiled(_settled)
crossed: Final = _compiled(_crossed)
raised: Final = _compiled(_raised)
distinct: Final = _compiled(_distinct)
