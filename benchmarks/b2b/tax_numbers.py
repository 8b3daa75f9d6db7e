"""Tax numbers with valid check digits, whole columns at a time, by the rules that python-stdnum checks.

Each country turns a serial number, distinct for each company, into a number that is distinct too. Register numbers
follow the country's custom: some are part of the tax number (FR, BE, SE), most are not, and Germany's come twice.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from arrow import digit_texts, digits_of, joined, mixed, pick, texts
from numpy.typing import NDArray

Digits = NDArray[np.int64]

_SERIALS = 9_999_991
"""A prime below ten million: serial → serial · step mod prime is one to one."""
_STEP = 7_368_787


def serials(companies: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scatter company numbers over seven digits, one to one."""
    return (companies * _STEP + 104_729) % _SERIALS


def tax_numbers(country: str, serial: NDArray[np.int64]) -> pa.Array:
    """Give the tax number of each serial in its canonical spelling."""
    return _RULES[country](serial)


def register_numbers(country: str, serial: NDArray[np.int64], tax: pa.Array) -> pa.Array:
    """Give the number under which the country's register holds each company: part of the tax number, or its own."""
    cut = _PART_OF_TAX.get(country)
    if cut is None:
        return _OWN_REGISTERS[country](serial)
    return pc.replace_substring_regex(pc.utf8_slice_codeunits(tax, *cut), r"^(55\d{4})(\d{4})$", r"\1-\2")


_PART_OF_TAX = {"FR": (4,), "SE": (2, 12), "CH": (0, 15), "NO": (2, 11)}
_PART_OF_TAX |= dict.fromkeys(("BE", "PT", "DK", "FI", "CZ"), (2,))


def _court_number(serial: NDArray[np.int64]) -> pa.Array:
    """Count per court, as Germany does: one number stands in many towns."""
    hashed = mixed(serial, 77)
    kinds = pick(texts(["HRB ", "HRB ", "HRB ", "HRA "]), hashed % 4)
    return joined(kinds, digit_texts(digits_of(hashed % 90_000 + 10_000, 5)))


