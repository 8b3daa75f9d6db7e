"""Names of companies, many at once: what `names.company_name`, `legal_form` and `registered_name` give to each.

Where legal forms begin and end is decided by few words, so names are brought to their shape first: the words that
occur in legal forms, and one mark for any others. Each shape is parted once, by the code that parts one name. A name
that holds more than a name and its form (a trading name, a branch, a form that only its capitals tell from a word) is
read alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag, auto
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.standardise import legal, names
from matching.standardise.given import Given, given_together
from matching.standardise.lines import Lines, lines_of
from matching.standardise.tables import legal_forms, name_words
from matching.standardise.written import Written
from matching.texts import Texts

_WORDS_KEPT: Final = 50_000
"""Words of legal forms and the like whose traits are kept from one batch to the next (chosen: some 10 MB)."""

_SHAPES_KEPT: Final = 100_000
"""Shapes of names that are kept from one batch to the next (chosen: some 60 MB)."""

_OTHER: Final = "?"
"""Stands in a shape for words that occur in no legal form."""

_STEP: Final = np.uint64(0xD1B54A32D192ED03)
"""Tells equal words at different places apart; any odd number does but the one that `texts.mix` multiplies by."""


@dataclass(frozen=True, slots=True, eq=False)
class NameLines:
    """Hold what is given to names: their compare names, the classes of their legal forms, and both together."""

    names: Given
    legal_forms: Given
    registered: Given


def name_lines(values: Sequence[str], countries: Sequence[str], written: Written) -> NameLines:
    """Read names, each in its country (lower-case ISO-2 or "")."""
    lines = lines_of(written)
    named = _Named(lines)
    where = [countries[row] for row in lines.rows.tolist()] if len(lines.rows) < len(countries) else countries
    shapes, told = named.shapes(where)
    parted = [_parted(words, country) for words, country in told]
    left = named.left(_Cuts.of(parted, shapes))
    is_told = np.array([one is not None for one in parted], dtype=bool)
    is_plain = is_told[shapes] & named.is_straight & (left.lengths > 0)
    doubtful = np.flatnonzero(is_plain & named.is_doubtful)
    is_plain[doubtful] = [names.holds_one(values[row]) for row in lines.rows[doubtful].tolist()]
    plain = np.flatnonzero(is_plain)
    alone = np.setdiff1d(np.arange(len(values)), lines.rows[plain], assume_unique=True).tolist()
    classes_of = [() if one is None else one.classes for one in parted]
    lines_of_class, classes = _spread(classes_of, shapes[plain])
    has_form = np.array([bool(found) for found in classes_of], dtype=bool)
    registered = plain[has_form[shapes[plain]]]
    return NameLines(
        given_together(
            len(values),
            lines.rows[plain],
            texts.taken(left, plain),
            {row: names.company_name(values[row], countries[row]) for row in alone},
        ),
        given_together(
            len(values),
            lines.rows[plain[lines_of_class]],
            classes,
            {row: names.legal_form(values[row], countries[row]) for row in alone},
        ),
        given_together(
            len(values),
            lines.rows[registered],
            _ended(texts.taken(left, registered), classes_of, shapes[registered]),
            {row: names.registered_name(values[row], countries[row]) for row in alone},
        ),
    )


class _Is(IntFlag):
    """Say what a word may be to a name; long and initial are what it is read as."""

    CERTAIN = auto()
    HINT = auto()
    NOUN = auto()
    CONNECTOR = auto()
    SHORT_CONNECTOR = auto()
    LONG = auto()
    INITIAL = auto()


class _Traits(NamedTuple):
    """Hold what a word is to a name.

    piece  its number among the words that occur in legal forms, 0 for any other
    meant  what it is read as
    flags  of `_Is`
    """

    piece: int
    meant: str
    flags: int


@lru_cache(_WORDS_KEPT)
def _traits(word: str) -> _Traits:
    meant = name_words("abbreviation").get(word, word)
    told = {
        _Is.CERTAIN: word in legal.certain_forms(),
        _Is.HINT: word in names.part_hints(),
        _Is.NOUN: word in name_words("noun"),
        _Is.CONNECTOR: meant in names.CONNECTORS,
        _Is.SHORT_CONNECTOR: meant in names.SHORT_CONNECTORS,
        _Is.LONG: len(meant) >= names.NAME_PARTICLES_MIN,
        _Is.INITIAL: len(meant) == 1 and meant.isalpha(),
    }
    return _Traits(_pieces().get(word, 0), meant, sum(int(flag) for flag, is_so in told.items() if is_so))


@cache
def _told_words() -> NDArray[np.uint64]:
    """Give the hashes of the words that are more to a name than any other, ascending."""
    told = {*_pieces(), *name_words("abbreviation"), *legal.certain_forms(), *names.part_hints(), *name_words("noun")}
    told |= {*names.CONNECTORS, *names.SHORT_CONNECTORS}
    return np.sort(texts.hashes_of(texts.texts_of(list(filter(None, told)))))


@cache
def _pieces() -> dict[str, int]:
    """Give a number to every run of letters in a legal form's spelling, and to the article, which goes first."""
    runs = {
        spelling[start:end]
        for spelling in legal_forms()
        for start in range(len(spelling))
        for end in range(start + 1, len(spelling) + 1)
    }
    return {run: number for number, run in enumerate(sorted(runs | {names.ARTICLE}), 1)}


