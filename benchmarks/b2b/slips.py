"""How people mistype: neighbours on the keyboard, letters read wrongly by a scanner, swaps, losses, doubled letters."""

import re
import unicodedata
from collections.abc import Callable

_NEIGHBOURS = {
    "q": "wa",
    "w": "qes",
    "e": "wrd",
    "r": "etf",
    "t": "rzg",
    "z": "tuh",
    "u": "zij",
    "i": "uok",
    "o": "ipl",
    "p": "ol",
    "a": "qsy",
    "s": "awdx",
    "d": "sefc",
    "f": "drgv",
    "g": "fthb",
    "h": "gzjn",
    "j": "hukm",
    "k": "jil",
    "l": "ko",
    "y": "asx",
    "x": "ysdc",
    "c": "xdfv",
    "v": "cfgb",
    "b": "vghn",
    "n": "bhjm",
    "m": "njk",
}
_SCANNED = (
    ("rn", "m"),
    ("m", "rn"),
    ("l", "1"),
    ("o", "0"),
    ("i", "l"),
    ("cl", "d"),
    ("e", "c"),
    ("s", "5"),
    ("b", "6"),
    ("vv", "w"),
    ("u", "v"),
)
_GERMAN = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ø": "oe",
        "æ": "ae",
        "å": "aa",
        "Å": "Aa",
    }
)
_REST = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "đ": "d", "ø": "o", "Ø": "O", "æ": "ae", "œ": "oe", "’": "'"})


def plain_german(text: str) -> str:
    """Write a text in ASCII as Germans do: ü is ue."""
    return plain(text.translate(_GERMAN))


def plain(text: str) -> str:
    """Write a text in ASCII by leaving the accents out."""
    return unicodedata.normalize("NFKD", text.translate(_REST)).encode("ascii", "ignore").decode()


def garbled(text: str) -> str:
    """Read UTF-8 as Latin-1, as a wrong import does."""
    return text.encode().decode("latin-1")


def mistyped(text: str, number: int, kinds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> str:
    """Make one slip in a text; the number says which of the kinds and where.

    kinds  0 neighbour on the keyboard, 1 swap, 2 loss, 3 doubled letter, 4 read wrongly, 5 letter too many
    """
    kind, place = kinds[number % len(kinds)], (number // 6) % max(len(text) - 1, 1)
    letter = text[place]
    if len(text) < 4:
        return text
    if kind == 0:
        near = _NEIGHBOURS.get(letter.lower(), letter)
        found = near[number // 997 % len(near)]
        return text[:place] + (found.upper() if letter.isupper() else found) + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1] + letter + text[place + 2 :]
    if kind == 2:
        return text[:place] + text[place + 1 :]
    if kind == 3:
        return text[: place + 1] + text[place:]
    if kind == 4:
        return _scanned(text, number // 997)
    return text[:place] + _NEIGHBOURS.get(letter.lower(), "e")[0] + text[place:]


def _scanned(text: str, number: int) -> str:
    for step in range(len(_SCANNED)):
        read, seen = _SCANNED[(number + step) % len(_SCANNED)]
        if read in text:
            return text.replace(read, seen, 1)
    return text


def digit_slip(text: str, number: int) -> str:
    """Change one digit of a number, or swap two neighbours."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    if len(places) < 4:
        return text
    place = places[1 + number % (len(places) - 2)]
    if number % 3 == 0 and text[place + 1 : place + 2].isdigit() and text[place] != text[place + 1]:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + str((int(text[place]) + 1 + number // 7 % 9) % 10) + text[place + 1 :]


def word_dropped(text: str, number: int) -> str:
    """Leave out one word, never the first."""
    parts = text.split(" ")
    if len(parts) < 3:
        return text
    del parts[1 + number % (len(parts) - 2)]
    return " ".join(parts)


def words_swapped(text: str, number: int) -> str:
    """Swap two neighbouring words."""
    parts = text.split(" ")
    if len(parts) < 2:
        return text
    place = number % (len(parts) - 1)
    parts[place], parts[place + 1] = parts[place + 1], parts[place]
    return " ".join(parts)


def acronym(text: str) -> str:
    """Take the first letters of the words."""
    letters = "".join(word[0] for word in re.split(r"[\s&+-]+", text) if word)
    return letters.upper() if len(letters) > 2 else text


def each(function: Callable[[str, int], str], numbers: list[int]) -> Callable[[list[str]], list[str]]:
    """Turn a slip on one text into one on a list."""
    return lambda values: [function(value, number) for value, number in zip(values, numbers, strict=True)]
