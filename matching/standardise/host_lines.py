"""Web and e-mail addresses, many at once: what `contact.domain` and `contact.email` give to each.

Most hosts end in a suffix of one or two labels that nothing longer overrules, which a hash of their last labels tells.
Any other host, and one that might be shared, is looked up alone in the public suffix list.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import publicsuffixlist
from numpy.typing import NDArray

from matching import texts
from matching.standardise import contact
from matching.standardise.given import Given, given_together
from matching.standardise.tables import shared_domains
from matching.standardise.written import Written
from matching.texts import Texts

_ALNUM: Final = texts.among("abcdefghijklmnopqrstuvwxyz0123456789")
_LETTERS: Final = texts.among("abcdefghijklmnopqrstuvwxyz")
_IN_HOST: Final = _ALNUM | texts.among("-.")
_IN_BOX: Final = _ALNUM | texts.among("-._")
_POINT: Final = ord(".")
_AT: Final = ord("@")
_LABEL_MAX: Final = 63
_HOST_MAX: Final = 253
_LOWER: Final = np.array([ord(chr(code).lower()) if code < 128 else code for code in range(256)], dtype=np.uint8)


def domain_lines(values: Sequence[str], written: Written) -> Given:
    """Read web addresses, or the hosts of e-mail addresses."""
    rows, plain = _as_typed(written)
    named = contact.hosts_of(texts.strings_of(plain))
    hosts = texts.texts_of(named)
    is_www = _opens_with(hosts, b"www.")
    hosts = texts.kept(hosts, texts.places_of(hosts) >= np.repeat(is_www * 4, hosts.lengths))
    labels = _Labels(hosts)
    told = np.flatnonzero(labels.is_usual & (labels.counts > 1))
    tails = [labels.tail(count) for count in (1, 2, 3)]
    known = _suffixes()
    top, two = texts.hashes_of(texts.taken(tails[0], told)), texts.hashes_of(texts.taken(tails[1], told))
    is_simple = ~np.isin(top, known.wild) & ~np.isin(two, known.deep)
    is_two = np.isin(two, known.two)
    is_simple &= ~is_two | (labels.counts[told] > 2)
    told, is_two = told[is_simple], is_two[is_simple]
    found = _either(texts.taken(tails[1], told), texts.taken(tails[2], told), is_two)
    shared = _shared(contact.DOMAIN_DROPPED)
    is_own = ~np.isin(texts.hashes_of(found), shared) & ~np.isin(texts.hashes_of(texts.taken(hosts, told)), shared)
    told = told[is_own]
    others = np.setdiff1d(np.arange(len(rows)), told, assume_unique=True).tolist()
    alone = {int(rows[line]): contact.registrable(named[line], contact.DOMAIN_DROPPED) for line in others}
    unread = np.setdiff1d(np.arange(len(values)), rows, assume_unique=True).tolist()
    return given_together(
        len(values),
        rows[told],
        texts.taken(found, np.flatnonzero(is_own)),
        alone | {row: contact.domain(values[row], "") for row in unread},
    )


def email_lines(values: Sequence[str], written: Written) -> Given:
    """Read e-mail addresses that are nothing but an address."""
    rows, plain = _as_typed(written)
    is_at = plain.letters == _AT
    places = texts.places_of(plain)
    is_single = texts.sums(is_at.astype(np.uint64), plain.offsets) == 1
    single = texts.taken(plain, np.flatnonzero(is_single))
    is_at = single.letters == _AT
    cuts = texts.places_of(single)[is_at]
    places = texts.places_of(single)
    cut = np.repeat(cuts, single.lengths)
    boxes, hosts = texts.kept(single, places < cut), texts.kept(single, places > cut)
    labels = _Labels(hosts)
    tops = labels.tail(1)
    is_told = labels.is_usual & (labels.counts > 1) & (boxes.lengths > 0) & (tops.lengths > 1)
    first = tops.letters[np.minimum(tops.offsets[:-1], max(len(tops.letters) - 1, 0))] if len(tops.letters) else None
    is_told &= _LETTERS[first] if first is not None else False
    is_told &= texts.sums((~_IN_BOX[boxes.letters]).astype(np.uint64), boxes.offsets) == 0
    is_told &= texts.sums(_ALNUM[boxes.letters].astype(np.uint64), boxes.offsets) > 0
    is_told &= ~np.isin(texts.hashes_of(hosts), _special_hosts()) & ~np.isin(texts.hashes_of(boxes), _nobody())
    told = np.flatnonzero(is_told)
    found = np.flatnonzero(is_single)[told]
    alone = np.setdiff1d(np.arange(len(values)), rows[found], assume_unique=True).tolist()
    return given_together(
        len(values),
        rows[found],
        texts.taken(single, told),
        {row: contact.email(values[row], "") for row in alone},
    )


def _as_typed(written: Written) -> tuple[NDArray[np.int64], Texts]:
    """Give the places of values that are ASCII, without blanks around and not too long, and each in lower case."""
    rows, plain = written.ascii()
    is_typed = (plain.lengths > 0) & (plain.lengths <= contact.LENGTH_MAX) & written.is_ascii[rows]
    typed = np.flatnonzero(is_typed)
    first, last = plain.letters[plain.offsets[typed]], plain.letters[plain.offsets[typed + 1] - 1]
    typed = typed[(first != ord(" ")) & (last != ord(" "))]
    taken = plain if len(typed) == len(plain) else texts.taken(plain, typed)
    return rows[typed], Texts(_LOWER[taken.letters], taken.offsets)


class _Labels:
    """Part hosts into labels.

    is_usual  each label has letters and digits at its ends, hyphens inside, and no more of them than are allowed;
              the last is no number
    counts    labels of each host
    """

    def __init__(self, hosts: Texts) -> None:
        self._hosts = hosts
        letters, offsets = hosts.letters, hosts.offsets
        self._points = np.flatnonzero(letters == _POINT)
        self._after = np.searchsorted(self._points, offsets)  # points before each host begins
        self.counts = np.diff(self._after) + 1
        self.is_usual = self._is_usual()

    def _is_usual(self) -> NDArray[np.bool_]:
        hosts, letters = self._hosts, self._hosts.letters
        lengths = hosts.lengths
        found = (lengths > 0) & (lengths <= _HOST_MAX)
        found &= texts.sums((~_IN_HOST[letters]).astype(np.uint64), hosts.offsets) == 0
        has_any = np.flatnonzero(lengths > 0)
        first, last = letters[hosts.offsets[has_any]], letters[hosts.offsets[has_any + 1] - 1]
        found[has_any] &= _ALNUM[first] & _LETTERS[last]
        before, after = letters[self._points - 1], letters[np.minimum(self._points + 1, len(letters) - 1)]
        is_odd = ~(_ALNUM[before] & _ALNUM[after])
        is_odd[1:] |= np.diff(self._points) > _LABEL_MAX
        owners = np.searchsorted(hosts.offsets, self._points, side="right") - 1
        found[owners[is_odd]] = False
        is_long = lengths > _LABEL_MAX  # its first or last label may be
        found[is_long] = False
        return found

    def tail(self, count: int) -> Texts:
        """Give the last labels of each host, the whole host where it has no more."""
        starts = self._hosts.offsets[:-1].copy()
        longer = np.flatnonzero(self.counts > count)
        starts[longer] = self._points[self._after[1:][longer] - count] + 1
        is_kept = np.arange(len(self._hosts.letters)) >= np.repeat(starts, self._hosts.lengths)
        return texts.kept(self._hosts, is_kept)


def _opens_with(of: Texts, start: bytes) -> NDArray[np.bool_]:
    found = of.lengths >= len(start)
    long = np.flatnonzero(found)
    letters = of.letters[of.offsets[long][:, np.newaxis] + np.arange(len(start))]
    found[long] = (letters == np.frombuffer(start, dtype=np.uint8)).all(axis=1)
    return found


def _either(one: Texts, other: Texts, is_other: NDArray[np.bool_]) -> Texts:
    both = texts.end_to_end(one, other)
    return texts.taken(both, np.arange(len(one)) + len(one) * is_other)


class _Suffixes(NamedTuple):
    """Hold hashes of public suffixes.

    two   of two labels, which no rule with more labels overrules
    deep  the last two labels of rules with more, or with a wildcard or exception
    wild  the only label of rules with a wildcard before it
    """

    two: NDArray[np.uint64]
    deep: NDArray[np.uint64]
    wild: NDArray[np.uint64]


@cache
def _suffixes() -> _Suffixes:
    two, deep, wild = set(), set(), set()
    for rule in _rules():
        name = rule.removeprefix("!").removeprefix("*.")
        labels = name.split(".")
        if len(labels) == 1:
            wild |= {name} if name != rule else set()
        elif len(labels) == 2 and name == rule:
            two.add(name)
        else:
            deep.add(".".join(labels[-2:]))
    return _Suffixes(_hashes(two - deep), _hashes(deep), _hashes(wild))


def _rules() -> Iterator[str]:
    """Give the rules of the public suffix list, in ASCII."""
    for line in Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8").splitlines():
        rule = line.lower().split(" ")[0].rstrip()
        if rule and not rule.startswith("//"):
            yield rule if rule.isascii() else publicsuffixlist.encode_idn(rule)


@cache
def _shared(kinds: tuple[str, ...]) -> NDArray[np.uint64]:
    return _hashes(domain for kind in kinds for domain in shared_domains(kind))


@cache
def _special_hosts() -> NDArray[np.uint64]:
    return _hashes(contact.GMAIL | shared_domains("example"))


@cache
def _nobody() -> NDArray[np.uint64]:
    return _hashes(contact.NOBODY)


def _hashes(names: Iterable[str]) -> NDArray[np.uint64]:
    return texts.hashes_of(texts.texts_of(sorted(names)))