@dataclass(frozen=True, slots=True)
class _Parted:
    """Say how a shape is parted: words cut off at its start and end, and the classes of its legal forms.

    has_certain  of the rest, words that are legal forms wherever they stand are taken out too
    """

    start: int
    end: int
    has_certain: bool
    classes: tuple[str, ...]


class _CapitalsMatter(LookupError):
    """Raised where words alone do not tell whether a legal form is meant."""


class _Unwritten(str):
    """Stand for a name as written where only its words are known."""

    __slots__ = ()

    def split(self, *_: object, **__: object) -> list[str]:
        """Refuse to tell how the name was written."""
        raise _CapitalsMatter


class _Placed(str):
    """Know the place of a word in its name."""

    __slots__ = ("place",)
    place: int


@lru_cache(_SHAPES_KEPT)
def _parted(words: tuple[str, ...], country: str) -> _Parted | None:
    """Part the words of a shape from its legal forms; None where that takes more than words."""
    placed = []
    for place, word in enumerate(words):
        placed.append(_Placed(word))
        placed[-1].place = place
    try:
        left, found = legal.take_off(names.without_article(placed), country=country, written=_Unwritten())
        classes = names.form_classes(placed, left, found, country=country, written=_Unwritten())
    except _CapitalsMatter:
        return None
    if not left:
        return None
    first, last = left[0], left[-1]
    assert isinstance(first, _Placed)
    assert isinstance(last, _Placed)
    has_certain = not legal.certain_forms().isdisjoint(words[first.place + 1 : last.place + 1])
    return _Parted(first.place, len(words) - 1 - last.place, has_certain, classes)


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Hold for each line how many words are cut off at its start and end, and whether inside: [lines] each."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, parted: Sequence[_Parted | None], shapes: NDArray[np.int64]) -> "_Cuts":
        """Spread the cuts of shapes to lines; a shape that is not parted is cut nowhere."""
        start = np.array([one.start if one else 0 for one in parted], dtype=np.int64)
        end = np.array([one.end if one else 0 for one in parted], dtype=np.int64)
        inside = np.array([one is not None and one.has_certain for one in parted], dtype=bool)
        return cls(start[shapes], end[shapes], inside[shapes])


