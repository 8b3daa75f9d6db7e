"""The check digits of the commonest tax numbers, over the digits of many numbers at once.

A rule accepts a number only if python-stdnum does. One that it does not accept may still be valid: python-stdnum
decides that (`identifiers.tax_id`). A test compares the two on numbers of every rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from stdnum.exceptions import ValidationError
from stdnum.us import ein

Digits = NDArray[np.int64]
Test = Callable[[Digits], NDArray[np.bool_]]
"""Tells which numbers hold: digits int64 [numbers, places], a capital letter is its ASCII code less that of "0"."""

_DOUBLED: Final = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9])
_ELEVEN_TEN: Final = np.array([[(((check or 10) * 2) % 11 + digit) % 10 for digit in range(10)] for check in range(10)])
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_IE_LETTERS: Final = "WABCDEFGHIJKLMNOPQRSTUV"
_LETTER: Final = ord("A") - ord("0")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to write a number of a country, its prefix aside.

    kind   as in tax_ids.csv
    mask   9 for a digit, ? for a digit or capital letter that the test looks at, any other letter for itself
    lead   what the compare form has before the number
    part   the first places that the compare form keeps
    after_prefix_only  it needs the country's prefix before it
    """

    kind: str
    mask: str
    test: Test
    lead: str = ""
    part: int | None = None
    after_prefix_only: bool = False

    def accepts(self, letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell which numbers hold; letters uint8 [numbers, places], lower case."""
        digits = letters.astype(np.int64) - ord("0")
        digits[digits >= _LETTER] -= ord("a") - ord("A")
        is_written = np.ones(len(digits), dtype=bool)
        for place, sign in enumerate(self.mask):
            if sign == "9":
                is_written &= digits[:, place] < 10
            elif sign != "?":
                is_written &= digits[:, place] == ord(sign) - ord("0")
        kept = digits[:, : self.part]
        is_one = (kept[:, 1:] == kept[:, :1]).all(axis=1)  # nothing is said by one digit repeated
        found = np.zeros(len(digits), dtype=bool)
        rows = np.flatnonzero(is_written & ~is_one)
        found[rows] = self.test(digits[rows])
        return found


def _sum(digits: Digits, weights: Sequence[int]) -> Digits:
    """Weigh the first places: int64 [numbers]."""
    return np.asarray(digits[:, : len(weights)] @ np.array(weights, dtype=np.int64))


def _weighed(modulus: int, *weights: int, rest: int = 0) -> Test:
    return lambda digits: _sum(digits, weights) % modulus == rest


def _checked(weights: Sequence[int], check: Sequence[int], place: int = -1) -> Test:
    """Look the check digit up by the weighed sum; check holds what stands for each remainder, -1 what never does."""
    expected = np.array(check)
    return lambda digits: expected[_sum(digits, weights) % len(expected)] == digits[:, place]


def _all(*tests: Test) -> Test:
    def test(digits: Digits) -> NDArray[np.bool_]:
        return np.asarray(np.logical_and.reduce([each(digits) for each in tests]))

    return test


def _luhn(start: int = 0, stop: int | None = None, rest: int = 0) -> Test:
    """Check the Luhn sum of some places, the last of them counted once."""

    def test(digits: Digits) -> NDArray[np.bool_]:
        part = digits[:, start:stop]
        return np.asarray((part[:, ::-2].sum(axis=1) + _DOUBLED[part[:, -2::-2]].sum(axis=1)) % 10 == rest)

    return test


def _eleven_ten(digits: Digits) -> NDArray[np.bool_]:
    """Check ISO 7064, modulo 11, 10."""
    check = np.full(len(digits), 5)
    for place in range(digits.shape[1]):
        check = _ELEVEN_TEN[check, digits[:, place]]
    return np.asarray(check == 1)


def _begins(*first: int) -> Test:
    return lambda digits: np.isin(digits[:, 0], first)


def _powers(places: int, modulus: int, *, after: int = 0) -> list[int]:
    """Give the weights that make a number's digits the number itself, with some places after it."""
    return [pow(10, places - 1 - place + after, modulus) for place in range(places)]


def _at_vat(digits: Digits) -> NDArray[np.bool_]:
    seven = digits[:, 1:8]
    sums = seven[:, ::-2].sum(axis=1) + _DOUBLED[seven[:, -2::-2]].sum(axis=1)
    return np.asarray((sums + digits[:, 8]) % 10 == 6)


def _utr(digits: Digits) -> NDArray[np.bool_]:
    check = np.array([int(sign) for sign in "21987654321"])
    return np.asarray(check[_sum(digits[:, 1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == digits[:, 0])


def _jp_number(digits: Digits) -> NDArray[np.bool_]:
    return np.asarray(9 - _sum(digits[:, 1:], (2, 1) * 6) % 9 == digits[:, 0])


def _lu_vat(digits: Digits) -> NDArray[np.bool_]:
    return np.asarray(_sum(digits, _powers(6, 10**9)) % 89 == digits[:, 6] * 10 + digits[:, 7])


def _uid_lettered(digits: Digits) -> NDArray[np.bool_]:
    return _UID(digits[:, 1:10])


def _gb_vat(digits: Digits) -> NDArray[np.bool_]:
    sums = _sum(digits, (8, 7, 6, 5, 4, 3, 2, 10, 1)) % 97
    return np.asarray((sums == 0) | ((digits[:, 0] > 0) & np.isin(sums, (42, 55))))


def _fr_vat(digits: Digits) -> NDArray[np.bool_]:
    """Check key and SIREN; Monaco's numbers begin with 000 and are no SIREN."""
    key = (_sum(digits[:, 2:], _powers(9, 97, after=2)) + 12) % 97
    return np.asarray((digits[:, 2:5].any(axis=1)) & _luhn(2)(digits) & (digits[:, 0] * 10 + digits[:, 1] == key))


def _fr_siret(digits: Digits) -> NDArray[np.bool_]:
    """Check both Luhn sums; the post office has rules of its own."""
    is_post = (digits[:, :9] == [3, 5, 6, 0, 0, 0, 0, 0, 0]).all(axis=1)
    return np.asarray(~is_post & _luhn()(digits) & _luhn(0, 9)(digits))


def _it_vat(digits: Digits) -> NDArray[np.bool_]:
    province = _sum(digits[:, 7:], (100, 10, 1))
    is_place = ((province >= 1) & (province <= 100)) | np.isin(province, (120, 121, 888, 999))
    return digits[:, :7].any(axis=1) & is_place & _luhn()(digits)


def _nl_vat(digits: Digits) -> NDArray[np.bool_]:
    """Check either the citizen's number or, since 2020, the whole in base 36 modulo 97 (N is 23, L 21, B 11)."""
    is_given = digits[:, :9].any(axis=1) & digits[:, 10:].any(axis=1)
    is_old = _sum(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0
    whole = _sum(digits, _powers(9, 97, after=4)) + digits[:, 10] * 10 + digits[:, 11]
    whole += 2321 * pow(10, 13, 97) + 11 * 100
    return np.asarray(is_given & (is_old | (whole % 97 == 1)))


def _es_vat(digits: Digits) -> NDArray[np.bool_]:
    """Check the letter or digit of people (DNI, NIE, K, L, M) and companies (CIF, whose check may be either)."""
    first, last = digits[:, 0], digits[:, 8]
    number, luhn = _sum(digits[:, 1:], _powers(7, 10**9)), _luhn_check(digits[:, 1:8])
    old = np.where(first < 10, first * 10**7, np.where(_is_among(first, "YZ"), (first - _sign("X")) * 10**7, 0))
    letter = _signs(_DNI_LETTERS)[(old + number) % 23]
    is_person = (first < 10) | _is_among(first, "KLMXYZ")
    is_company = _is_among(first, "ABCDEFGHJNPQRSUVW")
    return np.asarray(
        (is_person & (last == letter)) | (is_company & ((last == luhn) | (last == _signs("JABCDEFGHI")[luhn])))
    )


def _ie_vat(digits: Digits) -> NDArray[np.bool_]:
    """Check the letter of a number of seven digits; a second letter counts nine times."""
    sums = _sum(digits, (8, 7, 6, 5, 4, 3, 2))
    worth = np.full(64, -1)
    worth[_signs(_IE_LETTERS)] = np.arange(len(_IE_LETTERS))
    if digits.shape[1] == 8:
        return np.asarray(digits[:, 7] == _signs(_IE_LETTERS)[sums % 23])
    further = worth[np.minimum(digits[:, 8], 63)]
    return np.asarray((further >= 0) & (digits[:, 7] == _signs(_IE_LETTERS)[(sums + 9 * further) % 23]))


def _ein(digits: Digits) -> NDArray[np.bool_]:
    return np.asarray(_ein_prefixes()[digits[:, 0] * 10 + digits[:, 1]])


@cache
def _ein_prefixes() -> NDArray[np.bool_]:
    """Tell which first two digits the IRS gives out: bool [100]."""

    def is_known(prefix: int) -> bool:
        try:
            ein.validate(f"{prefix:02}0000000")
        except ValidationError:
            return False
        return True

    return np.array([is_known(prefix) for prefix in range(100)])


def _luhn_check(digits: Digits) -> Digits:
    """Give the digit that makes the Luhn sum of some with it whole."""
    return np.asarray(-(digits[:, -2::-2].sum(axis=1) + _DOUBLED[digits[:, ::-2]].sum(axis=1)) % 10)


def _sign(letter: str) -> int:
    return ord(letter) - ord("0")


def _signs(letters: str) -> NDArray[np.int64]:
    return np.array([_sign(letter) for letter in letters])


def _is_among(digits: Digits, letters: str) -> NDArray[np.bool_]:
    return np.isin(digits, _signs(letters))


def _cnpj(digits: Digits) -> NDArray[np.bool_]:
    first = -_sum(digits, (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    second = -_sum(digits, (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    return np.asarray(digits[:, :12].any(axis=1) & (digits[:, 12] == first) & (digits[:, 13] == second))


def _cpf(digits: Digits) -> NDArray[np.bool_]:
    first = -_sum(digits, range(10, 1, -1)) % 11 % 10
    second = -_sum(digits, range(11, 1, -1)) % 11 % 10
    return np.asarray(digits.any(axis=1) & (digits[:, 9] == first) & (digits[:, 10] == second))


def _abn(digits: Digits) -> NDArray[np.bool_]:
    check = 11 + (-_sum(digits[:, 2:], (3, 5, 7, 9, 11, 13, 15, 17, 19)) - 1) % 89
    return np.asarray(digits[:, 0] * 10 + digits[:, 1] == check)


_TEN_IS_ZERO: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0)
_LESS: Final = (0, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
"""Eleven less the remainder, itself modulo eleven: ten stands for nothing."""

_UID: Final = _checked((5, 4, 3, 2, 7, 6, 5, 4), (0, -1, *_LESS[2:]), place=8)
_BE_SUM: Final = _weighed(97, *_powers(8, 97), 10, 1)

RULES: Final[Mapping[str, Sequence[Rule]]] = MappingProxyType(
    {
        "at": (Rule("vat", "U99999999", _at_vat),),
        "au": (
            Rule("abn", "99999999999", _abn),
            Rule("acn", "999999999", _checked(range(-8, 0), tuple(range(10)))),
        ),
        "be": (
            Rule("vat", "9999999999", _all(_begins(0, 1), _BE_SUM)),
            Rule("vat", "999999999", _weighed(97, *_powers(7, 97), 10, 1), lead="0"),
        ),
        "br": (Rule("cnpj", "99999999999999", _cnpj, part=8), Rule("cpf", "99999999999", _cpf)),
        "ca": (
            Rule("bn", "999999999", _luhn()),
            *(Rule("bn", f"999999999{letters}9999", _luhn(0, 9), part=9) for letters in ("RC", "RM", "RP", "RT")),
        ),
        "ch": (
            Rule("uid", "999999999", _UID, lead="e"),
            Rule("uid", "E999999999", _uid_lettered, after_prefix_only=True),
            *(
                Rule("uid", f"E999999999{tax}", _uid_lettered, part=10, after_prefix_only=True)
                for tax in ("MWST", "TVA", "IVA", "TPV")
            ),
        ),
        "de": (Rule("vat", "999999999", _all(_begins(*range(1, 10)), _eleven_ten)),),
        "dk": (Rule("vat", "99999999", _all(_begins(*range(1, 10)), _weighed(11, 2, 7, 6, 5, 4, 3, 2, 1))),),
        "ee": (Rule("vat", "999999999", _weighed(10, 3, 7, 1, 3, 7, 1, 3, 7, 1)),),
        "es": (Rule("vat", "?9999999?", _es_vat),),
        "fi": (Rule("vat", "99999999", _weighed(11, 7, 9, 10, 5, 8, 4, 2, 1)),),
        "fr": (
            Rule("vat", "99999999999", _fr_vat),
            Rule("siren", "999999999", _luhn()),
            Rule("siren", "99999999999999", _fr_siret, part=9),
        ),
        "gb": (
            Rule("vat", "999999999", _gb_vat),
            Rule("vat", "999999999999", _gb_vat, part=9),
            Rule("utr", "9999999999", _utr),
        ),
        "gr": (Rule("vat", "999999999", _checked((256, 128, 64, 32, 16, 8, 4, 2), _TEN_IS_ZERO)),),
        "hr": (Rule("vat", "99999999999", _eleven_ten),),
        "hu": (Rule("vat", "99999999", _weighed(10, 9, 7, 3, 1, 9, 7, 3, 1)),),
        "ie": (Rule("vat", "9999999?", _ie_vat), Rule("vat", "9999999??", _ie_vat)),
        "it": (Rule("vat", "99999999999", _it_vat),),
        "jp": (Rule("cn", "9999999999999", _jp_number),),
        "lu": (Rule("vat", "99999999", _lu_vat),),
        "mt": (Rule("vat", "99999999", _all(_begins(*range(1, 10)), _weighed(37, 3, 4, 6, 7, 8, 9, 10, 1))),),
        "nl": (Rule("vat", "999999999B99", _nl_vat, part=9),),
        "no": (
            Rule("org", "999999999", _weighed(11, 3, 2, 7, 6, 5, 4, 3, 2, 1)),
            Rule("org", "999999999MVA", _weighed(11, 3, 2, 7, 6, 5, 4, 3, 2, 1), part=9),
        ),
        "pl": (Rule("vat", "9999999999", _weighed(11, 6, 5, 7, 2, 3, 4, 5, 6, 7, -1)),),
        "pt": (
            Rule(
                "vat",
                "999999999",
                _all(
                    _begins(*range(1, 10)),
                    _checked(range(9, 1, -1), (0, 0, *_LESS[2:])),
                ),
            ),
        ),
        "se": (Rule("vat", "999999999901", _luhn(0, 10), part=10), Rule("vat", "9999999999", _luhn())),
        "si": (
            Rule(
                "vat",
                "99999999",
                _all(_begins(*range(1, 10)), _checked(range(8, 1, -1), (-1, 0, *_LESS[2:]))),
            ),
        ),
        "us": (Rule("ein", "999999999", _ein),),
    }
)
"""The rules of each country that has any, lower-case ISO-2; no two of one country fit the same number."""
