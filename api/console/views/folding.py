"""What of a text counts when two are compared: letters and digits, without case, marks and script.

The same folding as that of compare forms (anyascii, lower case), letter by letter, so that what is found in the
folded text can be shown in the text as it was written.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from api.console.views.graphemes import letters

_APOSTROPHES: Final = frozenset("'\u2019\u02bc\u2018`\u00b4")


@dataclass(frozen=True, slots=True)
class Token:
    """Hold a word with its key, or the signs between two words with "".

    parts  the letters as they are written
    folds  what each letter folds to; "" for one that counts for nothing
    key    what the word is compared as
    """

    parts: tuple[str, ...]
    folds: tuple[str, ...]
    key: str

    @property
    def text(self) -> str:
        """Give the token as it was written."""
        return "".join(self.parts)


@lru_cache(8_192)
def fold(letter: str) -> str:
    """Fold one letter: "É" to "e", "ß" to "ss", "Ж" to "zh", a sign, blank or picture to ""."""
    if letter.isascii():
        return letter.lower() if letter.isalnum() else ""
    if unicodedata.category(letter[0])[0] not in "LN":
        return ""
    plain = anyascii(unicodedata.normalize("NFKC", letter))
    return "".join(character for character in plain.lower() if character.isascii() and character.isalnum())


def folded(text: str) -> str:
    """Fold a whole text."""
    return "".join(fold(letter) for letter in letters(text))


def tokens(text: str) -> tuple[Token, ...]:
    """Cut a text into words and the signs between them; their parts put together are the text.

    An apostrophe between two letters belongs to the word: O'Connell is one.
    """
    parts = letters(text)
    folds = tuple(fold(letter) for letter in parts)
    ends = [
        place
        for place in range(1, len(parts))
        if _in_word(parts, folds, place) is not _in_word(parts, folds, place - 1)
    ]
    starts = [0, *ends] if parts else []
    return tuple(
        Token(parts[start:end], folds[start:end], "".join(folds[start:end]))
        for start, end in zip(starts, [*ends, len(parts)], strict=False)
    )


def _in_word(parts: tuple[str, ...], folds: tuple[str, ...], place: int) -> bool:
    if folds[place]:
        return True
    return parts[place] in _APOSTROPHES and 0 < place < len(folds) - 1 and bool(folds[place - 1] and folds[place + 1])
