"""Lines up two rows of words or letters: what is equal in order, and which of the rest are alike enough to be compared.

Everything is bounded; beyond a bound, only what is equal from both ends is lined up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Indel, LCSseq

WORDS_MAX: Final = 4_000  # chosen: a text of 20 kB; lining up two of them takes 3 MB and some milliseconds
PAIRS_MAX: Final = 400  # chosen: words of a gap times words of the other, each pair looked at once
LIKENESS_MIN: Final = 0.6  # chosen: "4" and "4rd" are not one word, "Sara" and "Sarah" are
PART_LENGTH_MIN: Final = 4  # chosen: "Hoch" in "Hochbau", not "co" in "cousins"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Hold the places that are equal, in order, and the gaps between them as spans of both sides."""

    equal: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[Span, Span], ...]


def aligned(left: Sequence[str], right: Sequence[str]) -> Alignment:
    """Line up two rows by what is equal in both, as much of it as can be kept in order."""
    if max(len(left), len(right)) > WORDS_MAX:
        return _from_both_ends(left, right)
    equal: list[tuple[int, int]] = []
    gaps: list[tuple[Span, Span]] = []
    here = there = 0
    for step in LCSseq.opcodes(left, right):
        if step.tag != "equal":
            continue
        if step.src_start > here or step.dest_start > there:
            gaps.append(((here, step.src_start), (there, step.dest_start)))
        equal += zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
        here, there = step.src_end, step.dest_end
    if here < len(left) or there < len(right):
        gaps.append(((here, len(left)), (there, len(right))))
    return Alignment(tuple(equal), tuple(gaps))


def alike(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Pair words that are alike, in order, so that likeness adds up to the most; nothing beyond the bound."""
    if not left or not right or len(left) * len(right) > PAIRS_MAX:
        return []
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    likeness = [[_likeness(ours, theirs) for theirs in right] for ours in left]
    for here in range(len(left) - 1, -1, -1):
        for there in range(len(right) - 1, -1, -1):
            together = likeness[here][there] and likeness[here][there] + best[here + 1][there + 1]
            best[here][there] = max(together, best[here + 1][there], best[here][there + 1])
    found = []
    here = there = 0
    while here < len(left) and there < len(right):
        if likeness[here][there] and best[here][there] == likeness[here][there] + best[here + 1][there + 1]:
            found.append((here, there))
            here, there = here + 1, there + 1
        elif best[here][there] == best[here + 1][there]:
            here += 1
        else:
            there += 1
    return found


def moved(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Pair words that are alike wherever they stand, the most alike first; nothing beyond the bound."""
    if len(left) * len(right) > PAIRS_MAX:
        return []
    pairs = [
        (likeness, here, there)
        for here, ours in enumerate(left)
        for there, theirs in enumerate(right)
        if (likeness := _likeness(ours, theirs))
    ]
    found: dict[int, int] = {}
    for _, here, there in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if here not in found and there not in found.values():
            found[here] = there
    return sorted(found.items())


def _likeness(left: str, right: str) -> float:
    """Say how alike two words are, 0 for words that are not; one that begins or ends with the other just is."""
    likeness = Indel.normalized_similarity(left, right, score_cutoff=LIKENESS_MIN)
    shorter, longer = sorted((left, right), key=len)
    if likeness or len(shorter) < PART_LENGTH_MIN:
        return likeness
    return LIKENESS_MIN if longer.startswith(shorter) or longer.endswith(shorter) else 0.0


def _from_both_ends(left: Sequence[str], right: Sequence[str]) -> Alignment:
    shorter = min(len(left), len(right))
    start = next((place for place in range(shorter) if left[place] != right[place]), shorter)
    end = 0
    while end < shorter - start and left[len(left) - 1 - end] == right[len(right) - 1 - end]:
        end += 1
    here, there = len(left) - end, len(right) - end
    equal = [(place, place) for place in range(start)]
    equal += zip(range(here, len(left)), range(there, len(right)), strict=True)
    gap = ((start, here), (start, there))
    return Alignment(tuple(equal), (gap,) if here > start or there > start else ())