class _Named:
    """Hold the words of names and what each word is to them."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._codes, self._offsets = lines.words.codes, lines.words.offsets
        self._owners = lines.words.owners
        self._counts = np.diff(self._offsets)
        self._meant = list(lines.words.distinct)
        self._pieces, self._flags = self._told()

    def _told(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Give each distinct word's number among those of legal forms, and its flags; note what it is read as."""
        words = self._lines.words
        written = texts.texts_of(words.distinct)
        flags = (written.lengths >= names.NAME_PARTICLES_MIN) * int(_Is.LONG)
        alone = np.flatnonzero(written.lengths == 1)
        is_letter = written.letters[written.offsets[alone]] >= ord("a")
        flags[alone[is_letter]] = int(_Is.INITIAL)
        pieces = np.zeros(len(flags), dtype=np.uint64)
        hashes = _told_words()
        found = np.minimum(np.searchsorted(hashes, words.hashes), len(hashes) - 1)
        for place in np.flatnonzero(hashes[found] == words.hashes).tolist():
            pieces[place], self._meant[place], flags[place] = _traits(words.distinct[place])
        return pieces, flags

    @property
    def is_straight(self) -> NDArray[np.bool_]:
        """Tell which names are not turned round, as "Foods, Ashcroft PLC" is: bool [lines]."""
        has_words = self._counts > 0
        first = self._offsets[:-1][has_words]
        is_turned = np.zeros(len(self._counts), dtype=bool)
        is_turned[has_words] = self._is(_Is.NOUN)[self._codes[first]]
        return np.asarray(has_words & ~(is_turned & (self._lines.count(",") == 1)))

    @property
    def is_doubtful(self) -> NDArray[np.bool_]:
        """Tell which names may hold another name, or a branch: bool [lines]."""
        is_several = (self._lines.count("/") > 0) | self._lines.ends_with(")]")
        is_several[self._owners[self._is(_Is.HINT)[self._codes]]] = True
        return is_several

    def shapes(self, countries: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[tuple[str, ...], str]]]:
        """Return the shape of each name, int64 [lines], and the words and country of each shape.

        A legal form is made of words that stand together at an end, so that between the first and the last word that
        occurs in none, only those count that are legal forms wherever they stand.
        """
        pieces = self._telling_pieces()
        is_kept = np.ones(len(pieces), dtype=bool)
        is_kept[1:] = (pieces[1:] != 0) | (pieces[:-1] != 0) | (self._owners[1:] != self._owners[:-1])
        owners, kept, codes = self._owners[is_kept], pieces[is_kept], self._codes[is_kept]
        starts = np.searchsorted(owners, np.arange(len(self._counts) + 1))
        places = (np.arange(len(owners)) - starts[owners]).astype(np.uint64)
        hashes = texts.sums(texts.mix(kept + np.uint64(1), places * _STEP), starts)
        number_by_country = {country: number for number, country in enumerate(dict.fromkeys(countries))}
        numbers = np.fromiter(map(number_by_country.__getitem__, countries), np.uint64, len(countries))
        _, firsts, shapes = np.unique(texts.mix(hashes, numbers), return_index=True, return_inverse=True)
        told = []
        for line in firsts.tolist():
            words = range(starts[line], starts[line + 1])
            told.append(
                (tuple(self._lines.words.distinct[codes[at]] if kept[at] else _OTHER for at in words), countries[line])
            )
        return shapes, told

    def _telling_pieces(self) -> NDArray[np.uint64]:
        """Give the number of each word among those of legal forms, 0 where it does not tell: uint64 [words]."""
        pieces = self._pieces[self._codes]
        before = np.zeros(len(pieces) + 1, dtype=np.int64)
        np.cumsum(pieces == 0, out=before[1:])
        first, last = before[self._offsets[:-1]][self._owners], before[self._offsets[1:]][self._owners]
        is_inside = (before[:-1] > first) & (before[1:] < last)
        pieces[is_inside & ~self._is(_Is.CERTAIN)[self._codes]] = 0
        return pieces

    def left(self, cuts: _Cuts) -> Texts:
        """Give what is left of each name once its legal forms are cut off, words as they are meant."""
        places = np.arange(len(self._codes)) - self._offsets[self._owners]
        start, end = cuts.start[self._owners], (self._counts - cuts.end)[self._owners]
        is_certain = self._is(_Is.CERTAIN)[self._codes]
        is_left = (places >= start) & (places < end) & ~(is_certain & cuts.inside[self._owners] & (places > start))
        codes, owners = self._codes[is_left], self._owners[is_left]
        is_left = ~self._is_connecting(codes, owners)
        return self._joined(codes[is_left], owners[is_left])

    def _is_connecting(self, codes: NDArray[np.int32], owners: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which words only connect others; a short one does between long ones: bool [words]."""
        is_long = self._is(_Is.LONG)[codes]
        is_between = np.zeros(len(codes), dtype=bool)
        is_between[1:-1] = (owners[:-2] == owners[1:-1]) & (owners[2:] == owners[1:-1]) & is_long[:-2] & is_long[2:]
        is_short = self._is(_Is.SHORT_CONNECTOR)[codes]
        return self._is(_Is.CONNECTOR)[codes] | (is_short & is_between)

    def _joined(self, codes: NDArray[np.int32], owners: NDArray[np.int64]) -> Texts:
        """Write words as lines, single letters that follow one another as one word."""
        meant, is_initial = texts.texts_of([f"{word} " for word in self._meant]), self._is(_Is.INITIAL)
        is_joined, is_last = np.zeros(len(codes), dtype=bool), np.ones(len(codes), dtype=bool)
        is_same = owners[1:] == owners[:-1]
        is_joined[:-1] = is_same & is_initial[codes[1:]] & is_initial[codes[:-1]]
        is_last[:-1] = ~is_same
        written = texts.taken(meant, codes)
        is_kept = np.ones(len(written.letters), dtype=bool)
        is_kept[written.offsets[1:][is_joined | is_last] - 1] = False
        written = texts.kept(written, is_kept)
        bounds = np.searchsorted(owners, np.arange(len(self._counts) + 1))
        return Texts(written.letters, written.offsets[bounds])

    def _is(self, flag: _Is) -> NDArray[np.bool_]:
        """Tell of each distinct word what it is: bool [distinct words]."""
        return np.asarray((self._flags & int(flag)) != 0)


def _spread(classes: Sequence[tuple[str, ...]], shapes: NDArray[np.int64]) -> tuple[NDArray[np.int64], Texts]:
    """Give the classes of each line's shape: (the line of each, int64), and all of them end to end."""
    counts = np.fromiter(map(len, classes), dtype=np.int64, count=len(classes))
    starts, held = np.cumsum(counts) - counts, counts[shapes]
    lines = np.repeat(np.arange(len(shapes)), held)
    within = np.arange(len(lines)) - np.repeat(np.cumsum(held) - held, held)
    flat = texts.texts_of([name for of in classes for name in of])
    return lines, texts.taken(flat, starts[shapes[lines]] + within)


def _ended(left: Texts, classes: Sequence[tuple[str, ...]], shapes: NDArray[np.int64]) -> Texts:
    """Write the classes of each line's shape behind it."""
    ends = texts.texts_of(["".join(f" {name}" for name in of) for of in classes])
    return texts.side_by_side(left, texts.taken(ends, shapes))
