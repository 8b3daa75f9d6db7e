"""Tax numbers, many at once: what `identifiers.tax_id` gives to each.

A number that a rule of its country accepts is read here, without or with the label that people write before it. Any
other is read alone, and so is one with a label that might be part of the number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.standardise import identifiers
from matching.standardise.check_digits import RULES, Rule
from matching.standardise.given import Given, given_together
from matching.standardise.lines import worded
from matching.standardise.written import Written
from matching.texts import Texts

_PREFIX_LENGTH: Final = 2
_LABEL_LENGTH_MIN: Final = 3
"""Letters of a label from which none of the countries with rules reads it as part of a number: three letters open only
Swiss numbers (CHE, which is a prefix), Italian fiscal codes and Brazilian ones, which are read alone."""

_MAY_OPEN_WITH_LETTERS: Final = frozenset({"it", "br"})
_NOT_STRIPPED: Final = frozenset({"uk"})
"""Prefixes that tell the country, but that its rules do not know."""

_PREFIX_OF_VAT_ONLY: Final = frozenset({"xi"})
_OPENS_LABEL: Final = frozenset({"", "us", "si"})
"""What the first letters of a label are read as, that can not be a number's prefix: neither has letters behind it."""


def tax_lines(values: Sequence[str], countries: Sequence[str], written: Written) -> Given:
    """Read tax numbers, each in its country (lower-case ISO-2 or "")."""
    rows, plain = written.ascii()
    plain = worded(plain)
    is_short = np.diff(written.offsets)[rows] < identifiers.TAX_ID_LENGTH_MAX
    rows, plain = rows[is_short], plain if is_short.all() else texts.taken(plain, np.flatnonzero(is_short))
    first = _read(plain, [countries[row] for row in rows.tolist()])
    left = np.setdiff1d(np.arange(len(rows)), first.lines, assume_unique=True)
    second = _labelled(values, countries, rows[left], texts.taken(plain, left))
    found = np.concatenate((rows[first.lines], second.lines))
    alone = np.setdiff1d(np.arange(len(values)), found, assume_unique=True).tolist()
    both = texts.end_to_end(first.forms, second.forms)
    return given_together(
        len(values), found, both, {row: identifiers.tax_id(values[row], countries[row]) for row in alone}
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Accepted:
    """Hold the numbers that rules accept: int64 [accepted], in no order, and the compare form of each."""

    lines: NDArray[np.int64]
    forms: Texts


def _labelled(values: Sequence[str], countries: Sequence[str], rows: NDArray[np.int64], plain: Texts) -> _Accepted:
    """Read what stands behind a label that can not be part of a number."""
    kept, numbers, where = [], [], []
    for row, whole in zip(rows.tolist(), texts.strings_of(plain), strict=True):
        value, country = values[row].strip(), countries[row]
        label = identifiers.LABEL.match(value)
        if label is None or (country and (country not in RULES or country in _MAY_OPEN_WITH_LETTERS)):
            continue
        number = value[label.end() :]
        letters = whole[: len(whole) - sum(map(str.isalnum, number))] if number.isascii() else ""
        if len(letters) < _LABEL_LENGTH_MIN or not letters.isalpha() or not _is_no_prefix(letters):
            continue
        kept.append(row)
        numbers.append(number)
        where.append(country)
    read, behind = Written.of(numbers).ascii()
    found = _read(worded(behind), [where[line] for line in read.tolist()])
    return _Accepted(np.array(kept, dtype=np.int64)[read[found.lines]], found.forms)


def _is_no_prefix(letters: str) -> bool:
    return identifiers.prefix_country(letters) in _OPENS_LABEL and not letters.startswith("k")


def _read(plain: Texts, countries: Sequence[str]) -> _Accepted:
    """Read letters and digits by the rules of their own prefix's country, else of the record's."""
    lines: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    letters: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)]
    lengths: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for country, prefix, length, group in _groups(plain, countries):
        starts = plain.offsets[group] + len(prefix)
        numbers = plain.letters[starts[:, np.newaxis] + np.arange(length)]
        for rule in _rules(country, prefix, length):
            is_held = rule.accepts(numbers)
            forms = _forms(rule, country, numbers[is_held])
            lines.append(group[is_held])
            letters.append(forms.reshape(-1))
            lengths.append(np.full(len(forms), forms.shape[1]))
    offsets = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
    return _Accepted(np.concatenate(lines), Texts(np.concatenate(letters), offsets))


def _rules(country: str, prefix: str, length: int) -> Iterator[Rule]:
    for rule in RULES[country]:
        if len(rule.mask) != length or (rule.after_prefix_only and not prefix):
            continue
        if prefix not in _PREFIX_OF_VAT_ONLY or rule.kind == "vat":
            yield rule


def _forms(rule: Rule, country: str, numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Write numbers of one rule as compare forms: uint8 [numbers, letters]."""
    head = np.frombuffer(f"{country}-{rule.kind}:{country}{rule.lead}".encode(), dtype=np.uint8)
    return np.hstack((np.broadcast_to(head, (len(numbers), len(head))), numbers[:, : rule.part]))


def _groups(plain: Texts, countries: Sequence[str]) -> Iterator[tuple[str, str, int, NDArray[np.int64]]]:
    """Give lines of one country, prefix and length of number: (country, prefix, length, int64 lines)."""
    lengths = plain.lengths
    long = np.flatnonzero(lengths > _PREFIX_LENGTH)
    first = np.zeros(len(lengths), dtype=np.int64)
    opening = plain.letters[plain.offsets[long][:, np.newaxis] + np.arange(_PREFIX_LENGTH)].astype(np.int64)
    is_prefix = (opening >= ord("a")).all(axis=1)
    first[long[is_prefix]] = opening[is_prefix, 0] << 8 | opening[is_prefix, 1]
    number_by_country = {country: number for number, country in enumerate(dict.fromkeys(countries))}
    names = tuple(number_by_country)
    where = np.fromiter(map(number_by_country.__getitem__, countries), np.int64, len(countries))
    keys = (first * len(names) + where) << 8 | np.minimum(lengths, 255)
    order = np.argsort(keys, kind="stable")
    bounds = np.flatnonzero(np.diff(keys[order], prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        key = int(keys[order[start]])
        pair, own = divmod(key >> 8, len(names))
        prefix = f"{chr(pair >> 8)}{chr(pair & 255)}" if pair else ""
        country = identifiers.prefix_country(prefix) if prefix else ""
        if not country:
            prefix, country = "", names[own]
        if country in RULES and prefix not in _NOT_STRIPPED:
            yield country, prefix, (key & 255) - len(prefix), order[start:stop]
