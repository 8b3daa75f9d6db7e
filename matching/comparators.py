"""Comparators: how like two compare forms are, from 0 to 1.

Each takes distinct values, pairs of positions in them and the rarity of their tokens, and returns float64 [pairs]; a
value is 1.0 like itself. What a similarity is worth is not said here but in the levels of the model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein, Prefix
from rapidfuzz.process import cpdist

from matching.term_frequency import GENERIC_TOKENS, Rarity
from matching.tokens import (
    PAIRS_AT_ONCE,
    Alignment,
    TokenMatch,
    abbreviations_or_slips,
    align,
    initials_or_slips,
    slips,
    tokenise,
)

Positions: TypeAlias = NDArray[np.integer]
Comparator: TypeAlias = Callable[[Sequence[str], Positions, Positions, Rarity], NDArray[np.float64]]

ALIKE_NAMES: Final = 0.9
"""Likeness from which company names are taken for one name with slips (the bands of `company_name`)."""

COMMON_WEIGHT: Final = 0.35
"""Words that weigh no more than this are no evidence if they are all that names share (chosen)."""


def exact(_values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return 1 for equal values and 0 for all others."""
    return np.asarray(left == right, dtype=np.float64)


def string(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return the Jaro-Winkler similarity (Winkler 1990): for short words, where beginnings count."""
    return _scored(values, left, right, JaroWinkler.normalized_similarity)


def edits(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return the share of letters that need no edit (optimal string alignment): for longer texts in fixed order."""
    return _scored(values, left, right, OSA.normalized_similarity)


def identifier(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return 0.9 for identifiers of 6 characters and more that are one slip apart, else 0."""
    texts = np.array(values, dtype=object)
    apart = cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    is_slip = (apart == 1) & (np.minimum(lengths[left], lengths[right]) >= 6)
    return np.where(left == right, 1.0, np.where(is_slip, 0.9, 0.0))


def phone(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Return 0.95 for the same last seven digits, 0.8 for one slip, 0.6 for the same number but its last two digits."""
    digits = ["".join(filter(str.isdigit, value)) for value in values]
    tails = np.array(
        [text[-7:] if len(text) >= 7 else f"#{position}" for position, text in enumerate(digits)], dtype=object
    )
    stems = np.array(
        [text[:-2] if len(text) >= 9 else f"#{position}" for position, text in enumerate(digits)], dtype=object
    )
    found = np.where(identifier(digits, left, right, rarity) >= 0.9, 0.8, 0.0)
    found[(found == 0) & (stems[left] == stems[right])] = 0.6
    found[tails[left] == tails[right]] = 0.95
    found[left == right] = 1.0
    return found


def number(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return 1 less the difference as a share of the larger amount."""
    amounts = np.array([float(value) for value in values])
    larger = np.maximum(np.abs(amounts[left]), np.abs(amounts[right]))
    return np.asarray(1.0 - np.abs(amounts[left] - amounts[right]) / np.where(larger > 0, larger, 1.0)).clip(0.0, 1.0)


def date(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Compare ISO dates: 0.9 one slip or day and month swapped, 0.8 same month, 0.7 same year, 0.5 years one apart."""
    texts = np.array(values, dtype=object)
    swapped = np.array(
        [value[:5] + value[8:10] + value[4:5] + value[5:7] if len(value) >= 10 else "" for value in values],
        dtype=object,
    )
    years = np.array(
        [int(value[:4]) if value[:4].isdigit() else -10 * position for position, value in enumerate(values)]
    )
    months = np.array(
        [value[:7] if len(value) >= 7 else f"#{position}" for position, value in enumerate(values)], dtype=object
    )
    found = np.where(np.abs(years[left] - years[right]) == 1, 0.5, 0.0)
    found[years[left] == years[right]] = 0.7
    found[months[left] == months[right]] = 0.8
    apart = cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
    found[(apart <= 1) | (texts[left] == swapped[right])] = 0.9
    found[left == right] = 1.0
    return found


def postal_code(values: Sequence[str], left: Positions, right: Positions, _rarity: Rarity) -> NDArray[np.float64]:
    """Return 0.85 for one slip, else 0.8 times the share of the shorter code that both begin with (districts nest)."""
    squashed = [value.replace(" ", "") for value in values]
    texts = np.array(squashed, dtype=object)
    lengths = np.fromiter(map(len, squashed), dtype=np.int64, count=len(squashed))
    shared = cpdist(texts[left], texts[right], scorer=Prefix.similarity, dtype=np.int32)
    found = 0.8 * shared / np.maximum(1, np.minimum(lengths[left], lengths[right]))
    found[cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32) <= 1] = 0.85
    found[texts[left] == texts[right]] = 1.0
    return found


def tokens(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Return the share of weighted words found on the other side, slips of the pen included, whatever their order."""
    return _aligned(values, left, right, rarity, slips, _dice)


def street(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Compare streets by words; 0.9 when the longer one has all words of the shorter, a telling one among them."""
    return _aligned(values, left, right, rarity, slips, _contained)


def person_name(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Compare names of people by words in any order, a single letter standing for a name.

    0.9 when one side has names more and they share two, 0.75 when all that one side has is one name of the other
    """
    return _aligned(values, left, right, rarity, initials_or_slips, _person_bands)


def company_name(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Compare names of companies without their legal forms.

    1.00 equal · 0.95 the same words in another order or written together · 0.90 to 0.94 with slips of the pen · 0.85
    one side has generic words more ("group") · 0.80 one is the acronym of the other · 0.70 one side has a telling word
    more · up to 0.60 both sides have words of their own, as sister companies do: the share of words in common
    """
    used, inverse = np.unique(np.concatenate((left, right)), return_inverse=True)
    names = [values[position] for position in used.tolist()]
    first, second = np.split(inverse, 2)
    found = _aligned(names, first, second, rarity, abbreviations_or_slips, _company_bands)
    squashed = np.array([name.replace(" ", "") for name in names], dtype=object)
    acronyms = np.array([_acronym(name) or f"#{position}" for position, name in enumerate(names)], dtype=object)
    is_acronym = (acronyms[first] == squashed[second]) | (squashed[first] == acronyms[second])
    found = np.where(is_acronym, np.maximum(found, 0.8), found)
    found = np.where(squashed[first] == squashed[second], np.maximum(found, 0.95), found)
    near = _near(squashed, first, second, found < 0.9)
    return np.where(first == second, 1.0, np.maximum(found, near))


def telling_name(values: Sequence[str], left: Positions, right: Positions, rarity: Rarity) -> NDArray[np.float64]:
    """Return how much nearly equal names tell by themselves: 1 for three or more rare words, 0 for unlike names.

    This one does not take equal for 1: "smith" is less telling than "quarrenden precision castings".
    """
    alike = company_name(values, left, right, rarity) >= ALIKE_NAMES
    weights = np.array([sum(rarity(word) for word in set(value.split()) if len(word) > 2) for value in values])
    return np.where(alike, np.minimum(1.0, np.minimum(weights[left], weights[right]) / 3.0), 0.0)


def _scored(
    values: Sequence[str], left: Positions, right: Positions, scorer: Callable[..., float]
) -> NDArray[np.float64]:
    texts = np.array(values, dtype=object)
    scores: NDArray[np.float64] = cpdist(texts[left], texts[right], scorer=scorer, dtype=np.float64)
    return scores


def _aligned(
    values: Sequence[str],
    left: Positions,
    right: Positions,
    rarity: Rarity,
    match: TokenMatch,
    judge: Callable[[Alignment], NDArray[np.float64]],
) -> NDArray[np.float64]:
    used, inverse = np.unique(np.concatenate((left, right)), return_inverse=True)
    words = tokenise([values[position] for position in used.tolist()], rarity)
    first, second = np.split(inverse, 2)
    found = np.empty(len(left), dtype=np.float64)
    for start in range(0, len(left), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        found[part] = judge(align(words, first[part], second[part], match))
    return np.where(left == right, 1.0, found)


def _dice(alignment: Alignment) -> NDArray[np.float64]:
    shared = (alignment.found_left * alignment.weight_left).sum(axis=1) + (
        alignment.found_right * alignment.weight_right
    ).sum(axis=1)
    held = alignment.weight_left.sum(axis=1) + alignment.weight_right.sum(axis=1)
    return np.asarray(shared / np.where(held > 0, held, 1.0))


def _extra(found: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of the most telling word that is not found on the other side; 0 when all are found."""
    return np.asarray(np.where(found == 0, weight, 0.0).max(axis=1))


def _heaviest_shared(alignment: Alignment) -> NDArray[np.float64]:
    return np.asarray(np.where(alignment.found_left > 0, alignment.weight_left, 0.0).max(axis=1))


def _contained(alignment: Alignment) -> NDArray[np.float64]:
    fewer = np.minimum(
        _extra(alignment.found_left, alignment.weight_left), _extra(alignment.found_right, alignment.weight_right)
    )
    is_contained = (fewer == 0) & (_heaviest_shared(alignment) > COMMON_WEIGHT)
    return np.where(is_contained, np.maximum(_dice(alignment), 0.9), _dice(alignment) * 0.95)


def _person_bands(alignment: Alignment) -> NDArray[np.float64]:
    is_one_name = (alignment.found_left > 0).sum(axis=1) < 2
    found = _contained(alignment)
    return np.where(is_one_name & (found >= 0.75) & (_dice(alignment) < 0.999), 0.75, found)


def _company_bands(alignment: Alignment) -> NDArray[np.float64]:
    """Sort pairs into the bands of `company_name`.

    Which words a side has for itself is counted, not weighed: "plastics" and "solutions" are common words, and yet they
    are what tells sister companies apart.
    """
    own_left = (alignment.found_left == 0) & (alignment.weight_left > 0)
    own_right = (alignment.found_right == 0) & (alignment.weight_right > 0)
    own_fewer = np.minimum(own_left.sum(axis=1), own_right.sum(axis=1))
    own_both = own_left.sum(axis=1) + own_right.sum(axis=1)
    own_telling = (own_left & ~alignment.is_generic_left).sum(axis=1) + (own_right & ~alignment.is_generic_right).sum(
        axis=1
    )
    has_own_number = (own_left & alignment.has_digit_left).any(axis=1) | (own_right & alignment.has_digit_right).any(
        axis=1
    )
    words = (alignment.weight_left > 0).sum(axis=1) + (alignment.weight_right > 0).sum(axis=1)
    shared = 1.0 - own_both / np.maximum(words, 1)
    dice = _dice(alignment)
    by_case = np.select(
        [own_both == 0, has_own_number & (own_both == 1), (own_fewer == 0) & (own_telling == 0), own_fewer == 0],
        [np.where(dice > 0.999, 0.95, 0.9 + 0.04 * dice), np.minimum(0.6 * shared, 0.4), 0.85, 0.7],
        default=0.6 * shared,
    )
    is_told = (own_both == 0) | (_heaviest_shared(alignment) > COMMON_WEIGHT)
    return np.asarray(np.where(is_told, by_case, np.minimum(by_case, 0.2)))


def _acronym(name: str) -> str:
    """Return the initials of two to five telling words, "" for others."""
    words = [word for word in name.split() if word not in GENERIC_TOKENS] if name.count(" ") > 1 else name.split()
    return "".join(word[0] for word in words) if 2 <= len(words) <= 5 else ""


def _near(
    squashed: NDArray[np.object_], left: Positions, right: Positions, asked: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return 0.9 for names whose letters, spaces aside, are nearly the same and hold no digit: slips across words."""
    found = np.zeros(len(left), dtype=np.float64)
    texts_left, texts_right = squashed[left[asked]], squashed[right[asked]]
    likeness = cpdist(
        texts_left, texts_right, scorer=Levenshtein.normalized_similarity, score_cutoff=0.92, dtype=np.float64
    )
    digits = np.array([any(map(str.isdigit, text)) for text in squashed], dtype=bool)
    found[asked] = np.where((likeness >= 0.92) & ~digits[left[asked]], 0.9, 0.0)
    return found


COMPARATORS: Final[Mapping[str, Comparator]] = {
    "exact": exact,
    "string": string,
    "edits": edits,
    "identifier": identifier,
    "phone": phone,
    "number": number,
    "date": date,
    "postal_code": postal_code,
    "tokens": tokens,
    "street": street,
    "person_name": person_name,
    "company_name": company_name,
    "telling_name": telling_name,
}
EQUAL_IS_ONE: Final = frozenset(COMPARATORS) - {"telling_name"}
"""Comparators that find equal values 1.0 alike, so that equal codes need no call."""
