"""The words by which people find a golden record: what it shows, and whatever its members say besides. Pure.

Words are folded the way matching folds text, so that Müller, Mueller and MULLER are one. A record is found by what it
once was called, by a value that lost and by an undeclared column too.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from matching.standardise.text import fold, words
from mdm.errors import InputInvalid

LENGTH_MAX: Final = 10_000  # chosen: ten times what a record of 60 columns holds; the rest is not searched
WORDS_MAX: Final = 12  # chosen: more than anybody types
_KEPT_LENGTH_MAX: Final = 64  # chosen: longer than what many members say alike; no notes
_PART_LENGTH_MIN: Final = 3  # letters that a trigram index needs to find a part of a word


def search_words(*told: Any) -> str:
    """Gather the distinct words of texts, numbers and whatever holds them, in order, with a blank before and after."""
    texts: dict[str, None] = {}
    _gather(told, texts)
    found = dict.fromkeys(word for text in texts for word in _words(text))
    return f" {' '.join(found)} "[:LENGTH_MAX]


def patterns(question: str) -> list[str]:
    """Write a LIKE pattern for each word asked for: a part of a word, or the whole when it is shorter than three.

    Folded words hold letters and digits alone, so nothing in them needs escaping. Raises InputInvalid for too many.
    """
    asked = list(dict.fromkeys(words(fold(question))))
    if len(asked) > WORDS_MAX:
        raise InputInvalid(f"a search takes at most {WORDS_MAX} words", remedy="leave some out", field="q")
    return [f"%{word}%" if len(word) >= _PART_LENGTH_MIN else f"% {word} %" for word in asked]


def _words(text: str) -> tuple[str, ...]:
    return _short_words(text) if len(text) <= _KEPT_LENGTH_MAX else tuple(words(fold(text)))


@lru_cache(maxsize=8_192)  # codes, names of sources and objects: half of what a member says many others say too
def _short_words(text: str) -> tuple[str, ...]:
    return tuple(words(fold(text)))


def _gather(told: Any, texts: dict[str, None]) -> None:
    """Note each distinct text once, in order: members mostly say the same, and folding is what takes time."""
    if isinstance(told, str):
        texts[told] = None
    elif isinstance(told, dict):
        for part in told.values():
            _gather(part, texts)
    elif isinstance(told, list | tuple):
        for part in told:
            _gather(part, texts)
    elif isinstance(told, int | float):
        texts[str(told)] = None
    elif isinstance(told, Mapping):
        _gather(tuple(told.values()), texts)
    elif isinstance(told, Iterable):
        _gather(tuple(told), texts)
