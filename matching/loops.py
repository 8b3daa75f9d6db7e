"""Loops over pairs, compiled where numba (the extra `speed`) is installed; `matching.kernels` loads them.

Each function is plain Python that a compiler can take: arrays in, arrays out. Without numba it would be slow, so
`matching.tokens` and `matching.comparators` then do the same by columns. Compiled code is kept beside this file and
lets go of the interpreter's lock, so that threads run side by side.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from matching.kernels import ABBREVIATIONS, BLANK, FIRST, INITIALS, SECOND, THIRD, Scratch, Span, Words

njit: Any
try:
    from numba import njit
except ImportError:  # without the extra `speed`
    njit = None


def _without_ends(letters: Any, one: Span, other: Span) -> Any:
    """Leave out the letters that two texts begin and end with alike: no edit is needed there."""
    (start, end), (other_start, other_end) = one, other
    while start < end and other_start < other_end and letters[start] == letters[other_start]:
        start += 1
        other_start += 1
    while start < end and other_start < other_end and letters[end - 1] == letters[other_end - 1]:
        end -= 1
        other_end -= 1
    return (start, end), (other_start, other_end)


def _edits_within(letters: Any, one: Span, other: Span, limit: int, rows: Any) -> Any:
    """Count the edits between two texts (Levenshtein), more than a limit as limit + 1."""
    (start, end), (other_start, other_end) = without_ends(letters, one, other)
    height, width, large = end - start, other_end - other_start, limit + 1
    if abs(height - width) > limit:
        return large
    last, here = 0, 1
    for column in range(width + 1):
        rows[last, column] = min(column, large)
    for row in range(1, height + 1):
        low, high = max(1, row - limit), min(width, row + limit)
        rows[here, low - 1] = min(row, large) if low == 1 else large
        least = rows[here, low - 1]
        for column in range(low, high + 1):
            is_same = letters[start + row - 1] == letters[other_start + column - 1]
            found = min(rows[last, column - 1] + (0 if is_same else 1), rows[here, column - 1] + 1)
            if column < row + limit:
                found = min(found, rows[last, column] + 1)
            rows[here, column] = min(found, large)
            least = min(least, rows[here, column])
        if least > limit:
            return large
        last, here = here, last
    return rows[last, width]


def _changed_places(letters: Any, start: int, other_start: int) -> Any:
    """Tell whether two texts have the same two letters at a place, the other way round."""
    return letters[start] == letters[other_start + 1] and letters[start + 1] == letters[other_start]


def _one_edit(letters: Any, one: Span, other: Span) -> Any:
    """Count the edits between two texts, two letters that changed places as one: 0, 1, or 2 for more."""
    (start, end), (other_start, other_end) = without_ends(letters, one, other)
    height, width = end - start, other_end - other_start
    if height <= 1 and width <= 1:
        return max(height, width)
    is_swap = height == 2 and width == 2 and changed_places(letters, start, other_start)
    return 1 if is_swap else 2


def _two_edits(letters: Any, one: Span, other: Span) -> Any:
    """Count as `one_edit` does, up to 2, or 3 for more: the first unlike letter was edited in one of four ways."""
    (start, end), (other_start, other_end) = one, other
    while start < end and other_start < other_end and letters[start] == letters[other_start]:
        start += 1
        other_start += 1
    height, width = end - start, other_end - other_start
    if height == 0 or width == 0:
        return min(height + width, 3)
    rest = min(
        one_edit(letters, (start + 1, end), (other_start + 1, other_end)),
        one_edit(letters, (start + 1, end), (other_start, other_end)),
        one_edit(letters, (start, end), (other_start + 1, other_end)),
    )
    if height > 1 and width > 1 and changed_places(letters, start, other_start):
        rest = min(rest, one_edit(letters, (start + 2, end), (other_start + 2, other_end)))
    return 1 + rest


def _lacks(own: Any, other: Any, limit: int) -> Any:
    """Tell whether more than so many letters of one set are missing from another one: each takes an edit at least."""
    missing = own & ~other
    for _ in range(limit + 1):
        if missing == np.uint64(0):
            return False
        missing &= missing - np.uint64(1)
    return True


def _are_apart(one: Any, other: Any, limit: int) -> Any:
    """Tell from the sets of their letters alone that more than so many edits lie between two texts."""
    return lacks(one, other, limit) or lacks(other, one, limit)


def _token_likeness(mode: int, one: int, other: int, words: Words) -> Any:
    """Say how well two unlike tokens match, as `slips`, `abbreviations_or_slips` or `initials_or_slips` do."""
    letters, ours, theirs = words.letters, words.known[one], words.known[other]
    shorter, longer = min(ours.length, theirs.length), max(ours.length, theirs.length)
    start, other_start = np.int64(ours.start), np.int64(theirs.start)
    found = 0.0
    if not (ours.has_digit or theirs.has_digit):
        allowed = 2 if shorter >= 8 else (1 if shorter >= 4 else 0)
        if allowed > 0 and longer - shorter <= allowed and not are_apart(ours.letters, theirs.letters, allowed):
            spans = (start, start + ours.size), (other_start, other_start + theirs.size)
            edits = one_edit(letters, *spans) if allowed == 1 else two_edits(letters, *spans)
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
                alike = token_likeness(mode, one[place], other[other_place], words)
                found_left[place] = max(found_left[place], alike)
                found_right[other_place] = max(found_right[other_place], alike)
    return count, other_count


def _side(codes: Any, count: int, found: Any, words: Words) -> Any:
    """Sum up one text of an aligned pair, a `Side`."""
    shared, held, extra, heaviest = 0.0, 0.0, 0.0, 0.0
    found_count, own, telling, number = 0, 0, 0, 0
    for place in range(count):
        word = words.known[codes[place]]
        weight = word.weight
        held += weight
        shared += found[place] * weight
        if found[place] > 0.0:
            found_count += 1
            heaviest = max(heaviest, weight)
        else:
            extra = max(extra, weight)
            own += 1
            telling += 0 if word.is_generic else 1
            number |= 1 if word.has_digit else 0
    return shared, held, extra, heaviest, found_count, own, telling, number


def _overlaps(mode: int, left: Any, right: Any, words: Words, found: Any) -> None:
    """Align the tokens of pairs of texts and write one row of `found`, float64 [pairs, COLUMNS], for each."""
    width = words.codes.shape[1]
    scratch = Scratch(np.zeros(width), np.zeros(width))
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


def _near(left: Any, right: Any, texts: Any, share: float, found: Any) -> None:
    """Write whether at least a share of the letters of two texts needs no edit (Levenshtein): bool [pairs].

    texts  letters, offsets and sets of letters
    """
    letters, offsets, sets = texts
    longest = 0
    for text in range(len(offsets) - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    rows = np.zeros((2, longest + 2), dtype=np.int64)
    for pair in range(len(left)):
        one = offsets[left[pair]], offsets[left[pair] + 1]
        other = offsets[right[pair]], offsets[right[pair] + 1]
        longer = max(one[1] - one[0], other[1] - other[0])
        limit = int((1.0 - share) * longer) + 1
        if are_apart(sets[left[pair]], sets[right[pair]], limit):
            found[pair] = False
            continue
        edits = edits_within(letters, one, other, limit, rows)
        found[pair] = edits <= limit and 1.0 - edits / longer >= share


def _letter_sets(letters: Any, offsets: Any, found: Any) -> None:
    """Write the set of the letters of each text as bits, uint64 [texts]; some letters share a bit."""
    for text in range(len(found)):
        held = np.uint64(0)
        for place in range(offsets[text], offsets[text + 1]):
            held |= np.uint64(1) << np.uint64(letters[place] & 63)
        found[text] = held


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
    compiled: Callable[..., Any] = njit(cache=True, nogil=True)(function) if njit else function
    return compiled


without_ends: Final = _compiled(_without_ends)
edits_within: Final = _compiled(_edits_within)
changed_places: Final = _compiled(_changed_places)
one_edit: Final = _compiled(_one_edit)
two_edits: Final = _compiled(_two_edits)
lacks: Final = _compiled(_lacks)
are_apart: Final = _compiled(_are_apart)
letter_sets: Final = _compiled(_letter_sets)
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
