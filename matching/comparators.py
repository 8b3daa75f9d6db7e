"""Comparators: how like two compare forms are, from 0 to 1.

Each takes a feature's vocabulary and pairs of positions in it, and returns float64 [pairs]; a value is 1.0 like itself.
What a similarity is worth is not said here but in the levels of the model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein, Prefix
from rapidfuzz.process import cpdist

from matching import kernels
from matching.engagement_comparators import days, document_number
from matching.tokens import Overlap, TokenMatch, abbreviations_or_slips, initials_or_slips, overlap, slips
from matching.vocabulary import Vocabulary

Positions: TypeAlias = NDArray[np.integer]
Comparator: TypeAlias = Callable[[Vocabulary, Positions, Positions], NDArray[np.float64]]

ALIKE_NAMES: Final = 0.9
"""Likeness from which company names are taken for one name with slips (the bands of `company_name`)."""

NEAR_SHARE: Final = 0.92
"""Share of letters that need no edit in names taken for one, whatever their words (chosen)."""

COMMON_WEIGHT: Final = 0.35
"""Words that weigh no more than this are no evidence if they are all that names share (chosen)."""


def exact(_values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return 1 for equal values and 0 for all others."""
    return np.asarray(left == right, dtype=np.float64)


def string(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return the Jaro-Winkler similarity (Winkler 1990): for short words, where beginnings count."""
    return _scored(values, left, right, JaroWinkler.normalized_similarity)


def edits(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return the share of letters that need no edit (optimal string alignment): for longer texts in fixed order."""
    return _scored(values, left, right, OSA.normalized_similarity)


def identifier(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return 0.9 for identifiers of 6 characters and more that are one slip apart, else 0."""
    return _identifier(values.array, values.derived(_lengths), left, right)


def _identifier(
    texts: NDArray[np.object_], lengths: NDArray[np.int64], left: Positions, right: Positions
) -> NDArray[np.float64]:
    apart = cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
    is_slip = (apart == 1) & (np.minimum(lengths[left], lengths[right]) >= 6)
    return np.where(left == right, 1.0, np.where(is_slip, 0.9, 0.0))


def phone(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return 0.95 for the same last seven digits, 0.8 for one slip, 0.6 for the same number but its last two digits."""
    digits, lengths, tails, stems = values.derived(_phone_parts)
    found = np.where(_identifier(digits, lengths, left, right) >= 0.9, 0.8, 0.0)
    found[(found == 0) & (stems[left] == stems[right])] = 0.6
    found[tails[left] == tails[right]] = 0.95
    found[left == right] = 1.0
    return found


def _phone_parts(
    values: Sequence[str],
) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the digits of numbers, how many they are, and codes of the last seven and of all but the last two."""
    digits = ["".join(filter(str.isdigit, value)) for value in values]
    tails = _coded([text[-7:] if len(text) >= 7 else "" for text in digits])
    stems = _coded([text[:-2] if len(text) >= 9 else "" for text in digits])
    return np.array(digits, dtype=object), _lengths(digits), tails, stems


def number(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return 1 less the difference as a share of the larger amount."""
    amounts = values.derived(_amounts)
    larger = np.maximum(np.abs(amounts[left]), np.abs(amounts[right]))
    return np.asarray(1.0 - np.abs(amounts[left] - amounts[right]) / np.where(larger > 0, larger, 1.0)).clip(0.0, 1.0)


def _amounts(values: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values])


def date(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Compare ISO dates: 0.9 one slip or day and month swapped, 0.8 same month, 0.7 same year, 0.5 years one apart."""
    years, months, swapped = values.derived(_date_parts)
    texts = values.array
    found = np.where(np.abs(years[left] - years[right]) == 1, 0.5, 0.0)
    found[years[left] == years[right]] = 0.7
    found[months[left] == months[right]] = 0.8
    apart = cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
    found[(apart <= 1) | (texts[left] == swapped[right])] = 0.9
    found[left == right] = 1.0
    return found


def _date_parts(values: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_]]:
    """Return the year of dates, a code of their month, and the dates with day and month swapped."""
    swapped = [value[:5] + value[8:10] + value[4:5] + value[5:7] if len(value) >= 10 else "" for value in values]
    years = [int(value[:4]) if value[:4].isdigit() else -10 * position for position, value in enumerate(values)]
    months = _coded([value[:7] if len(value) >= 7 else "" for value in values])
    return np.array(years, dtype=np.int64), months, np.array(swapped, dtype=object)


def postal_code(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return 0.85 for one slip, else 0.8 times the share of the shorter code that both begin with (districts nest)."""
    texts, lengths = values.squashed_array, values.squashed.lengths
    shared = cpdist(texts[left], texts[right], scorer=Prefix.similarity, dtype=np.int32)
    found = 0.8 * shared / np.maximum(1, np.minimum(lengths[left], lengths[right]))
    found[cpdist(texts[left], texts[right], scorer=OSA.distance, score_cutoff=1, dtype=np.int32) <= 1] = 0.85
    found[texts[left] == texts[right]] = 1.0
    return found


def _lengths(values: Sequence[str]) -> NDArray[np.int64]:
    return np.fromiter(map(len, values), dtype=np.int64, count=len(values))


def _coded(texts: Sequence[str]) -> NDArray[np.int64]:
    """Code equal texts alike; "" is like nothing."""
    code_by_text: dict[str, int] = {}
    return np.array(
        [code_by_text.setdefault(text, len(code_by_text)) if text else -1 - place for place, text in enumerate(texts)],
        dtype=np.int64,
    )


def tokens(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return the share of weighted words found on the other side, slips of the pen included, whatever their order."""
    return _aligned(values, left, right, slips, _dice)


def street(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Compare streets by words; 0.9 when the longer one has all words of the shorter, a telling one among them."""
    return _aligned(values, left, right, slips, _contained)


def person_name(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Compare names of people by words in any order, a single letter standing for a name.

    0.9 when one side has names more and they share two, 0.75 when all that one side has is one name of the other
    """
    return _aligned(values, left, right, initials_or_slips, _person_bands)


def company_name(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Compare names of companies without their legal forms.

    1.00 equal · 0.95 the same words in another order or written together · 0.90 to 0.94 with slips of the pen · 0.85
    one side has generic words more ("group") · 0.80 one is the acronym of the other · 0.70 one side has a telling word
    more · up to 0.60 both sides have words of their own, as sister companies do: the share of words in common
    """
    return values.once(_company_name, left, right)


def _company_name(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    found = _aligned(values, left, right, abbreviations_or_slips, _company_bands)
    whole, short = values.shorthand
    found = np.where((short[left] == whole[right]) | (whole[left] == short[right]), np.maximum(found, 0.8), found)
    found = np.where(whole[left] == whole[right], np.maximum(found, 0.95), found)
    near = _near(values, left, right, found < ALIKE_NAMES)
    return np.where(left == right, 1.0, np.maximum(found, near))


def telling_name(values: Vocabulary, left: Positions, right: Positions) -> NDArray[np.float64]:
    """Return how much nearly equal names tell by themselves: 1 for three or more rare words, 0 for unlike names.

    This one does not take equal for 1: "smith" is less telling than "quarrenden precision castings".
    """
    alike = left == right
    apart = np.flatnonzero(~alike)
    if len(apart):
        alike[apart] = company_name(values, left[apart], right[apart]) >= ALIKE_NAMES
    words = values.tokens
    told = np.where(words.lengths > 2, words.weights, 0.0)
    weights = told[words.codes].sum(axis=1)
    return np.where(alike, np.minimum(1.0, np.minimum(weights[left], weights[right]) / 3.0), 0.0)


def _scored(values: Vocabulary, left: Positions, right: Positions, scorer: Callable[..., float]) -> NDArray[np.float64]:
    texts = values.array
    scores: NDArray[np.float64] = cpdist(texts[left], texts[right], scorer=scorer, dtype=np.float64)
    return scores


def _aligned(
    values: Vocabulary,
    left: Positions,
    right: Positions,
    match: TokenMatch,
    judge: Callable[[Overlap], NDArray[np.float64]],
) -> NDArray[np.float64]:
    return np.where(left == right, 1.0, judge(overlap(values.tokens, left, right, match)))


def _dice(pairs: Overlap) -> NDArray[np.float64]:
    return np.asarray(pairs.shared / np.where(pairs.held > 0, pairs.held, 1.0))


def _contained(pairs: Overlap) -> NDArray[np.float64]:
    is_contained = (np.minimum(pairs.extra_left, pairs.extra_right) == 0) & (pairs.heaviest > COMMON_WEIGHT)
    return np.where(is_contained, np.maximum(_dice(pairs), 0.9), _dice(pairs) * 0.95)


def _person_bands(pairs: Overlap) -> NDArray[np.float64]:
    found = _contained(pairs)
    return np.where((pairs.found < 2) & (found >= 0.75) & (_dice(pairs) < 0.999), 0.75, found)


def _company_bands(pairs: Overlap) -> NDArray[np.float64]:
    """Sort pairs into the bands of `company_name`.

    Which words a side has for itself is counted, not weighed: "plastics" and "solutions" are common words, and yet they
    are what tells sister companies apart.
    """
    own_fewer, own_both = np.minimum(pairs.own_left, pairs.own_right), pairs.own_left + pairs.own_right
    shared, dice = 1.0 - own_both / np.maximum(pairs.words, 1), _dice(pairs)
    by_case = np.select(
        [
            own_both == 0,
            (pairs.has_own_number > 0) & (own_both == 1),
            (own_fewer == 0) & (pairs.own_telling == 0),
            own_fewer == 0,
        ],
        [np.where(dice > 0.999, 0.95, 0.9 + 0.04 * dice), np.minimum(0.6 * shared, 0.4), 0.85, 0.7],
        default=0.6 * shared,
    )
    is_told = (own_both == 0) | (pairs.heaviest > COMMON_WEIGHT)
    return np.asarray(np.where(is_told, by_case, np.minimum(by_case, 0.2)))


def _near(values: Vocabulary, left: Positions, right: Positions, asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 0.9 for names whose letters, spaces aside, are nearly the same and hold no digit: slips across words."""
    found = np.zeros(len(left), dtype=np.float64)
    digits, letters = values.squashed_has_digit, values.squashed
    places = np.flatnonzero(asked & ~digits[left] & ~digits[right])
    if kernels.IS_COMPILED:
        is_near = np.empty(len(places), dtype=np.bool_)
        held = letters.letters, letters.offsets, values.squashed_sets
        kernels.near(left[places], right[places], held, NEAR_SHARE, is_near)
    else:
        texts, scorer = values.squashed_array, Levenshtein.normalized_similarity
        likeness = cpdist(
            texts[left[places]], texts[right[places]], scorer=scorer, score_cutoff=NEAR_SHARE, dtype=np.float64
        )
        is_near = likeness >= NEAR_SHARE
    found[places] = np.where(is_near, ALIKE_NAMES, 0.0)
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
    "days": days,
    "document_number": document_number,
}
EQUAL_IS_ONE: Final = frozenset(COMPARATORS) - {"telling_name"}
"""Comparators that find equal values 1.0 alike, so that equal codes need no call."""
