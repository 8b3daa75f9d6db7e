"""The comparators once more, one pair of values at a time, as plain as their descriptions: the oracle's own.

Nothing is shared with `matching.comparators` but the list of generic words. No likeness here depends on which value is
called left. It is slow, and made to be read beside the original.
"""

from collections.abc import Callable, Mapping
from math import log2
from typing import Final, TypeAlias

from rapidfuzz.distance import OSA, Levenshtein

from matching.term_frequency import GENERIC_TOKENS

Weigh: TypeAlias = Callable[[str], float]
"""How much a word tells, from 0 to 1."""
Meet: TypeAlias = Callable[[str, str], float]
"""How well a word is found in another one, from 0 to 1."""
Likeness: TypeAlias = Callable[[str, str, Weigh], float]

WORDS_MAX: Final = 12  # as matching.tokens.TOKENS_MAX
TELLING_ABOVE: Final = 0.35  # as matching.comparators.COMMON_WEIGHT


def weigher(holders: Mapping[str, int], records_count: int) -> Weigh:
    """Return 1 − log(holders / 2) / log(records), at least 0.05, at most 0.2 for a generic word."""

    def weigh(word: str) -> float:
        weight = 1.0 - log2(max(1.0, holders.get(word, 1) / 2)) / log2(max(records_count, 1_000))
        return min(max(0.05, weight), 0.2 if word in GENERIC_TOKENS else 1.0)

    return weigh


def edits(left: str, right: str, _weigh: Weigh) -> float:
    """Return the share of letters that need no edit."""
    return 1.0 - OSA.distance(left, right) / max(len(left), len(right))


def identifier(left: str, right: str, _weigh: Weigh) -> float:
    """Return 0.9 for one slip in six characters and more."""
    if left == right:
        return 1.0
    return 0.9 if OSA.distance(left, right) == 1 and min(len(left), len(right)) >= 6 else 0.0


def phone(left: str, right: str, weigh: Weigh) -> float:
    """Return 1 for equal ones, 0.95 for the same last seven digits, 0.8 for a slip, 0.6 for all but two last digits."""
    if left == right:
        return 1.0
    first, second = (digits_of(value) for value in (left, right))
    if min(len(first), len(second)) >= 7 and first[-7:] == second[-7:]:
        return 0.95
    if first != second and identifier(first, second, weigh) == 0.9:
        return 0.8
    return 0.6 if min(len(first), len(second)) >= 9 and first[:-2] == second[:-2] else 0.0


def digits_of(value: str) -> str:
    """Return the digits of a value alone."""
    return "".join(letter for letter in value if letter.isdigit())


def number(left: str, right: str, _weigh: Weigh) -> float:
    """Return 1 less the difference as a share of the larger amount."""
    first, second = float(left), float(right)
    larger = max(abs(first), abs(second))
    return 1.0 if larger == 0 else min(1.0, max(0.0, 1.0 - abs(first - second) / larger))


def date(left: str, right: str, _weigh: Weigh) -> float:
    """Return 0.9 for a slip or day and month swapped, 0.8 for one month, 0.7 for one year, 0.5 for the next year."""
    if left == right:
        return 1.0
    day_first = f"{right[:5]}{right[8:10]}-{right[5:7]}" if len(right) >= 10 else None
    if OSA.distance(left, right) <= 1 or left == day_first:
        return 0.9
    if min(len(left), len(right)) >= 7 and left[:7] == right[:7]:
        return 0.8
    if not (left[:4].isdigit() and right[:4].isdigit()):
        return 0.0
    years = abs(int(left[:4]) - int(right[:4]))
    return 0.7 if years == 0 else 0.5 if years == 1 else 0.0


def postal_code(left: str, right: str, _weigh: Weigh) -> float:
    """Return 0.85 for a slip, else 0.8 times the share of the shorter code that both begin with."""
    first, second = left.replace(" ", ""), right.replace(" ", "")
    if first == second:
        return 1.0
    if OSA.distance(first, second) <= 1:
        return 0.85
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    return 0.8 * shared / max(1, min(len(first), len(second)))


def tokens(left: str, right: str, weigh: Weigh) -> float:
    """Return the share of weighted words that are found on the other side."""
    return 1.0 if left == right else _Met(left, right, weigh, _slip).dice


def street(left: str, right: str, weigh: Weigh) -> float:
    """Return at least 0.9 when one side has all words of the other and shares a telling one, else 0.95 of the share."""
    return 1.0 if left == right else _Met(left, right, weigh, _slip).contained


def person_name(left: str, right: str, weigh: Weigh) -> float:
    """Compare as streets do, with initials; 0.75 when they share only one name and one side has more."""
    if left == right:
        return 1.0
    met = _Met(left, right, weigh, _initial_or_slip)
    shares_one = min(sum(found > 0 for found in side.values()) for side in (met.left, met.right)) < 2
    return 0.75 if shares_one and met.contained >= 0.75 and met.dice < 0.999 else met.contained