def _lettered(serial: NDArray[np.int64]) -> pa.Array:
    letters = pick(texts(list("abdfghikmpstvwxyz")), (mixed(serial, 77) + serial // 1_000_000) % 17)
    return joined("FN ", digit_texts(digits_of(serial % 1_000_000, 6)), letters)


def _behind(*prefixes: str, width: int = 7) -> Callable[[NDArray[np.int64]], pa.Array]:
    """Write the serial behind one of some prefixes: provinces, kinds of company, filling zeros."""
    table = pa.array(prefixes, pa.string())
    return lambda serial: joined(pick(table, mixed(serial, 77) % len(prefixes)), digit_texts(digits_of(serial, width)))


_OWN_REGISTERS: dict[str, Callable[[NDArray[np.int64]], pa.Array]] = {
    "DE": _court_number,
    "AT": _lettered,
    "ES": _behind("M-", "B-", "V-", "SE-", "Z-"),
    "IT": _behind("MI-", "RM-", "TO-", "NA-", "BO-"),
    "PL": _behind("000"),
    "GB": _behind("1"),
    "NL": _behind("6"),
    "US": _behind("C", "L", "P"),
    "IE": _behind("", width=6),
}


def _luhn(digits: Digits) -> Digits:
    """Give the Luhn check digit of each row."""
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    return -(doubled // 10 + doubled % 10).sum(axis=1) % 10


def _with(digits: Digits, check: Digits) -> Digits:
    return np.hstack([digits, check[:, None]])


def _spare(digits: Digits, weights: tuple[int, ...], factor: int) -> Digits:
    """Append a digit for which the check modulo 11 is no ten, then that check: factor · Σ w·d mod 11."""
    weighted = (digits * np.array(weights[:-1])).sum(axis=1)
    chosen = np.full(len(digits), -1, np.int64)
    check = np.zeros(len(digits), np.int64)
    for spare in range(3):
        found = factor * (weighted + weights[-1] * spare) % 11
        fits = (chosen < 0) & (found < 10)
        chosen[fits], check[fits] = spare, found[fits]
    return np.hstack([digits, chosen[:, None], check[:, None]])


def _de(serial: Digits) -> pa.Array:
    digits = np.hstack([digits_of(serial % 9 + 1, 1), digits_of(serial, 7)])
    product = np.full(len(digits), 10, np.int64)
    for place in range(8):
        total = (digits[:, place] + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return joined("DE", digit_texts(_with(digits, (11 - product) % 10)))


def _at(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    doubled = digits.copy()
    doubled[:, 1::2] *= 2
    total = (doubled // 10 + doubled % 10).sum(axis=1)
    return joined("ATU", digit_texts(_with(digits, (6 - total) % 10)))


def _ch(serial: Digits) -> pa.Array:
    digits = _spare(digits_of(serial, 7), (5, 4, 3, 2, 7, 6, 5, 4), -1)
    written = pc.replace_substring_regex(digit_texts(digits), r"(\d{3})(\d{3})(\d{3})", r"CHE-\1.\2.\3")
    return joined(written, " MWST")


def _fr(serial: Digits) -> pa.Array:
    body = np.hstack([digits_of(serial % 5 + 3, 1), digits_of(serial, 7)])
    siren = _with(body, _luhn(body))
    number = siren @ 10 ** np.arange(8, -1, -1)
    key = (number * 100 + 12) % 97
    return joined("FR", digit_texts(np.hstack([digits_of(key, 2), siren])))


def _gb(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    digits[:, 0] = np.maximum(digits[:, 0], 1)
    total = (digits * np.array([8, 7, 6, 5, 4, 3, 2])).sum(axis=1)
    second = serial < 1_000_000  # those whose first digit was raised take the other of the two check rules
    check = np.where(second, (97 - (total + 55) % 97) % 97, (97 - total % 97) % 97)
    return joined("GB", digit_texts(np.hstack([digits, digits_of(check, 2)])))


def _nl(serial: Digits) -> pa.Array:
    digits = _spare(digits_of(serial, 7), (9, 8, 7, 6, 5, 4, 3, 2), 1)
    return joined("NL", digit_texts(digits), "B01")


def _be(serial: Digits) -> pa.Array:
    body = np.hstack([np.zeros((len(serial), 1), np.int64), digits_of(serial, 7)])
    number = body @ 10 ** np.arange(7, -1, -1)
    return joined("BE", digit_texts(np.hstack([body, digits_of(97 - number % 97, 2)])))


def _es(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    return joined("ES", pick(texts(list("BBBA")), serial % 4), digit_texts(_with(digits, _luhn(digits))))


def _it(serial: Digits) -> pa.Array:
    body = np.hstack([digits_of(serial, 7), digits_of(serial % 99 + 1, 3)])
    return joined("IT", digit_texts(_with(body, _luhn(body))))


def _pl(serial: Digits) -> pa.Array:
    body = np.hstack([np.full((len(serial), 1), 5), digits_of(serial, 7)])
    return joined("PL", digit_texts(_spare(body, (6, 5, 7, 2, 3, 4, 5, 6, 7), 1)))


def _se(serial: Digits) -> pa.Array:
    body = np.hstack([np.tile([5, 5], (len(serial), 1)), digits_of(serial, 7)])
    return joined("SE", digit_texts(_with(body, _luhn(body))), "01")


_CAMPUSES = np.array(
    [
        int(n)
        for n in [
            "10",
            "12",
            "20",
            "26",
            "27",
            "30",
            "35",
            "36",
            "41",
            "45",
            "46",
            "47",
            "54",
            "59",
            "61",
            "65",
            "74",
            "75",
            "81",
            "82",
            "83",
            "84",
            "94",
            "95",
        ]
    ]
)


def _us(serial: Digits) -> pa.Array:
    prefix = digits_of(_CAMPUSES[serial % len(_CAMPUSES)], 2)
    return joined(digit_texts(prefix), "-", digit_texts(digits_of(serial, 7)))


def _ie(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    letter = (digits * np.arange(8, 1, -1)).sum(axis=1) % 23
    return joined("IE", digit_texts(digits), pick(texts(list("WABCDEFGHIJKLMNOPQRSTUV")), letter))


def _pt(serial: Digits) -> pa.Array:
    body = np.hstack([np.full((len(serial), 1), 5), digits_of(serial, 7)])
    return joined("PT", digit_texts(_with(body, (11 - (body * np.arange(9, 1, -1)).sum(axis=1)) % 11 % 10)))


def _no(serial: Digits) -> pa.Array:
    return joined("NO", digit_texts(_spare(digits_of(serial, 7), (3, 2, 7, 6, 5, 4, 3, 2), -1)), "MVA")


def _dk(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    digits[:, 0] = np.maximum(digits[:, 0], 1)
    return joined("DK", digit_texts(_nudged(digits, (2, 7, 6, 5, 4, 3, 2))))


def _fi(serial: Digits) -> pa.Array:
    return joined("FI", digit_texts(_nudged(digits_of(serial, 7), (7, 9, 10, 5, 8, 4, 2))))


def _cz(serial: Digits) -> pa.Array:
    digits = digits_of(serial, 7)
    digits[:, 0] %= 9
    check = (11 - (digits * np.arange(8, 1, -1)).sum(axis=1)) % 11
    return joined("CZ", digit_texts(_with(digits, np.where(check == 0, 1, check) % 10)))


def _nudged(digits: Digits, weights: tuple[int, ...]) -> Digits:
    """Append the check -Σ w·d mod 11; where that is ten, raise the last digit first.

    These countries have no digit to spare: at five million records about one of their companies in sixty shares its
    number with another, at a hundred thousand hardly any.
    """
    check = -(digits * np.array(weights)).sum(axis=1) % 11
    digits[check == 10, -1] = (digits[check == 10, -1] + 1) % 10
    check = -(digits * np.array(weights)).sum(axis=1) % 11
    digits[check == 10, -1] = (digits[check == 10, -1] + 1) % 10
    return _with(digits, -(digits * np.array(weights)).sum(axis=1) % 11)


_RULES: dict[str, Callable[[Digits], pa.Array]] = {
    "DE": _de,
    "AT": _at,
    "CH": _ch,
    "FR": _fr,
    "GB": _gb,
    "NL": _nl,
    "BE": _be,
    "IE": _ie,
    "PT": _pt,
    "NO": _no,
    "DK": _dk,
    "FI": _fi,
    "CZ": _cz,
    "ES": _es,
    "IT": _it,
    "PL": _pl,
    "SE": _se,
    "US": _us,
}
