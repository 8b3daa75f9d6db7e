"""Many short texts as letters end to end: hashed, cut and parted into words without a loop over them.

What is done here to ten million texts is done to one text alike, so that a record has the same blocking keys alone, in
a batch and in bulk. The hash is a polynomial over the letters of each word, mixed, and summed over the words: it does
not depend on the order of words, and no seed, machine or process changes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching import kernels

_LETTERS_AT_ONCE: Final = 1 << 22
"""Letters hashed at a time: bounds the arrays of eight bytes a letter to some hundred megabytes (chosen)."""

_BLANK: Final = kernels.BLANK
_VOWELS: Final = np.isin(np.arange(256), np.frombuffer(b"aeiouyhw", dtype=np.uint8))
_DIGITS: Final = (np.arange(256) >= 48) & (np.arange(256) <= 57)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Hold texts in UTF-8: text i is letters[offsets[i] : offsets[i + 1]]; uint8 [letters], int64 [texts + 1]."""

    letters: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Count the letters of each text."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Hold the words of texts in their order.

    offsets   int64 [texts + 1], text i has the words offsets[i] : offsets[i + 1]
    codes     int32 [words], positions in `distinct`
    distinct  the different words; hashes uint64, one each
    """

    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    distinct: tuple[str, ...]
    hashes: NDArray[np.uint64]

    @property
    def owners(self) -> NDArray[np.int64]:
        """Name the text of each word: int64 [words]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def lists(self, places: NDArray[np.integer]) -> Iterator[list[str]]:
        """Give the words of some texts, a list each."""
        words = np.array(self.distinct, dtype=object)[self.codes].tolist()
        for start, end in zip(self.offsets[places].tolist(), self.offsets[places + 1].tolist(), strict=True):
            yield words[start:end]


def texts_of(values: Sequence[str]) -> Texts:
    """Lay texts end to end."""
    joined = "".join(values)
    if joined.isascii():
        lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
        letters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    else:
        coded = [value.encode() for value in values]
        lengths = np.fromiter(map(len, coded), dtype=np.int64, count=len(coded))
        letters = np.frombuffer(b"".join(coded), dtype=np.uint8)
    return Texts(letters, _offsets(lengths))


def hashes_of(texts: Texts) -> NDArray[np.uint64]:
    """Hash texts to 64 bits each, the same for the same words in any order; uint64 [texts]."""
    if kernels.IS_COMPILED:
        found = np.empty(len(texts), dtype=np.uint64)
        kernels.hashes(texts.letters, texts.offsets, _LETTER_WORTH, _POWERS, found)
        return found
    return hashes_by_columns(texts)


def hashes_by_columns(texts: Texts) -> NDArray[np.uint64]:
    """Hash texts as `hashes_of` does, column by column: where nothing is compiled."""
    if not (texts.letters == _BLANK).any():
        return _word_hashes(texts)
    offsets, inside = _word_bounds(texts)
    return sums(_word_hashes(inside), offsets)


def words_of(texts: Texts) -> Words:
    """Part texts at blanks."""
    offsets, inside = _word_bounds(texts)
    coded = arrow_of(inside).dictionary_encode()
    distinct = tuple(coded.dictionary.to_pylist())
    return Words(offsets, coded.indices.to_numpy(), distinct, hashes_of(texts_of(distinct)))


def squashed(texts: Texts) -> Texts:
    """Take the blanks out."""
    return kept(texts, texts.letters != _BLANK)


def first(texts: Texts, count: int) -> Texts:
    """Cut texts to their first letters."""
    return kept(texts, places_of(texts) < count)


def last(texts: Texts, count: int) -> Texts:
    """Cut texts to their last letters."""
    return kept(texts, np.repeat(texts.lengths, texts.lengths) - places_of(texts) <= count)


def consonants(texts: Texts) -> Texts:
    """Keep the first letter and the consonants of texts without blanks, doubled ones once."""
    is_first = places_of(texts) == 0
    sounding = kept(texts, is_first | ~_VOWELS[texts.letters])
    doubled = np.zeros(len(sounding.letters), dtype=bool)
    doubled[1:] = sounding.letters[1:] == sounding.letters[:-1]
    return kept(sounding, ~doubled | (places_of(sounding) == 0))


def with_digit(texts: Texts) -> NDArray[np.bool_]:
    """Tell which texts have a digit: bool [texts]."""
    return sums(_DIGITS[texts.letters].astype(np.uint64), texts.offsets) > 0


def letter_sets(texts: Texts) -> NDArray[np.uint64]:
    """Give the set of the letters of each text as bits, by the last six bits of each: uint64 [texts]."""
    found = np.zeros(len(texts), dtype=np.uint64)
    if kernels.IS_COMPILED:
        kernels.letter_sets(texts.letters, texts.offsets, found)
    else:
        owners = np.repeat(np.arange(len(texts)), texts.lengths)
        np.bitwise_or.at(found, owners, np.uint64(1) << (texts.letters & np.uint8(63)).astype(np.uint64))
    return found