def company_name(left: str, right: str, weigh: Weigh) -> float:
    """Return the band of two company names."""
    if left == right:
        return 1.0
    found = _company_band(_Met(left, right, weigh, _abbreviation_or_slip))
    first, second = left.replace(" ", ""), right.replace(" ", "")
    if first == second:
        found = max(found, 0.95)
    if _initials(left) == second or _initials(right) == first:
        found = max(found, 0.8)
    has_digit = bool(digits_of(first + second))
    return max(found, 0.9) if Levenshtein.normalized_similarity(first, second) >= 0.92 and not has_digit else found


def telling_name(left: str, right: str, weigh: Weigh) -> float:
    """Return a third for each rare word of nearly equal names, of the name that has fewer."""
    if company_name(left, right, weigh) < 0.9:
        return 0.0
    return min(1.0, *(sum(weigh(word) for word in set(name.split()) if len(word) > 2) / 3.0 for name in (left, right)))


class _Met:
    """Two texts as words, each with how well the other side has it: 1 for an equal word, else as the best that is left.

    left, right  word → how well it is found, in the order of the text
    """

    def __init__(self, left: str, right: str, weigh: Weigh, meet: Meet) -> None:
        first, second = (list(dict.fromkeys(text.split()))[:WORDS_MAX] for text in (left, right))
        only_first = [word for word in first if word not in second]
        only_second = [word for word in second if word not in first]
        self.weigh = weigh
        self.left = dict.fromkeys(first, 1.0) | {
            word: max((meet(word, other) for other in only_second), default=0.0) for word in only_first
        }
        self.right = dict.fromkeys(second, 1.0) | {
            word: max((meet(other, word) for other in only_first), default=0.0) for word in only_second
        }

    @property
    def dice(self) -> float:
        """Return the share of all weight, of both sides, that is found."""
        sides = [*self.left.items(), *self.right.items()]
        held = sum(self.weigh(word) for word, _ in sides)
        return sum(found * self.weigh(word) for word, found in sides) / held if held else 0.0

    @property
    def contained(self) -> float:
        """Return the rule of streets: all words of one side found, and a telling word among them."""
        is_within = any(all(side.values()) for side in (self.left, self.right))
        return max(self.dice, 0.9) if is_within and self.is_telling else 0.95 * self.dice

    @property
    def is_telling(self) -> bool:
        """Tell whether a word that is found weighs more than a common one."""
        sides = [*self.left.items(), *self.right.items()]
        return any(found > 0 and self.weigh(word) > TELLING_ABOVE for word, found in sides)


def _company_band(met: _Met) -> float:
    own_left = [word for word, found in met.left.items() if found == 0]
    own_right = [word for word, found in met.right.items() if found == 0]
    own = own_left + own_right
    shared = 1.0 - len(own) / (len(met.left) + len(met.right))
    if not own:
        return 0.95 if met.dice > 0.999 else 0.9 + 0.04 * met.dice
    if len(own) == 1 and digits_of(own[0]):
        band = min(0.6 * shared, 0.4)
    elif own_left and own_right:
        band = 0.6 * shared
    else:
        band = 0.85 if all(word in GENERIC_TOKENS for word in own) else 0.7
    return band if met.is_telling else min(band, 0.2)


def _initials(name: str) -> str | None:
    words = name.split()
    if len(words) > 2:
        words = [word for word in words if word not in GENERIC_TOKENS]
    return "".join(word[0] for word in words) if 2 <= len(words) <= 5 else None


def _slip(left: str, right: str) -> float:
    """Return how near two words are: one edit from four letters on, two from eight, none where there is a digit."""
    shorter = min(len(left), len(right))
    allowed = 2 if shorter >= 8 else 1 if shorter >= 4 else 0
    apart = OSA.distance(left, right)
    return 1.0 - apart / shorter if apart <= allowed and not digits_of(left + right) else 0.0


def _abbreviation_or_slip(left: str, right: str) -> float:
    shorter, longer = sorted((left, right), key=len)
    is_begun = len(shorter) >= 3 and len(longer) >= 6 and longer.startswith(shorter) and not digits_of(left + right)
    return max(_slip(left, right), 0.85 if is_begun else 0.0)


def _initial_or_slip(left: str, right: str) -> float:
    shorter, longer = sorted((left, right), key=len)
    return max(_slip(left, right), 0.7 if len(shorter) == 1 and longer.startswith(shorter) else 0.0)


LIKENESS: Final[Mapping[str, Likeness]] = {
    one.__name__: one
    for one in (
        edits,
        identifier,
        phone,
        number,
        date,
        postal_code,
        tokens,
        street,
        person_name,
        company_name,
        telling_name,
    )
}
"""The comparators that recordlinkage has no counterpart of, by their names in models."""
