"""Cuts text into what a reader sees as single letters, so that no cut and no emphasis falls inside one.

A letter keeps its combining marks, an emoji its modifiers and joiners, a flag its two halves, a Hangul syllable its
parts. It is the part of Unicode's rule (UAX 29) that occurs in records; joining the letters gives back the text.
"""

import unicodedata
from typing import Final

_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_FIRST_MARK: Final = "\u0300"  # what is below stands alone
LETTER_LENGTH_MAX: Final = 64  # chosen: more marks than this begin a letter of their own


def letters(text: str) -> tuple[str, ...]:
    """Cut a text into its letters, in order."""
    if (text.isascii() or max(text) < _FIRST_MARK) and "\r\n" not in text:
        return tuple(text)
    found: list[str] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or place - start >= LETTER_LENGTH_MAX or not _belongs(text, start, place):
            found.append(text[start:place])
            start = place
    return tuple(letter for letter in found if letter)


def is_pictograph(character: str) -> bool:
    """Tell whether a character is drawn as a picture, so that joiners and variation selectors have work to do."""
    code = ord(character)
    return (
        0x1F000 <= code <= 0x1FAFF or 0x2190 <= code <= 0x2BFF or code in {0xA9, 0xAE, 0x203C, 0x2049, 0x2122, 0x2139}
    )


def _belongs(text: str, start: int, place: int) -> bool:
    """Tell whether the character at `place` continues the letter that began at `start`."""
    before, character = text[place - 1], text[place]
    if before == "\r":
        return character == "\n"
    if unicodedata.category(before) in {"Cc", "Zl", "Zp"}:
        return False
    if unicodedata.category(character) in _MARKS or character == _JOINER or "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if before == _JOINER:
        return is_pictograph(character) and is_pictograph(text[start])
    if _is_flag_half(before) and _is_flag_half(character):
        return (place - start) % 2 == 1
    return _continues_syllable(before, character)


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _continues_syllable(before: str, character: str) -> bool:
    """Tell whether a Hangul vowel or final consonant follows what it can follow."""
    if "\u1160" <= character <= "\u11a7":
        return "\u1100" <= before <= "\u11a7" or ("\uac00" <= before <= "\ud7a3" and (ord(before) - 0xAC00) % 28 == 0)
    if "\u11a8" <= character <= "\u11ff":
        return "\u1160" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"
    return False