def kept(texts: Texts, is_kept: NDArray[np.bool_]) -> Texts:
    """Keep some letters: bool [letters]."""
    before = np.concatenate(([0], np.cumsum(is_kept)))
    return Texts(texts.letters[is_kept], before[texts.offsets])


def taken(texts: Texts, places: NDArray[np.integer]) -> Texts:
    """Take some texts, in the order asked for."""
    lengths = texts.lengths[places]
    offsets = _offsets(lengths)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return Texts(texts.letters[np.repeat(texts.offsets[:-1][places], lengths) + within], offsets)


def among(letters: str) -> NDArray[np.bool_]:
    """Tell of each ASCII code whether it is one of these letters: bool [256], to be indexed by letters of texts."""
    found = np.zeros(256, dtype=bool)
    found[[ord(letter) for letter in letters]] = True
    return found


def end_to_end(texts: Texts, others: Texts) -> Texts:
    """Lay other texts behind some."""
    return Texts(
        np.concatenate((texts.letters, others.letters)),
        np.concatenate((texts.offsets, texts.offsets[-1] + others.offsets[1:])),
    )


def side_by_side(texts: Texts, others: Texts) -> Texts:
    """Write each of some texts before another one."""
    order = np.arange(2 * len(texts)).reshape(2, -1).T.reshape(-1)
    written = taken(end_to_end(texts, others), order)
    return Texts(written.letters, np.ascontiguousarray(written.offsets[::2]))


def strings_of(texts: Texts) -> list[str]:
    """Give texts as strings."""
    found: list[str] = arrow_of(texts).to_pylist()
    return found


def arrow_of(texts: Texts) -> pa.LargeStringArray:
    """Give texts as an Arrow array, their letters not copied."""
    buffers = [None, pa.py_buffer(texts.offsets), pa.py_buffer(texts.letters)]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


def arrow_places(places: NDArray[np.int64]) -> pa.Int64Array:
    """Give places as an Arrow array, not copied; `pa.array` of numpy imports pandas, a third of a second."""
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def places_of(texts: Texts) -> NDArray[np.int64]:
    """Return the place of each letter in its text: int64 [letters]."""
    return np.arange(len(texts.letters)) - np.repeat(texts.offsets[:-1], texts.lengths)


def sums(numbers: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Add up the numbers between offsets, modulo 2^64: uint64 [offsets - 1]."""
    total = np.zeros(len(numbers) + 1, dtype=np.uint64)
    np.cumsum(numbers, out=total[1:])
    return total[offsets[1:]] - total[offsets[:-1]]


def mix(first_hashes: NDArray[np.uint64], second_hashes: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """Combine two columns of hashes, order mattering (the finaliser of splitmix64, Steele et al., OOPSLA 2014)."""
    mixed = first_hashes * kernels.FIRST
    mixed += second_hashes
    mixed ^= mixed >> np.uint64(30)
    mixed *= kernels.SECOND
    mixed ^= mixed >> np.uint64(27)
    mixed *= kernels.THIRD
    mixed ^= mixed >> np.uint64(31)
    return mixed


_LETTER_WORTH: Final = mix(np.arange(1, 257, dtype=np.uint64), np.uint64(0xD1B54A32D192ED03))
_STEP: Final = np.uint64(0xA24BAED4963EE407)
_POWERS: Final = np.cumprod(np.full(4096, _STEP, dtype=np.uint64))
"""Worth of each place in a word; words of more letters begin again, which no real word does."""


def _word_hashes(texts: Texts) -> NDArray[np.uint64]:
    """Hash texts without blanks."""
    found = np.empty(len(texts), dtype=np.uint64)
    for part in _parts(texts.offsets):
        offsets = texts.offsets[part.start : part.stop + 1]
        letters = texts.letters[offsets[0] : offsets[-1]]
        local = offsets - offsets[0]
        places = np.arange(len(letters)) - np.repeat(local[:-1], np.diff(local))
        found[part] = sums(_LETTER_WORTH[letters] * _POWERS[places & 4095], local)
    return mix(found, texts.lengths.astype(np.uint64))


def _parts(offsets: NDArray[np.int64]) -> Iterator[slice]:
    start, last_text = 0, len(offsets) - 1
    while start < last_text:
        stop = int(np.searchsorted(offsets, offsets[start] + _LETTERS_AT_ONCE, side="right")) - 1
        stop = min(max(stop, start + 1), last_text)
        yield slice(start, stop)
        start = stop


def _word_bounds(texts: Texts) -> tuple[NDArray[np.int64], Texts]:
    """Return the words' offsets by text, and all words end to end."""
    is_letter = texts.letters != _BLANK
    opens = is_letter.copy()
    opens[1:] &= ~is_letter[:-1]
    starts = texts.offsets[:-1][texts.lengths > 0]
    opens[starts] = is_letter[starts]
    word_starts = np.flatnonzero(opens)
    before = np.concatenate(([0], np.cumsum(is_letter)))
    word_offsets = np.append(before[word_starts], before[-1])
    return np.searchsorted(word_starts, texts.offsets), Texts(texts.letters[is_letter], word_offsets)


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
